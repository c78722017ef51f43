import type { FanOut } from "../fan-out.ts";
import type { OperationContext } from "../policies/operation.ts";
import { LAST_LEVEL, tablesUnder } from "../stage2/geometry.ts";
import { KINDS, May, OPEN } from "./bound-store.ts";
import type { BoundTable } from "./bound-table.ts";
import type { OpenQuestions } from "./open-questions.ts";

/**
 * Unmaps a range of an inferred table as `unmapRange` does of a known one. What certainly went is told as
 * there; of an entry that may be several things, the least of them is certain and the rest "at most".
 */
export class BoundUnmap {
  readonly #fanOut: FanOut;
  readonly #questions: OpenQuestions;
  readonly #operation: OperationContext;
  /** The unmap did happen: what it covers is gone. */
  #isCertain = true;
  #table!: BoundTable;
  readonly #most: Extent = { leastLeaves: 0, mostLeaves: 0, mostTables: 0 };

  constructor(fanOut: FanOut, questions: OpenQuestions, operation: OperationContext) {
    this.#fanOut = fanOut;
    this.#questions = questions;
    this.#operation = operation;
  }

  run(table: BoundTable, startPage: number, endPage: number, isCertain: boolean): void {
    this.#table = table;
    this.#isCertain = isCertain;
    for (let page = startPage; page < endPage; ) {
      const end = table.rootRunEnd(page, endPage);
      this.#visit(table.rootFor(page), table.geometry.topLevel, page, end);
      page = end;
    }
    this.#fanOut.pieceEnd(startPage, endPage);
    this.#fanOut.unmapEnd(startPage, endPage);
  }

  /** Below entries that are tables for certain. */
  #visit(id: number, level: number, startPage: number, endPage: number): void {
    const table = this.#table;
    const { store } = table;
    const span = table.geometry.spanPages[level]!;
    const first = table.indexAt(startPage, level);
    const last = table.indexAt(endPage - 1, level);
    const base = table.alignDown(startPage, level) - first * span;
    for (let index = first; index <= last; index += 1) {
      const at = store.offset(id) + index;
      let kinds = store.kinds(id)[at]!;
      if (kinds === May.invalid) continue;
      const entryPage = base + index * span;
      const page = Math.max(startPage, entryPage);
      const end = Math.min(endPage, entryPage + span);
      if ((kinds & OPEN) !== 0) {
        this.#questions.leave(kinds & OPEN, page, level, table, store.child(id)[at]!);
        kinds &= KINDS;
        store.kinds(id)[at] = kinds;
      }
      if (kinds === May.leaf) index = this.#clearRun(id, level, index, last, page);
      else if (kinds === May.table) {
        const child = table.childOf(id, index, level);
        this.#visit(child, level + 1, page, end);
        this.#freeIfEmpty(id, index, level, page);
      } else this.#unclear(id, index, level, page, end);
    }
  }

  /** Leaves for certain, from `index` on; returns the index of the last of them. */
  #clearRun(id: number, level: number, index: number, last: number, page: number): number {
    const kinds = this.#table.store.kinds(id);
    const from = this.#table.store.offset(id);
    const isAligned = page === this.#table.alignDown(page, level);
    const after = this.#isCertain ? May.invalid : May.invalid | May.leaf;
    let end = index;
    while (end <= last && kinds[from + end] === May.leaf) {
      kinds[from + end] = after;
      end += 1;
      if (!isAligned) break;
    }
    this.#fanOut.leavesCleared(page, level, end - index);
    return end - 1;
  }

  #freeIfEmpty(id: number, index: number, level: number, page: number): void {
    const table = this.#table;
    const child = table.childOf(id, index, level);
    const rest = this.#restOf(child);
    if (rest === Rest.certain) return;
    this.#fanOut.tableFreed(page, level + 1, rest === Rest.none);
    if (rest === Rest.none && this.#isCertain) table.clearEntry(id, index, level, May.invalid);
    else table.store.kinds(id)[table.store.offset(id) + index] = May.invalid | May.table;
  }

  #restOf(child: number): number {
    const { store } = this.#table;
    const kinds = store.kinds(child);
    const from = store.offset(child);
    let rest: number = Rest.none;
    for (let at = from; at < from + store.entriesPerTable; at += 1) {
      if ((kinds[at]! & May.invalid) === 0) return Rest.certain;
      if (kinds[at] !== May.invalid) rest = Rest.possible;
    }
    return rest;
  }

  /** An entry that may be several things. */
  #unclear(id: number, index: number, level: number, page: number, end: number): void {
    const most = this.#most;
    most.leastLeaves = 0;
    most.mostLeaves = 0;
    most.mostTables = 0;
    this.#extent(id, index, level, page, end, most);
    if (most.leastLeaves > 0) this.#fanOut.leavesCleared(page, LAST_LEVEL, most.leastLeaves);
    const leaves = most.mostLeaves - most.leastLeaves;
    this.#fanOut.possiblyCleared(page, end - page, leaves, most.mostTables);
  }

  /** Adds what may go with an entry, and takes it away. */
  #extent(id: number, index: number, level: number, page: number, end: number, sum: Extent): void {
    const table = this.#table;
    const { store } = table;
    const at = store.offset(id) + index;
    const kinds = store.kinds(id)[at]! & KINDS;
    store.kinds(id)[at] = kinds;
    if (kinds === May.invalid) return;
    let least = (kinds & May.invalid) === 0 ? Number.POSITIVE_INFINITY : 0;
    let most = 0;
    let after: number = this.#isCertain ? kinds & May.table : kinds;
    if ((kinds & May.leaf) !== 0) {
      least = Math.min(least, 1);
      most = 1;
    }
    if ((kinds & May.table) !== 0) {
      const below = { leastLeaves: 0, mostLeaves: 0, mostTables: 0 };
      const rest = this.#below(id, index, level, page, end, below);
      least = Math.min(least, below.leastLeaves);
      most = Math.max(most, below.mostLeaves);
      const isFreed = rest !== Rest.certain && this.#canBeFreed(level + 1);
      sum.mostTables += below.mostTables + (isFreed ? 1 : 0);
      if (rest === Rest.none && this.#isCertain) {
        table.clearEntry(id, index, level, May.invalid);
        after = 0;
      }
      if (kinds === May.table && rest === Rest.certain) {
        sum.leastLeaves += least;
        sum.mostLeaves += most;
        return;
      }
    }
    sum.leastLeaves += least;
    sum.mostLeaves += most;
    store.kinds(id)[at] = after | May.invalid;
  }

  /** Tables of the root are not. */
  #canBeFreed(tableLevel: number): boolean {
    const { rootLevel, rootAssumed } = this.#operation;
    return tableLevel > rootLevel || (rootAssumed && tableLevel === rootLevel);
  }

  /** What may go below an entry if it is a table, and what stays there. */
  #below(
    id: number,
    index: number,
    level: number,
    startPage: number,
    endPage: number,
    sum: Extent,
  ): number {
    const table = this.#table;
    const { store, geometry } = table;
    const known = store.child(id)[store.offset(id) + index]!;
    if (known === 0 && endPage - startPage === geometry.spanPages[level]!) {
      sum.mostLeaves += endPage - startPage;
      // Tables below it, without the one that the entry itself would be.
      sum.mostTables += tablesUnder(geometry, level) - 1;
      return Rest.none;
    }
    const child = table.childOf(id, index, level);
    const span = geometry.spanPages[level + 1]!;
    const first = table.indexAt(startPage, level + 1);
    const last = table.indexAt(endPage - 1, level + 1);
    const base = table.alignDown(startPage, level + 1) - first * span;
    for (let at = first; at <= last; at += 1) {
      const page = Math.max(startPage, base + at * span);
      const end = Math.min(endPage, base + (at + 1) * span);
      const open = store.kinds(child)[store.offset(child) + at]! & OPEN;
      if (open !== 0) {
        const grandchild = store.child(child)[store.offset(child) + at]!;
        this.#questions.leave(open, page, level + 1, table, grandchild);
      }
      this.#extent(child, at, level + 1, page, end, sum);
    }
    return this.#restOf(child);
  }
}

interface Extent {
  leastLeaves: number;
  mostLeaves: number;
  mostTables: number;
}

/** What is left in a table after an unmap. */
const Rest = { none: 0, possible: 1, certain: 2 } as const;
