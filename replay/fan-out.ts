import { Path } from "./paths.ts";
import type { OperationContext } from "./policies/operation.ts";
import type { PolicyReplay } from "./policies/policy-replay.ts";
import type { Stage2Context } from "./contexts/context.ts";
import type { Task } from "./operations/task.ts";
import type { Stage2Observer } from "./stage2/observer.ts";

/** The facts of walks that change translations: what FanOut tells its watcher. */
export type ChangeObserver = Pick<
  Stage2Observer,
  | "blockBroken"
  | "leafReplaced"
  | "leafUnclear"
  | "collapsed"
  | "mappedOverUnknown"
  | "blockSplit"
  | "splitOverUnknown"
  | "writeProtected"
  | "unknownWriteProtected"
  | "unknownCleared"
> & {
  leavesCleared(page: number, level: number, count: number): void;
  relaxed(page: number, level: number): void;
  /** A map call put `pages` from `page` into the table, as coarse as alignment and length allow. */
  mapped?(page: number, pages: number): void;
  /** It left what was there as it is: told before `mapped`. */
  leafKept?(page: number, level: number): void;
};

/** Whoever follows every walk, and is told whose it is. */
export interface WalkWatcher {
  /** Where the facts of the walks that follow go. */
  readonly changes: ChangeObserver;
  /** A task is about to carry out a call or a request on a context. */
  entered(task: Task, context: Stage2Context): void;
}

/**
 * Hands the facts of one walk to every policy, with the path that each fact of a fault belongs to (the
 * caller sets it for unmaps and requests).
 */
export class FanOut implements Stage2Observer {
  readonly #policies: readonly PolicyReplay[];
  readonly #operation: OperationContext;
  /** Facts seen since the caller last reset it: nothing was invalidated where it stays 0. */
  facts = 0;
  /** Path of the last fact of a fault, for what was recorded beside it. */
  lastPath: number = Path.unattributed;
  /** Sees the same facts, for a modelled TLB or the phases of a migration; undefined: nobody does. */
  watcher: WalkWatcher | undefined;

  constructor(policies: readonly PolicyReplay[], operation: OperationContext) {
    this.#policies = policies;
    this.#operation = operation;
  }

  leavesCleared(page: number, level: number, count: number): void {
    this.facts += count;
    for (const policy of this.#policies) policy.leavesCleared(page, level, count);
    this.watcher?.changes.leavesCleared(page, level, count);
  }

  tableFreed(page: number, tableLevel: number, certain: boolean): void {
    if (tableLevel > this.#operation.rootLevel) this.facts += 1;
    for (const policy of this.#policies) policy.tableFreed(page, tableLevel, certain);
  }

  unknownCleared(page: number, level: number, pages: number): void {
    this.facts += 1;
    for (const policy of this.#policies) policy.unknownCleared(page, level, pages);
    this.watcher?.changes.unknownCleared(page, level, pages);
  }

  /** Up to so many more leaves and tables may have gone from these pages. */
  possiblyCleared(page: number, pages: number, leaves: number, tables: number): void {
    for (const policy of this.#policies) policy.possiblyCleared(page, pages, leaves, tables);
  }

  pieceEnd(startPage: number, endPage: number): void {
    for (const policy of this.#policies) policy.pieceEnd(startPage, endPage);
  }

  unmapEnd(startPage: number, endPage: number): void {
    for (const policy of this.#policies) policy.unmapEnd(startPage, endPage);
  }

  blockBroken(page: number, level: number): void {
    this.#setPath(Path.split);
    for (const policy of this.#policies) policy.blockBroken(page, level);
    this.watcher?.changes.blockBroken(page, level);
  }

  leafReplaced(page: number, level: number): void {
    this.#setPath(Path.remap);
    for (const policy of this.#policies) policy.leafReplaced(page, level);
    this.watcher?.changes.leafReplaced(page, level);
  }

  leafKept(page: number, level: number, permissionsDiffer: boolean): void {
    this.#setPath(Path.remap);
    for (const policy of this.#policies) policy.leafKept(page, level, permissionsDiffer);
    this.watcher?.changes.leafKept?.(page, level);
  }

  leafUnclear(page: number, level: number): void {
    this.#setPath(Path.remap);
    for (const policy of this.#policies) policy.leafUnclear(page, level);
    this.watcher?.changes.leafUnclear(page, level);
  }

  /** The same where the call failed with -EAGAIN: only kernels that flush permission changes matter. */
  leafKeptUnclear(page: number): void {
    this.#setPath(Path.remap);
    for (const policy of this.#policies) policy.leafKeptUnclear(page);
  }

  collapsed(page: number, level: number, leaves: number, tables: number, uncertain: number): void {
    this.#setPath(Path.collapse);
    for (const policy of this.#policies) policy.collapsed(page, level, leaves, tables, uncertain);
    this.watcher?.changes.collapsed(page, level, leaves, tables, uncertain);
  }

  mappedOverUnknown(page: number, level: number): void {
    this.#setPath(Path.remap);
    for (const policy of this.#policies) policy.mappedOverUnknown(page, level);
    this.watcher?.changes.mappedOverUnknown(page, level);
  }

  blockSplit(page: number, level: number): void {
    this.#setPath(Path.eager_split);
    for (const policy of this.#policies) policy.blockSplit(page, level);
    this.watcher?.changes.blockSplit(page, level);
  }

  splitOverUnknown(page: number, blocks: number): void {
    this.#setPath(Path.eager_split);
    for (const policy of this.#policies) policy.splitOverUnknown(page, blocks);
    this.watcher?.changes.splitOverUnknown(page, blocks);
  }

  writeProtected(page: number, level: number, count: number): void {
    for (const policy of this.#policies) policy.writeProtected(page, level, count);
    this.watcher?.changes.writeProtected(page, level, count);
  }

  unknownWriteProtected(page: number, pages: number): void {
    for (const policy of this.#policies) policy.unknownWriteProtected(page, pages);
    this.watcher?.changes.unknownWriteProtected(page, pages);
  }

  relaxed(page: number, level: number): void {
    this.#setPath(Path.relax);
    for (const policy of this.#policies) policy.relaxed(page, level);
    this.watcher?.changes.relaxed(page, level);
  }

  relaxFailed(page: number): void {
    this.#setPath(Path.relax);
    for (const policy of this.#policies) policy.relaxFailed(page);
  }

  slotFlush(page: number, pages: number): void {
    for (const policy of this.#policies) policy.slotFlush(page, pages);
  }

  vmFlush(reason: "age" | "dirty_ring" | "other"): void {
    for (const policy of this.#policies) policy.vmFlush(reason);
  }

  #setPath(path: number): void {
    this.#operation.path = path;
    this.lastPath = path;
  }
}
