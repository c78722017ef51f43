import type { Geometry } from "../stage2/geometry.ts";
import type { Stage2Observer } from "../stage2/observer.ts";
import { Primitive } from "../tlbi/primitives.ts";
import { CallEmitter } from "./call-emitter.ts";
import type { CpuFeatures } from "./features.ts";
import type { Policy, PolicyFlags } from "./flags.ts";
import { Certainty, UNKNOWN_LEVEL } from "./flush-queue.ts";
import type { OperationContext } from "./operation.ts";
import { UnmapScope, WriteProtectLedger } from "./pending.ts";

const { VM, IPA, IPA_LOCAL, RANGE } = Primitive;

/** What relaxing a leaf's permissions met; levels ≥ 0 are the leaf's. */
export const RelaxOutcome = { noLeaf: -1, unknown: -2 } as const;

/**
 * One policy, turning the facts of each walk into invalidation calls (`queue`).
 *
 * Order of calls per unmap operation: the walk's facts and `pieceEnd` per piece, then `unmapEnd`.
 * Every other operation is a walk (or none) and, for requests, `slotFlush` or `vmFlush`. The engine
 * sets `operation` before, and reads and clears `queue` after.
 */
export class PolicyReplay extends CallEmitter implements Stage2Observer {
  /** What the open unmap operation has removed: the engine points it at the operation's, like `queue`. */
  scope: UnmapScope = new UnmapScope();
  /** The unmap mode after falling back where the CPU lacks a feature. */
  readonly #unmap: PolicyFlags["unmap"];
  readonly #protectedLeaves: WriteProtectLedger = new WriteProtectLedger();

  constructor(
    policy: Policy,
    features: CpuFeatures,
    geometry: Geometry,
    operation: OperationContext,
  ) {
    super(policy, features, geometry, operation);
    const defers = features.tlbirange && (features.fwb || !policy.flags.deferNeedsFwb);
    this.#unmap = policy.flags.unmap === "deferred" && !defers ? "leaf" : policy.flags.unmap;
  }

  // ── unmap ────────────────────────────────────────────────────────────────────────────────────

  leavesCleared(page: number, level: number, count: number): void {
    const span = this.geometry.spanPages[level]!;
    if (this.#unmap === "leaf") this.ipaRun(page, level, count, span);
    else {
      // A leaf goes as a whole, also where the walk entered it in its middle.
      const first = page - (page % span);
      this.#remove(first, first + count * span, true);
    }
  }

  tableFreed(page: number, tableLevel: number, certain: boolean): void {
    const { rootLevel, rootAssumed } = this.operation;
    const inRoot = tableLevel <= rootLevel;
    if (inRoot && (!rootAssumed || tableLevel < rootLevel)) return;
    if (!inRoot && this.#unmap !== "leaf") this.#remove(page, page + 1, certain);
    const flushes =
      this.#unmap === "leaf" ||
      this.#unmap === "threshold" ||
      (this.#unmap === "deferred" && this.flags.deferredTableFlush);
    if (!flushes) return;
    let certainty: number = certain ? Certainty.certain : Certainty.atMost;
    if (inRoot) certainty = Certainty.ifRootIsHigher;
    const level = this.flags.tableHint === "parent-level" ? tableLevel - 1 : this.noHint;
    this.push(IPA, certainty, page, 1, 1, 0, level);
  }

  unknownCleared(page: number, level: number, pages: number): void {
    this.possiblyCleared(page, pages, pages, this.tablesBelow(level));
  }

  /** Up to `leaves` leaves and `tables` tables more than were reported may have gone from these pages. */
  possiblyCleared(page: number, pages: number, leaves: number, tables: number): void {
    if (this.#unmap === "leaf") this.atMost(IPA, page, leaves + tables);
    else if (this.#unmap === "deferred") {
      if (this.flags.deferredTableFlush) this.atMost(IPA, page, tables);
    } else {
      if (this.#unmap === "threshold") this.atMost(IPA, page, tables);
      this.#remove(page, page + pages, false);
    }
  }

  #remove(firstPage: number, endPage: number, isCertain: boolean): void {
    const { isPossible } = this.operation;
    this.scope.remove(firstPage, endPage, this.topLevelSpan(), isCertain && isPossible !== true);
  }

  /** The kernel's walk of [startPage, endPage) is over: `kvm_pgtable_stage2_unmap` returns. */
  pieceEnd(startPage: number, endPage: number): void {
    if (this.#unmap !== "deferred") return;
    // A kernel with smaller pieces than the recorded one walks and flushes each of its own.
    const chunk = this.chunkPages();
    for (let page = startPage; page < endPage; ) {
      const end = Math.min(endPage, (Math.floor(page / chunk) + 1) * chunk);
      this.flushRange(page, end - page, Certainty.certain);
      page = end;
    }
  }

  /** The whole unmap request [startPage, endPage) is done (stage2_apply_range returns). */
  unmapEnd(startPage: number, endPage: number): void {
    const scope = this.scope;
    if (scope.isTouched) {
      const certainty = scope.isCertain ? Certainty.certain : Certainty.atMost;
      if (this.#unmap === "threshold") this.#flushByThreshold(startPage, endPage);
      else if (this.#unmap === "vmid") this.push(VM, certainty, 0, 0, 1, 0, 0);
      else if (this.#unmap === "range") this.flushRange(startPage, endPage - startPage, certainty);
      else if (this.#unmap === "exact") {
        this.flushRange(scope.firstPage, scope.endPage - scope.firstPage, certainty);
      }
    }
    scope.reset();
  }

  /** Zhenyu Ye's RFC: per top-level entry that held something, its pages singly or one VM. */
  #flushByThreshold(startPage: number, endPage: number): void {
    const span = this.topLevelSpan();
    const { entries, entryCounts, isEntryCertain } = this.scope;
    const flush = (entry: number, count: number, certainty: number): void => {
      const page = Math.max(startPage, entry * span);
      const pages = Math.min(endPage, (entry + 1) * span) - page;
      if (pages >= this.flags.unmapThresholdPages) this.push(VM, certainty, 0, 0, count, 0, 0);
      else this.push(RANGE, certainty, page, pages, count, span, 0);
    };
    for (const [at, entry] of entries.entries()) {
      const certainty = isEntryCertain[at] === true ? Certainty.certain : Certainty.atMost;
      const count = entryCounts[at]!;
      // The request may begin and end within an entry; those between are whole.
      flush(entry, 1, certainty);
      if (count > 2) flush(entry + 1, count - 2, certainty);
      if (count > 1) flush(entry + count - 1, 1, certainty);
    }
  }

  // ── faults ───────────────────────────────────────────────────────────────────────────────────

  blockBroken(page: number, level: number): void {
    this.#leafChange(page, level);
  }

  leafReplaced(page: number, level: number): void {
    this.#leafChange(page, level);
  }

  blockSplit(page: number, level: number): void {
    this.#leafChange(page, level);
  }

  leafKept(page: number, level: number, permissionsDiffer: boolean): void {
    if (permissionsDiffer && this.flags.permissionMap === "flush") this.#leafChange(page, level);
  }

  leafUnclear(page: number, _level: number): void {
    this.atMost(this.#leafChangePrimitive(), page, 1);
  }

  leafKeptUnclear(page: number): void {
    if (this.flags.permissionMap === "flush") this.atMost(this.#leafChangePrimitive(), page, 1);
  }

  collapsed(page: number, level: number, leaves: number, tables: number, uncertain: number): void {
    const span = this.geometry.spanPages[level]!;
    const blockPage = page - (page % span);
    if (this.flags.collapse === "unmap") {
      this.push(IPA, Certainty.certain, blockPage, 1, leaves + tables, 0, this.noHint);
      if (uncertain > 0) this.atMost(IPA, blockPage, uncertain);
    } else if (this.flags.collapse === "vmid") this.push(VM, Certainty.certain, 0, 0, 1, 0, 0);
    else {
      const start = this.flags.collapseStart === "block" ? blockPage : page;
      this.flushRange(start, span, Certainty.certain);
    }
  }

  mappedOverUnknown(page: number, level: number): void {
    const span = this.geometry.spanPages[level]!;
    this.atMost(this.#leafChangePrimitive(), page, 1);
    if (level === 3) return;
    if (this.flags.collapse === "unmap") this.atMost(IPA, page, span + this.tablesBelow(level));
    else if (this.flags.collapse === "vmid") this.atMost(VM, 0, 1);
    else this.flushRange(page - (page % span), span, Certainty.atMost);
  }

  splitOverUnknown(page: number, blocks: number): void {
    this.atMost(this.#leafChangePrimitive(), page, blocks);
  }

  /** A permission fault's `relax_perms`; `level` of the leaf, or a RelaxOutcome. */
  relaxed(page: number, level: number): void {
    const hint = level === RelaxOutcome.unknown ? UNKNOWN_LEVEL : level;
    this.#relaxCall(page, hint === UNKNOWN_LEVEL ? hint : this.leafHint(hint));
  }

  /** The same when it failed with -EAGAIN: the walk's level is not handed on, even if it found a leaf. */
  relaxFailed(page: number): void {
    const { relaxOnEagain } = this.flags;
    if (relaxOnEagain === "none") return;
    this.#relaxCall(page, relaxOnEagain === "flush" ? this.noHint : UNKNOWN_LEVEL);
  }

  #relaxCall(page: number, level: number): void {
    const { relax } = this.flags;
    if (relax === "vmid") this.push(VM, Certainty.certain, 0, 0, 1, 0, 0);
    else if (relax === "range") this.flushRange(page, 1, Certainty.certain);
    else this.push(relax === "ipa" ? IPA : IPA_LOCAL, Certainty.certain, page, 1, 1, 0, level);
  }

  #leafChange(page: number, level: number): void {
    const span = this.geometry.spanPages[level]!;
    if (this.flags.leafChange === "ipa") this.ipaRun(page, level, 1, span);
    else if (this.flags.leafChange === "vmid") this.push(VM, Certainty.certain, 0, 0, 1, 0, 0);
    else this.flushRange(page - (page % span), span, Certainty.certain);
  }

  #leafChangePrimitive(): number {
    if (this.flags.leafChange === "ipa") return IPA;
    return this.flags.leafChange === "range" && this.features.tlbirange ? RANGE : VM;
  }

  // ── dirty logging, ageing ────────────────────────────────────────────────────────────────────

  writeProtected(page: number, level: number, count: number): void {
    const end = page + count * this.geometry.spanPages[level]!;
    this.#protectedLeaves.add(this.operation.contextId, page, end, count);
  }

  unknownWriteProtected(page: number, pages: number): void {
    this.#protectedLeaves.addUnknown(this.operation.contextId, page, page + pages, pages);
  }

  /**
   * Generic code asks for a memslot's invalidation after write-protecting it; NaN pages: which memslot
   * the trace does not show.
   */
  slotFlush(page: number, pages: number): void {
    const pending = this.#protectedLeaves.take(this.operation.contextId);
    const { logFlush } = this.flags;
    if (logFlush === "vmid") this.push(VM, Certainty.certain, 0, 0, 1, 0, 0);
    else if (logFlush === "range") this.flushSlot(page, pages);
    else if (logFlush === "leaves") {
      if (pending.leaves > 0) {
        this.push(IPA, Certainty.certain, pending.firstPage, 1, pending.leaves, 0, this.noHint);
      }
      if (pending.unknownPages > 0) this.atMost(IPA, pending.firstPage, pending.unknownPages);
    } else if (pending.leaves > 0 || pending.unknownPages > 0) {
      const certainty = pending.leaves > 0 ? Certainty.certain : Certainty.atMost;
      this.flushRange(pending.firstPage, pending.endPage - pending.firstPage, certainty);
    }
  }

  /** Generic code asks for the whole VM: ageing that found a young page, dirty ring reset. */
  vmFlush(reason: "age" | "dirty_ring" | "other"): void {
    if (reason === "age" && this.flags.age === "none") return;
    if (reason === "dirty_ring" && this.flags.ringReset === "none") return;
    // Nothing that was write-protected before is stale after this.
    this.#protectedLeaves.take(this.operation.contextId);
    this.push(VM, Certainty.certain, 0, 0, 1, 0, 0);
  }
}
