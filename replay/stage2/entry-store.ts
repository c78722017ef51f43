import { grown } from "../typed-arrays.ts";

/**
 * Storage of page-table pages: all tables of all contexts of one page size, in typed arrays.
 *
 * Slabs of tables, allocated as needed and never moved, so growth copies nothing; freed tables are
 * reused. An entry takes six bytes: 4 KiB mappings cost 1.5 MiB per mapped GiB (512 + 1 tables).
 *
 * An entry is (meta, low). `meta` bits 1:0 are its kind; for a leaf bits 7:2 are flags and bits 15:8
 * the output page number's bits 39:32, with its low 32 bits in `low`; for a table `low` is the id of
 * the child table and MAYBE says that the trace does not prove that the child exists.
 */
export const EntryKind = { invalid: 0, leaf: 1, table: 2, unknown: 3 } as const;
export const KIND_MASK = 0b11;

export const LeafFlag = {
  read: 4,
  write: 8,
  execute: 16,
  /** Device or Normal non-cacheable memory: no data cache maintenance. */
  uncached: 32,
  /** Access flag. */
  young: 64,
  /** Learned from a fault: permissions, attributes and output address are not known. */
  learned: 128,
} as const;
export const PERMISSION_MASK: number = LeafFlag.read | LeafFlag.write | LeafFlag.execute;
/** For tables: the trace does not prove that this table exists. */
export const TABLE_MAYBE = 4;

const PHYS_HIGH_SHIFT = 8;
const TWO_32 = 2 ** 32;

/** Output page number of a leaf. */
export function physPageOf(meta: number, low: number): number {
  return (meta >>> PHYS_HIGH_SHIFT) * TWO_32 + low;
}

/** `meta` of a leaf with these flags; the output page has at most 40 bits. */
export function leafMeta(flags: number, physPage: number): number {
  return EntryKind.leaf | flags | (Math.floor(physPage / TWO_32) << PHYS_HIGH_SHIFT);
}

/** Entries of one slab, about: 192 KiB of arrays. */
const SLAB_ENTRIES = 32_768;

export class EntryStore {
  readonly entriesPerTable: number;
  readonly #tablesPerSlabShift: number;
  readonly #tableMask: number;
  readonly #meta: Uint16Array[] = [];
  readonly #low: Uint32Array[] = [];
  /** By table id: leaves and certain tables; entries unknown or perhaps tables. */
  #present: Uint16Array = new Uint16Array(64);
  #uncertain: Uint16Array = new Uint16Array(64);
  readonly #free: number[] = [];
  #next = 0;

  constructor(entriesPerTable: number) {
    this.entriesPerTable = entriesPerTable;
    this.#tablesPerSlabShift = Math.log2(Math.max(1, SLAB_ENTRIES / entriesPerTable));
    this.#tableMask = 2 ** this.#tablesPerSlabShift - 1;
  }

  /** Tables in use. */
  get liveTables(): number {
    return this.#next - this.#free.length;
  }

  /** Bytes of all arrays, used or free. */
  get allocatedBytes(): number {
    return this.#meta.length * SLAB_ENTRIES * 6 + this.#present.byteLength * 2;
  }

  /** A table whose entries are all `kind` (invalid or unknown). */
  allocate(kind: 0 | 3): number {
    const id = this.#free.pop() ?? this.#grow();
    const offset = this.offset(id);
    this.meta(id).fill(kind, offset, offset + this.entriesPerTable);
    this.#present[id] = 0;
    this.#uncertain[id] = kind === EntryKind.unknown ? this.entriesPerTable : 0;
    return id;
  }

  release(id: number): void {
    this.#free.push(id);
  }

  /** The slab arrays that hold a table, and where in them it begins. */
  meta(id: number): Uint16Array {
    return this.#meta[id >>> this.#tablesPerSlabShift]!;
  }

  low(id: number): Uint32Array {
    return this.#low[id >>> this.#tablesPerSlabShift]!;
  }

  offset(id: number): number {
    return (id & this.#tableMask) * this.entriesPerTable;
  }

  present(id: number): number {
    return this.#present[id]!;
  }

  uncertain(id: number): number {
    return this.#uncertain[id]!;
  }

  /** Rewrites one entry and keeps the table's counts. */
  set(id: number, index: number, meta: number, low: number): void {
    const metas = this.meta(id);
    const at = this.offset(id) + index;
    this.#count(id, metas[at]!, -1);
    this.#count(id, meta, 1);
    metas[at] = meta;
    this.low(id)[at] = low;
  }

  #count(id: number, meta: number, change: 1 | -1): void {
    const kind = meta & KIND_MASK;
    if (kind === EntryKind.invalid) return;
    if (kind === EntryKind.unknown || (kind === EntryKind.table && (meta & TABLE_MAYBE) !== 0)) {
      this.#uncertain[id]! += change;
    } else {
      this.#present[id]! += change;
    }
  }

  #grow(): number {
    const id = this.#next;
    this.#next += 1;
    if (id >>> this.#tablesPerSlabShift >= this.#meta.length) {
      const entries = Math.max(SLAB_ENTRIES, this.entriesPerTable);
      this.#meta.push(new Uint16Array(entries));
      this.#low.push(new Uint32Array(entries));
    }
    if (id >= this.#present.length) {
      this.#present = grown(this.#present, new Uint16Array(this.#present.length * 2));
      this.#uncertain = grown(this.#uncertain, new Uint16Array(this.#uncertain.length * 2));
    }
    return id;
  }
}
