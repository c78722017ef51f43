import { Path } from "../paths.ts";
import { Certainty } from "../policies/flush-queue.ts";
import { Primitive } from "../tlbi/primitives.ts";
import type { PolicyBooks, X86Bracket } from "./bracket.ts";
import type { RunningVcpus } from "./guests.ts";
import type { X86Policy, X86PolicyFlags } from "./policies/flags.ts";
import { spanOf } from "./spte.ts";

/** Pages of a flush that names none. */
const WHOLE_VM = 0;

/** Sums of a policy over a trace, beside its calls. */
export interface X86Costs {
  /** Removed tables whose flush was put off, and most of them at one time. */
  tablesDeferred: number;
  tablesWaitingMax: number;
  /** Longest time from the removal of a table to the flush that covers it. */
  waitNsMax: number;
  /** Flushes before a yield, after which the walk went on. */
  yields: number;
  /** Flushes that interrupt a running vCPU, and interrupts that they send in all. */
  kicks: number;
  interrupts: number;
}

/** Turns what happened to the tables into the flushes of one policy. */
export class X86PolicyReplay {
  readonly policy: X86Policy;
  readonly costs: X86Costs = {
    tablesDeferred: 0,
    tablesWaitingMax: 0,
    waitNsMax: 0,
    yields: 0,
    kicks: 0,
    interrupts: 0,
  };
  readonly #flags: X86PolicyFlags;
  readonly #index: number;
  /** Time of the event at hand. */
  nowNs = 0;

  readonly #running: RunningVcpus;

  constructor(policy: X86Policy, index: number, running: RunningVcpus) {
    this.policy = policy;
    this.#running = running;
    this.#flags = policy.flags;
    this.#index = index;
  }

  /** An entry that was present changed or went. */
  changed(bracket: X86Bracket): void {
    const books = this.#of(bracket);
    if (books.hasYielded) {
      books.yields += 1;
      books.hasYielded = false;
    }
    switch (bracket.path) {
      case Path.unmap:
      case Path.zap:
      case Path.unattributed:
      case Path.enable_log:
      case Path.remap:
        books.owes = true;
        break;
      case Path.memslot:
        books.owes = !bracket.rootsInvalidated || this.#flags.slotZap === "flush";
        break;
      case Path.teardown:
        books.owes = this.#flags.teardown === "flush";
        break;
      case Path.disable_log:
        books.owes = this.#flags.collapsible === "leaves" || this.#flags.collapsible === "recover";
        break;
      default:
        break;
    }
  }

  /** A leaf was zapped; `isNested`: with the table that held it. `joinable`: level of the leaf that it may join. */
  leafZapped(
    bracket: X86Bracket,
    gfn: number,
    level: number,
    isNested: boolean,
    joinable: number,
  ): void {
    if (bracket.path === Path.collapse) {
      if (!isNested && level > 1) this.#splitByFault(bracket, gfn, level);
      return;
    }
    if (bracket.path !== Path.disable_log) return;
    const { collapsible } = this.#flags;
    if (collapsible === "each-leaf") this.#emit(bracket, gfn, spanOf(level));
    else if (collapsible === "each-table" && !isNested && level < joinable) {
      this.#zapRegion(bracket, gfn, joinable);
    }
  }

  /** A fault replaced a huge leaf by a table. */
  leafSplit(bracket: X86Bracket, gfn: number, level: number): void {
    if (bracket.path === Path.collapse) this.#splitByFault(bracket, gfn, level);
  }

  /** A table was removed; `isOutermost`: not with a table above it. */
  tableRemoved(bracket: X86Bracket, gfn: number, level: number, isOutermost: boolean): void {
    const books = this.#of(bracket);
    if (books.waiting === 0) books.waitingSinceNs = this.nowNs;
    books.waiting += 1;
    this.costs.tablesDeferred += 1;
    this.costs.tablesWaitingMax = Math.max(this.costs.tablesWaitingMax, books.waiting);
    if (bracket.path !== Path.disable_log || !isOutermost) return;
    // Newer kernels trace what lay below before the table itself.
    if (this.#flags.collapsible === "each-table") this.#zapRegion(bracket, gfn, level);
  }

  /** All below a removed table is gone. */
  tableDone(bracket: X86Bracket, gfn: number, level: number, isOutermost: boolean): void {
    // When logging ends, what is flushed for is what `collapsible` says.
    if (bracket.path === Path.disable_log) return;
    const { removedTable } = this.#flags;
    if (removedTable === "each-table") this.#emit(bracket, gfn, spanOf(level));
    else if (isOutermost && (removedTable === "each-zap" || bracket.path === Path.collapse)) {
      addZap(this.#of(bracket), gfn, level);
    }
  }

  /**
   * The thread flushed without naming a range, in the middle of a walk or at its end: where one is owed, that
   * is what pays it, and if the walk goes on it was a yield.
   */
  flushed(bracket: X86Bracket, canYield: boolean): void {
    if (!canYield) return;
    const books = this.#of(bracket);
    if (!books.owes && this.#flags.yieldFlush !== "always") return;
    if (!books.owes && bracket.path !== Path.disable_log) return;
    this.#emitZaps(bracket);
    this.#emit(bracket, 0, WHOLE_VM);
    books.owes = false;
    books.hasYielded = true;
  }

  /** The operation ends. @param mayHaveYielded times that it may have flushed before, at most. */
  ended(bracket: X86Bracket, mayHaveYielded: number): void {
    const books = this.#of(bracket);
    const flags = this.#flags;
    this.#emitZaps(bracket);
    switch (bracket.path) {
      case Path.enable_log:
        if (bracket.slotProtected && (flags.enableLog === "always" || books.owes)) {
          this.#emitSlot(bracket);
        }
        break;
      case Path.dirty_log:
        if (bracket.maskedWords > 0) this.#emitSlot(bracket);
        break;
      case Path.age:
        if (bracket.aged > 0 && flags.age === "flush") this.#allow(bracket, 1);
        break;
      case Path.unattributed:
        if (books.owes) this.#allow(bracket, 1);
        break;
      case Path.disable_log:
        if (books.owes && flags.collapsible === "recover") this.#emitSlot(bracket);
        else if (books.owes) this.#emit(bracket, 0, WHOLE_VM);
        break;
      default:
        if (books.owes) this.#emit(bracket, 0, WHOLE_VM);
    }
    if (mayHaveYielded > 0) this.#allow(bracket, mayHaveYielded);
    this.costs.yields += books.yields;
  }

  /** One flush for each zapped entry that had tables below. */
  #emitZaps(bracket: X86Bracket): void {
    const { zappedGfn, zappedLevel } = this.#of(bracket);
    const isNamed = this.#flags.removedTable === "caller";
    for (const [i, gfn] of zappedGfn.entries()) {
      this.#emit(bracket, gfn, isNamed ? spanOf(zappedLevel[i]!) : WHOLE_VM);
    }
    zappedGfn.length = 0;
    zappedLevel.length = 0;
  }

  #splitByFault(bracket: X86Bracket, gfn: number, level: number): void {
    if (this.#flags.faultSplit === "flush") this.#emit(bracket, gfn, spanOf(level), Path.split);
  }

  /** One zapped entry for all the small leaves that a huge one can take the place of. */
  #zapRegion(bracket: X86Bracket, gfn: number, level: number): void {
    const books = this.#of(bracket);
    const first = gfn - (gfn % spanOf(level));
    if (books.regionGfn === first && books.regionLevel === level) return;
    books.regionGfn = first;
    books.regionLevel = level;
    this.#emit(bracket, first, spanOf(level));
  }

  #emitSlot(bracket: X86Bracket): void {
    this.#emit(bracket, bracket.slotGfn, this.#flags.hyperv ? bracket.slotPages : WHOLE_VM);
  }

  #emit(bracket: X86Bracket, gfn: number, pages: number, path: number = bracket.path): void {
    const books = this.#of(bracket);
    const isRange = this.#flags.hyperv && pages > 0;
    const primitive = isRange ? Primitive.RANGE : Primitive.VM;
    const page = pages > 0 ? gfn : 0;
    const running = this.#running.count(bracket.kvm);
    if (running > 0) this.costs.kicks += 1;
    this.costs.interrupts += running;
    books.queue.push(primitive, path, Certainty.certain, page, pages, 1, 0, 0);
    if (books.waiting > 0) {
      const waitNs = this.nowNs - books.waitingSinceNs;
      this.costs.waitNsMax = Math.max(this.costs.waitNsMax, waitNs);
      // A table's own flush is for that table; any other is for all that wait.
      books.waiting = this.#flags.removedTable === "each-table" ? books.waiting - 1 : 0;
      books.waitingSinceNs = this.nowNs;
    }
  }

  #allow(bracket: X86Bracket, calls: number): void {
    const { queue } = this.#of(bracket);
    queue.push(Primitive.VM, bracket.path, Certainty.atMost, 0, 0, calls, 0, 0);
  }

  #of(bracket: X86Bracket): PolicyBooks {
    return bracket.books[this.#index]!;
  }
}

/** Zapped entries inside of one that is zapped with them are told before it by newer kernels. */
function addZap({ zappedGfn, zappedLevel }: PolicyBooks, gfn: number, level: number): void {
  const end = gfn + spanOf(level);
  while (zappedGfn.length > 0 && zappedGfn.at(-1)! >= gfn && zappedGfn.at(-1)! < end) {
    zappedGfn.pop();
    zappedLevel.pop();
  }
  zappedGfn.push(gfn);
  zappedLevel.push(level);
}
