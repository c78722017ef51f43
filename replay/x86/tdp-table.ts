import { Entry, MAX_LEVEL, spanOf } from "./spte.ts";

/** What a removed entry held. */
export interface Removed {
  tables: number;
  leaves: number;
  /** Entries of those tables of which nothing is known. */
  unknown: number;
}

const ENTRIES = 512;
/** More frames than a guest has: one level's keys do not meet another's. */
const LEVEL_KEYS = 2 ** 44;

/**
 * The tables of one root of the TDP MMU as the trace shows them. Entries begin unknown; each recorded change
 * makes two of them known, the one before and the one after. What happens below an entry that becomes a table
 * is known from there on.
 */
export class TdpTable {
  /** By level and place: 512 entries each. */
  readonly #nodes = new Map<number, Uint8Array>();
  /** Places that have been a huge leaf: there small pages can be joined again. */
  readonly #wasHuge = new Set<number>();
  /** Recorded changes whose old entry was not the one that the model had. */
  disagreements = 0;

  /** What the entry of `level` that covers the frame is: a value of Entry. */
  at(gfn: number, level: number): number {
    return this.#nodes.get(keyOf(gfn, level))?.[indexOf(gfn, level)] ?? Entry.unknown;
  }

  /**
   * An entry changes. @returns whether the model had another one than `before`; then what lay below is
   * forgotten.
   */
  change(gfn: number, level: number, before: number, after: number): boolean {
    const node = this.#nodeFor(gfn, level);
    const index = indexOf(gfn, level);
    const had = node[index]!;
    const disagrees = had !== Entry.unknown && had !== before;
    if (disagrees) {
      this.disagreements += 1;
      if (had === Entry.table) this.#drop(gfn, level);
    }
    if (before === Entry.leaf && level > 1) this.#wasHuge.add(placeOf(gfn, level));
    node[index] = after;
    if (after === Entry.table && before !== Entry.table) this.#addTable(gfn, level, before);
    else if (before === Entry.table && after !== Entry.table) this.#drop(gfn, level);
    return disagrees;
  }

  /** What lies below the entry, as far as it is known; the entry's own table is counted. */
  below(gfn: number, level: number): Removed {
    const removed: Removed = { tables: 0, leaves: 0, unknown: 0 };
    this.#count(gfn, level, removed);
    return removed;
  }

  /** Level of the leaf that maps the frame; 0: none, or part of the way is not known (-1). */
  leafLevel(gfn: number, rootLevel: number): number {
    for (let level = rootLevel; level > 0; level -= 1) {
      const entry = this.at(gfn, level);
      if (entry === Entry.leaf) return level;
      if (entry === Entry.empty) return 0;
      if (entry === Entry.unknown && !this.#hasBelow(gfn, level)) return -1;
    }
    return -1;
  }

  /** Highest level at which the frame has been mapped by one huge leaf; 2 where none is known. */
  joinableLevel(gfn: number): number {
    for (let level = MAX_LEVEL; level > 2; level -= 1) {
      if (this.#wasHuge.has(placeOf(gfn, level))) return level;
    }
    return 2;
  }

  /** Events are missing: everything is unknown again. */
  forget(): void {
    this.#nodes.clear();
  }

  get allocatedBytes(): number {
    return this.#nodes.size * ENTRIES;
  }

  /** Whether a lower table is known although the entry above it is not. */
  #hasBelow(gfn: number, level: number): boolean {
    for (let below = level - 1; below > 0; below -= 1) {
      if (this.#nodes.has(keyOf(gfn, below))) return true;
    }
    return false;
  }

  #nodeFor(gfn: number, level: number): Uint8Array {
    const key = keyOf(gfn, level);
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const node = new Uint8Array(ENTRIES);
    this.#nodes.set(key, node);
    return node;
  }

  /** A new table is empty; one that replaces a huge leaf maps what that leaf mapped. */
  #addTable(gfn: number, level: number, before: number): void {
    if (level < 2) return;
    const node = this.#nodeFor(gfn, level - 1);
    node.fill(before === Entry.leaf ? Entry.leaf : Entry.empty);
  }

  #drop(gfn: number, level: number): void {
    if (level < 2) return;
    const first = gfn - (gfn % spanOf(level));
    const node = this.#nodes.get(keyOf(first, level - 1));
    if (node === undefined) return;
    for (let i = 0; i < ENTRIES; i += 1) {
      if (node[i] === Entry.table) this.#drop(first + i * spanOf(level - 1), level - 1);
    }
    this.#nodes.delete(keyOf(first, level - 1));
  }

  #count(gfn: number, level: number, removed: Removed): void {
    removed.tables += 1;
    const first = gfn - (gfn % spanOf(level));
    const node = this.#nodes.get(keyOf(first, level - 1));
    for (let i = 0; i < ENTRIES; i += 1) {
      const entry = node?.[i] ?? Entry.unknown;
      if (entry === Entry.leaf) removed.leaves += 1;
      else if (entry === Entry.unknown) removed.unknown += 1;
      else if (entry === Entry.table)
        this.#count(first + i * spanOf(level - 1), level - 1, removed);
    }
  }
}

/** The table that holds the entry. */
function keyOf(gfn: number, level: number): number {
  return level * LEVEL_KEYS + Math.floor(gfn / spanOf(level + 1));
}

function placeOf(gfn: number, level: number): number {
  return level * LEVEL_KEYS + Math.floor(gfn / spanOf(level));
}

function indexOf(gfn: number, level: number): number {
  return Math.floor(gfn / spanOf(level)) % ENTRIES;
}
