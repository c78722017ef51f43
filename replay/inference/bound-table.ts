import { type Geometry, LAST_LEVEL } from "../stage2/geometry.ts";
import { type BoundStore, KINDS, May } from "./bound-store.ts";

/**
 * One VM's stage-2 table as far as a stock trace shows it: for each entry the set of kinds that it may
 * be of. What is done to it is in the files beside this one.
 */
export class BoundTable {
  readonly geometry: Geometry;
  readonly store: BoundStore;
  /** Level at which the hardware's walk starts, as far as known. */
  readonly rootLevel: number;
  readonly #roots = new Map<number, number>();
  #isEmptyAtFirst: boolean;

  /** `isEmpty`: nothing is mapped yet; otherwise anything may be. */
  constructor(geometry: Geometry, store: BoundStore, rootLevel: number, isEmpty: boolean) {
    this.geometry = geometry;
    this.rootLevel = rootLevel;
    this.store = store;
    this.#isEmptyAtFirst = isEmpty;
  }

  get rootRunPages(): number {
    return this.geometry.entriesPerTable * this.geometry.spanPages[this.geometry.topLevel]!;
  }

  /** Table that holds the entry of the top level for a page. */
  rootFor(page: number): number {
    const run = Math.floor(page / this.rootRunPages);
    let table = this.#roots.get(run);
    if (table === undefined) {
      const { topLevel } = this.geometry;
      table = this.store.allocate(this.#isEmptyAtFirst ? May.invalid : this.anyKind(topLevel));
      this.#roots.set(run, table);
    }
    return table;
  }

  /** End of a range, or of the run of root entries that holds `page` if that ends earlier. */
  rootRunEnd(page: number, endPage: number): number {
    return Math.min(endPage, (Math.floor(page / this.rootRunPages) + 1) * this.rootRunPages);
  }

  get roots(): ReadonlyMap<number, number> {
    return this.#roots;
  }

  /** From now on anything may be mapped: events were lost. */
  forget(): void {
    for (const table of this.#roots.values()) this.releaseBelow(table, this.geometry.topLevel);
    this.#roots.clear();
    this.#isEmptyAtFirst = false;
  }

  /** What an entry of a level may be where nothing is known. */
  anyKind(level: number): number {
    if (level === LAST_LEVEL) return May.invalid | May.leaf;
    if (level < this.geometry.minBlockLevel) return May.invalid | May.table;
    return KINDS;
  }

  indexAt(page: number, level: number): number {
    return Math.floor(page / this.geometry.spanPages[level]!) % this.geometry.entriesPerTable;
  }

  alignDown(page: number, level: number): number {
    return page - (page % this.geometry.spanPages[level]!);
  }

  /** A page may be mapped now, if a table for it is there. */
  addPage(page: number): void {
    let id = this.rootFor(page);
    for (let level = this.geometry.topLevel; ; level += 1) {
      const at = this.store.offset(id) + this.indexAt(page, level);
      if (level === LAST_LEVEL) {
        this.store.kinds(id)[at]! |= May.leaf;
        return;
      }
      if ((this.store.kinds(id)[at]! & May.table) === 0) return;
      id = this.childOf(id, this.indexAt(page, level), level);
    }
  }

  /** Table under an entry that may be one; made where nothing is known of it. */
  childOf(table: number, index: number, level: number): number {
    const at = this.store.offset(table) + index;
    const known = this.store.child(table)[at]!;
    if (known !== 0) return known;
    const child = this.store.allocate(this.anyKind(level + 1));
    this.store.child(table)[at] = child;
    return child;
  }

  /** Makes an entry exactly `kinds`, with no table below. */
  clearEntry(table: number, index: number, level: number, kinds: number): void {
    const at = this.store.offset(table) + index;
    const child = this.store.child(table)[at]!;
    if (child !== 0) this.releaseBelow(child, level + 1);
    this.store.child(table)[at] = 0;
    this.store.kinds(table)[at] = kinds;
  }

  /** Releases a table whose entries are of `level`, and all below it. */
  releaseBelow(table: number, level: number): void {
    if (level < LAST_LEVEL) {
      const children = this.store.child(table);
      const from = this.store.offset(table);
      for (let at = from; at < from + this.store.entriesPerTable; at += 1) {
        if (children[at] !== 0) this.releaseBelow(children[at]!, level + 1);
      }
    }
    this.store.release(table);
  }
}
