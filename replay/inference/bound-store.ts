import { grown } from "../typed-arrays.ts";

/**
 * What an entry of an inferred table may be: a set of kinds, since a stock trace rarely shows just one.
 * An entry of one kind is certain. Entries of a table whose own entry may also be something else are
 * meant "if it is a table".
 */
export const May = { invalid: 1, leaf: 2, table: 4 } as const;
export const KINDS = 0b111;
/**
 * What a fault left open, on the entry that may be a block now. At most one at a time.
 */
export const Open = {
  /** A translation fault below it: mapped there, or collapsed into a block. */
  collapse: 8,
  /** A permission fault below it: relaxed there, or collapsed into a block. */
  relaxBelow: 16,
  /** A permission fault on the block itself: relaxed, or broken into a table. */
  relaxBlock: 32,
} as const;
export const OPEN: number = Open.collapse | Open.relaxBelow | Open.relaxBlock;

/** Entries of one slab: 160 KiB of arrays. */
const SLAB_ENTRIES = 32_768;

/**
 * Tables of inferred entries, in typed arrays as `EntryStore` keeps them: slabs that never move, freed
 * tables used again. An entry takes five bytes: 1.25 MiB for each GiB touched by 4 KiB pages. Table 0 is
 * never given out: an entry that may be a table and whose `child` is 0 has a table of which nothing is known.
 */
export class BoundStore {
  readonly entriesPerTable: number;
  readonly #shift: number;
  readonly #mask: number;
  readonly #kinds: Uint8Array[] = [];
  readonly #child: Uint32Array[] = [];
  #free: Uint32Array = new Uint32Array(64);
  #freeCount = 0;
  #next = 1;

  constructor(entriesPerTable: number) {
    this.entriesPerTable = entriesPerTable;
    this.#shift = Math.log2(Math.max(1, SLAB_ENTRIES / entriesPerTable));
    this.#mask = 2 ** this.#shift - 1;
  }

  /** Bytes of all arrays, used or free. */
  get allocatedBytes(): number {
    return this.#kinds.length * SLAB_ENTRIES * 5 + this.#free.byteLength;
  }

  /** Tables in use. */
  get liveTables(): number {
    return this.#next - 1 - this.#freeCount;
  }

  /** A table whose entries may all be `kinds`. */
  allocate(kinds: number): number {
    const id = this.#freeCount > 0 ? this.#reuse() : this.#grow();
    const from = this.offset(id);
    this.kinds(id).fill(kinds, from, from + this.entriesPerTable);
    this.child(id).fill(0, from, from + this.entriesPerTable);
    return id;
  }

  release(id: number): void {
    if (this.#freeCount === this.#free.length) {
      this.#free = grown(this.#free, new Uint32Array(this.#free.length * 2));
    }
    this.#free[this.#freeCount] = id;
    this.#freeCount += 1;
  }

  /** The slab arrays that hold a table, and where in them it begins. */
  kinds(id: number): Uint8Array {
    return this.#kinds[id >>> this.#shift]!;
  }

  child(id: number): Uint32Array {
    return this.#child[id >>> this.#shift]!;
  }

  offset(id: number): number {
    return (id & this.#mask) * this.entriesPerTable;
  }

  #reuse(): number {
    this.#freeCount -= 1;
    return this.#free[this.#freeCount]!;
  }

  #grow(): number {
    const id = this.#next;
    this.#next += 1;
    while (id >>> this.#shift >= this.#kinds.length) {
      const entries = Math.max(SLAB_ENTRIES, this.entriesPerTable);
      this.#kinds.push(new Uint8Array(entries));
      this.#child.push(new Uint32Array(entries));
    }
    return id;
  }
}
