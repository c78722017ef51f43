import { EntryKind, type EntryStore, KIND_MASK, TABLE_MAYBE } from "./entry-store.ts";
import { type Geometry, LAST_LEVEL } from "./geometry.ts";

/**
 * One stage-2 page table. This class owns the tree and answers "what is at this address"; the
 * operations that KVM performs on it are functions in the files beside it (`map.ts`, `unmap.ts`, …).
 *
 * The root is an array of entries of its own, since it may have another size than a table.
 */
export class Stage2Table {
  readonly geometry: Geometry;
  readonly store: EntryStore;
  /** The root's entries live in a table chain of the store: `rootTables[i]` holds the i-th run of them. */
  readonly #rootTables = new Map<number, number>();
  readonly #initial: 0 | 3;

  /** `known`: nothing is mapped yet; otherwise everything is unknown. */
  constructor(geometry: Geometry, store: EntryStore, known: boolean) {
    this.geometry = geometry;
    this.store = store;
    this.#initial = known ? EntryKind.invalid : EntryKind.unknown;
  }

  /**
   * Table that holds the entry of `topLevel` for a page, and the page that it begins at. Root runs are
   * created on first touch: a table of the store covers `entriesPerTable` root entries.
   */
  rootTableFor(page: number): number {
    const run = Math.floor(page / this.rootRunPages);
    let table = this.#rootTables.get(run);
    if (table === undefined) {
      table = this.store.allocate(this.#initial);
      this.#rootTables.set(run, table);
    }
    return table;
  }

  /** End of a range, or of the run of root entries that holds `page` if that ends earlier. */
  rootRunEnd(page: number, endPage: number): number {
    return Math.min(endPage, (Math.floor(page / this.rootRunPages) + 1) * this.rootRunPages);
  }

  /** Pages of the whole address space: 52 bits of IPA. */
  get pages(): number {
    return this.geometry.rootEntries * this.geometry.spanPages[this.geometry.topLevel]!;
  }

  get rootRunPages(): number {
    return this.geometry.entriesPerTable * this.geometry.spanPages[this.geometry.topLevel]!;
  }

  /** Frees every table: kvm_pgtable_stage2_destroy. */
  destroy(): void {
    for (const table of this.#rootTables.values())
      this.releaseSubtree(table, this.geometry.topLevel);
    this.#rootTables.clear();
  }

  /** Releases a table whose entries are of `level`, and all below it. */
  releaseSubtree(table: number, level: number): void {
    if (level < LAST_LEVEL) {
      const meta = this.store.meta(table);
      const low = this.store.low(table);
      const begin = this.store.offset(table);
      for (let at = begin; at < begin + this.store.entriesPerTable; at += 1) {
        if ((meta[at]! & KIND_MASK) === EntryKind.table) this.releaseSubtree(low[at]!, level + 1);
      }
    }
    this.store.release(table);
  }

  /** Index in its table of the entry of `level` that covers a page. */
  indexAt(page: number, level: number): number {
    return Math.floor(page / this.geometry.spanPages[level]!) % this.geometry.entriesPerTable;
  }

  /** First page of the entry of `level` that covers a page. */
  alignDown(page: number, level: number): number {
    const span = this.geometry.spanPages[level]!;
    return page - (page % span);
  }

  /** Where the walk for a page ends; the result object is reused by the next call. */
  lookup(page: number): LookupResult {
    let table = this.rootTableFor(page);
    for (let level = this.geometry.topLevel; ; level += 1) {
      const at = this.store.offset(table) + this.indexAt(page, level);
      const meta = this.store.meta(table)[at]!;
      if ((meta & KIND_MASK) !== EntryKind.table || level === LAST_LEVEL) {
        this.#found.kind = meta & KIND_MASK;
        this.#found.level = level;
        this.#found.meta = meta;
        this.#found.low = this.store.low(table)[at]!;
        this.#found.table = table;
        this.#found.index = this.indexAt(page, level);
        return this.#found;
      }
      table = this.store.low(table)[at]!;
    }
  }

  readonly #found: LookupResult = { kind: 0, level: 0, meta: 0, low: 0, table: 0, index: 0 };

  /**
   * Child table under an entry that is invalid, unknown or a table: made where there is none, certain
   * from now on. The entries of a child made under an unknown entry are unknown.
   */
  descendCertain(table: number, index: number): number {
    const at = this.store.offset(table) + index;
    const meta = this.store.meta(table)[at]!;
    const kind = meta & KIND_MASK;
    if (kind === EntryKind.table) {
      const child = this.store.low(table)[at]!;
      if ((meta & TABLE_MAYBE) !== 0) this.store.set(table, index, EntryKind.table, child);
      return child;
    }
    const child = this.store.allocate(
      kind === EntryKind.unknown ? EntryKind.unknown : EntryKind.invalid,
    );
    this.store.set(table, index, EntryKind.table, child);
    return child;
  }
}

export interface LookupResult {
  /** EntryKind of the last entry of the walk. */
  kind: number;
  level: number;
  meta: number;
  low: number;
  table: number;
  index: number;
}
