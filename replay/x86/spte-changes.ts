import type { EventBatch } from "../../ingest/events/columns.ts";
import { Path } from "../paths.ts";
import type { X86Books } from "./books.ts";
import type { X86Bracket } from "./bracket.ts";
import { Entry, entryOf, formShownBy, isSameFrame, isWritable, MAX_LEVEL, spanOf } from "./spte.ts";
import type { X86Task } from "./task.ts";

/** Bit 5 of nested paging, bit 8 of EPT: the entry was used. */
const ACCESSED = (1 << 5) | (1 << 8);

/** Turns recorded changes of entries into what happened to leaves and tables, in the order in which it ends. */
export class SpteChanges {
  readonly #books: X86Books;

  constructor(books: X86Books) {
    this.#books = books;
  }

  changed(batch: EventBatch, row: number, task: X86Task): void {
    const gfn = batch.addr[row]!;
    const level = batch.arg0[row]!;
    const oldLow = batch.arg1[row]! | 0;
    const newLow = batch.prot[row]! | 0;
    const isProbe = batch.kvm[row] !== 0;
    if (isProbe) this.#books.isProbed = true;
    if (isToldAgain(isProbe, gfn, level, oldLow, newLow, task)) return;
    if (!(level >= 1 && level <= MAX_LEVEL)) {
      this.#books.badLevel(level, batch.line[row]!);
      return;
    }
    const oldHigh = batch.arg2[row]! | 0;
    const newHigh = batch.protHigh[row]! | 0;
    const form = this.#books.formOf(
      formShownBy(oldLow, level) ?? formShownBy(newLow, level),
      batch.line[row]!,
    );
    const before = entryOf(oldLow, oldHigh, level, form);
    const after = entryOf(newLow, newHigh, level, form);
    const space = Number.isNaN(batch.arg3[row]!) ? 0 : batch.arg3[row]!;
    const table = this.#books.tableOf(task, space);
    // Newer kernels trace a change after all that lies below it.
    const isOver = !isProbe && this.#books.isProbed && before !== after;
    if (isOver && table.at(gfn, level) === after) return;
    this.closeTablesOutside(task, gfn, level);
    if (before === Entry.empty && after === Entry.empty) return;
    const { bracket } = task;
    if (!bracket.isOpen) {
      this.#books.open(task, Path.unattributed, batch.line[row]!, batch.kvm[row]!);
    }
    const { refills } = this.#books;
    refills?.changing(this.#books.vmOf(task), table, space, bracket);
    const joinable = table.joinableLevel(gfn);
    table.change(gfn, level, before, after);
    bracket.changes += 1;
    if (refills !== undefined) {
      const isKept = before === Entry.leaf && after === Entry.leaf;
      const isSame = isKept && isSameFrame(oldLow, oldHigh, newLow, newHigh);
      const isProtected = isSame && isWritable(oldLow) && !isWritable(newLow);
      if (!isSame || isProtected) {
        const vm = this.#books.vmOf(task);
        refills.changed(vm, task, space, gfn, level, before, after, isProtected);
      }
    }
    if (before === Entry.table && after !== Entry.table) {
      this.#tableRemoved(bracket, gfn, level);
    } else if (before === Entry.leaf) {
      const isSame = after === Entry.leaf && isSameFrame(oldLow, oldHigh, newLow, newHigh);
      if (isSame) this.#leafChanged(bracket, oldLow, newLow);
      else this.#leafGone(task, gfn, level, after, joinable);
    }
  }

  /** Everything below the tables that were being removed is gone. */
  closeTables(task: X86Task): void {
    this.closeTablesOutside(task, -1, 0);
  }

  /** The tables that were being removed and do not hold this entry are gone. */
  closeTablesOutside(task: X86Task, gfn: number, level: number): void {
    const { bracket } = task;
    const { removedGfn, removedLevel } = bracket;
    for (let top = removedGfn.length - 1; top >= 0; top -= 1) {
      const topGfn = removedGfn[top]!;
      const topLevel = removedLevel[top]!;
      const isInside = level < topLevel && gfn >= topGfn && gfn < topGfn + spanOf(topLevel);
      if (isInside) return;
      removedGfn.pop();
      removedLevel.pop();
      for (const policy of this.#books.policies) {
        policy.tableDone(bracket, topGfn, topLevel, top === 0);
      }
    }
  }

  #tableRemoved(bracket: X86Bracket, gfn: number, level: number): void {
    const isOutermost = bracket.removedGfn.length === 0;
    bracket.tables += 1;
    this.#books.tablesRemoved += 1;
    if (bracket.path === Path.collapse) bracket.faultPath = Path.collapse;
    bracket.removedGfn.push(gfn - (gfn % spanOf(level)));
    bracket.removedLevel.push(level);
    for (const policy of this.#books.policies) {
      policy.changed(bracket);
      policy.tableRemoved(bracket, gfn, level, isOutermost);
    }
  }

  /** Write permission or the accessed bit went. */
  #leafChanged(bracket: X86Bracket, oldLow: number, newLow: number): void {
    if (isWritable(oldLow) && !isWritable(newLow)) {
      for (const policy of this.#books.policies) policy.changed(bracket);
    }
    if ((oldLow & ACCESSED & ~newLow) !== 0) bracket.aged += 1;
  }

  #leafGone(task: X86Task, gfn: number, level: number, after: number, joinable: number): void {
    const { bracket } = task;
    if (after === Entry.table) {
      if (task.isSplitting || bracket.path !== Path.collapse) return;
      bracket.faultPath = Path.split;
      for (const policy of this.#books.policies) policy.leafSplit(bracket, gfn, level);
      return;
    }
    const isNested = bracket.removedGfn.length > 0;
    if (bracket.path === Path.collapse && !isNested) bracket.faultPath = Path.split;
    for (const policy of this.#books.policies) {
      policy.changed(bracket);
      policy.leafZapped(bracket, gfn, level, isNested, joinable);
    }
  }
}

/** A tracepoint tells what the probe of the function around it has just told. */
function isToldAgain(
  isProbe: boolean,
  gfn: number,
  level: number,
  oldLow: number,
  newLow: number,
  task: X86Task,
): boolean {
  const isSame =
    !isProbe &&
    task.toldGfn === gfn &&
    task.toldLevel === level &&
    task.toldOldLow === oldLow &&
    task.toldNewLow === newLow;
  task.toldGfn = isProbe ? gfn : -1;
  task.toldLevel = level;
  task.toldOldLow = oldLow;
  task.toldNewLow = newLow;
  return isSame;
}
