import type { FanOut } from "../fan-out.ts";
import type { OperationContext } from "../policies/operation.ts";
import { LAST_LEVEL } from "../stage2/geometry.ts";
import { KINDS, May, OPEN, Open } from "./bound-store.ts";
import type { BoundTable } from "./bound-table.ts";
import { InferenceClass, type InferenceCounts } from "./classes.ts";

/**
 * Answers what earlier faults left open (`Open`), with the calls of each answer: certain where a later
 * fault shows what happened, "at most" where nothing does.
 */
export class OpenQuestions {
  readonly #fanOut: FanOut;
  readonly #operation: OperationContext;
  readonly #counts: InferenceCounts;

  constructor(fanOut: FanOut, operation: OperationContext, counts: InferenceCounts) {
    this.#fanOut = fanOut;
    this.#operation = operation;
    this.#counts = counts;
  }

  /** A fault below the entry shows that it is a table still. */
  wasTable(open: number, page: number, level: number): void {
    if (open === Open.relaxBelow) {
      this.#counts.add(InferenceClass.relaxed);
      this.#emit(false, () => this.#fanOut.relaxed(page, LAST_LEVEL));
    } else if (open === Open.relaxBlock) {
      this.#counts.add(InferenceClass.broken);
      this.#emit(false, () => this.#fanOut.blockBroken(page, level));
    }
  }

  /** A fault on the entry shows that it is a block. */
  wasBlock(open: number, page: number, level: number, table: BoundTable, child: number): void {
    if (open === Open.relaxBlock) {
      this.#counts.add(InferenceClass.relaxed);
      this.#emit(false, () => this.#fanOut.relaxed(page, level));
    } else if (open !== 0) {
      this.#counts.add(InferenceClass.collapsed);
      this.#emit(false, () => this.#collapse(page, level, table, child));
    }
  }

  /** Nothing will show it any more. */
  leave(open: number, page: number, level: number, table: BoundTable, child: number): void {
    if (open === 0) return;
    if (open === Open.collapse) this.maybeCollapsed(page, level, table, child);
    else if (open === Open.relaxBelow) {
      this.maybeRelaxed(page, LAST_LEVEL);
      this.maybeCollapsed(page, level, table, child);
    } else {
      this.maybeRelaxed(page, level);
      this.maybeBroken(page, level);
    }
  }

  maybeRelaxed(page: number, level: number): void {
    this.#counts.add(InferenceClass.maybeRelaxed);
    this.#emit(true, () => this.#fanOut.relaxed(page, level));
  }

  maybeBroken(page: number, level: number): void {
    this.#counts.add(InferenceClass.maybeBroken);
    this.#emit(true, () => this.#fanOut.blockBroken(page, level));
  }

  maybeCollapsed(page: number, level: number, table: BoundTable, child: number): void {
    this.#counts.add(InferenceClass.maybeCollapsed);
    this.#emit(true, () => this.#collapse(page, level, table, child));
  }

  /** Leaves every question of a table open for good: the trace ends, or what follows was lost. */
  leaveAll(table: BoundTable): void {
    for (const [run, id] of table.roots) {
      this.#leaveBelow(table, id, table.geometry.topLevel, run * table.rootRunPages);
    }
  }

  #leaveBelow(table: BoundTable, id: number, level: number, firstPage: number): void {
    if (level === LAST_LEVEL) return;
    const { store, geometry } = table;
    const from = store.offset(id);
    for (let index = 0; index < geometry.entriesPerTable; index += 1) {
      const kinds = store.kinds(id)[from + index]!;
      const child = store.child(id)[from + index]!;
      const page = firstPage + index * geometry.spanPages[level]!;
      this.leave(kinds & OPEN, page, level, table, child);
      store.kinds(id)[from + index] = kinds & KINDS;
      if (child !== 0) this.#leaveBelow(table, child, level + 1, page);
    }
  }

  #collapse(page: number, level: number, table: BoundTable, child: number): void {
    let certain = 0;
    let possible = 0;
    if (child === 0) possible = table.geometry.spanPages[level]!;
    else {
      const { store } = table;
      const from = store.offset(child);
      for (let at = from; at < from + store.entriesPerTable; at += 1) {
        const kinds = store.kinds(child)[at]! & KINDS;
        if (kinds === May.invalid) continue;
        // Below a 1 GiB entry each may be a whole table.
        if (level + 1 < LAST_LEVEL) possible += 1 + table.geometry.spanPages[level + 1]!;
        else if ((kinds & May.invalid) === 0) certain += 1;
        else possible += 1;
      }
    }
    // The page of the fault itself was not there before.
    const leaves = Math.max(0, certain - 1);
    this.#fanOut.collapsed(page, level, leaves, 1, possible + (certain - leaves));
  }

  #emit(isPossible: boolean, tell: () => void): void {
    const { path, isPossible: before } = this.#operation;
    this.#operation.isPossible = isPossible;
    tell();
    this.#operation.path = path;
    this.#operation.isPossible = before ?? false;
  }
}
