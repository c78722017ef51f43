import type { DurationSummary } from "../../ingest/durations.ts";
import type { FlushRow } from "../results.ts";

/**
 * What one trace gives a migration estimate, by virtual machine. Nothing in here is a cost: counts, times as
 * recorded, and what the trace cannot say. Times are nanoseconds since the trace's `baseNs`, ranges half open.
 */
export interface TraceInputs {
  /** Of every VM that the trace shows, those whose dirty logging it shows first. */
  readonly vms: readonly VmInputs[];
  /** Pages of the host: the unit of every page count here. */
  readonly pageBytes: number;
  /** Seconds of the trace's clock, to the microsecond, from which all times here are counted. */
  readonly baseS: number;
  readonly firstNs: number;
  readonly lastNs: number;
  /**
   * How long functions took over the whole trace, by name, where its tracer says so (function_graph): holds of
   * calls whose arguments, and so whose VM and phase, are not in it.
   */
  readonly durations: ReadonlyMap<string, DurationSummary>;
  /** What holds for the whole trace: lost events, probes that are not there. */
  readonly unknown: readonly Unknown[];
}

/** A quantity that the trace cannot give, and why. `quantity` is a name that a report may print. */
export interface Unknown {
  readonly quantity: string;
  readonly because: string;
}

/**
 * `recorded`: an event of the trace says so; `inferred`: it follows from what happened around it;
 * `given`: an option says so.
 */
export type Confidence = "recorded" | "inferred" | "given";

/** Why a phase begins or ends where it does. `line` of the trace; undefined where no single event says it. */
export interface Evidence {
  readonly what: string;
  readonly line: number | undefined;
  readonly confidence: Confidence;
}

/**
 * `run`: logging is off; `pass`: logging is on and the vCPUs run; `blackout`: logging is on and the vCPUs are
 * stopped for good or until roll-back; `rollback`: logging was switched off on a VM that lives on, until the
 * last collapse; `after`: what follows on a VM that does not run any more.
 */
export const PHASES = ["run", "pass", "blackout", "rollback", "after"] as const;
export type PhaseName = (typeof PHASES)[number];

/** One stretch of a VM's life. Phases follow each other without gap or overlap. */
export interface Phase {
  readonly name: PhaseName;
  /** Of `pass`: its number, from 1. */
  readonly pass: number | undefined;
  readonly startNs: number;
  readonly endNs: number;
  readonly start: Evidence;
  readonly end: Evidence;
  readonly facts: PhaseFacts;
}

/** What the trace shows inside one phase. */
export interface PhaseFacts {
  /**
   * What each policy issues in the phase, and `recorded`: as in the result of a replay, by path and
   * primitive. `unknown_calls` more are possible.
   */
  readonly flushes: readonly FlushRow[];
  /** Faults that gave a page of a logged memslot its write permission: one a page and write-protection. */
  readonly writeFaults: number;
  /** Distinct pages among them. A page that stayed writable from before does not fault: a lower bound. */
  readonly dirtiedPages: number;
  /** Of these, pages that no fault of the logging had dirtied before. */
  readonly newlyDirtiedPages: number;
  /** Faults that mapped, without write permission or while nothing was logged. */
  readonly otherFaults: number;
  readonly blocksBroken: number;
  /** Blocks that KVM split eagerly. */
  readonly blocksSplit: number;
  readonly collapses: number;
  readonly unmaps: number;
  /** Leaves that unmaps took away. */
  readonly unmappedLeaves: number;
  /** GET or CLEAR_DIRTY_LOG calls that write-protected something, as sequences of one memslot. */
  readonly clears: number;
  /** Pages that their masks named. */
  readonly clearedPages: number;
  /** By kind of call, from its entry to its return; none where returns are not recorded. */
  readonly holds: Readonly<Partial<Record<HoldKind, Hold>>>;
  /** Time that vCPUs were inside KVM for a stage-2 fault, summed over vCPUs; NaN without kvm_entry and kvm_exit. */
  readonly faultNs: number;
  readonly faults: number;
}

/**
 * Calls that hold mmu_lock, by what they turned out to be. `clear`: from the first write-protection of a
 * GET or CLEAR to its last return, which is one hold (the lock may be dropped in between from time to time).
 */
export const HOLD_KINDS = [
  "collapse",
  "break_block",
  "map",
  "relax",
  "unmap",
  "clear",
  "enable_log",
  "split",
] as const;
export type HoldKind = (typeof HOLD_KINDS)[number];

/**
 * Time inside calls: an upper bound of the hold of the function (probes add to it, the lock's own waiting lies
 * outside it).
 */
export interface Hold extends DurationSummary {
  readonly sumNs: number;
  /** Of the longest: where it is in the trace. */
  readonly maxLine: number;
  /** `shared` from 6.2 on for faults: such holds do not exclude each other. */
  readonly lock: "exclusive" | "shared" | "unknown";
}

/** One pass of the VMM over the memory: what was dirty is cleared once, and sent. */
export interface PassInput {
  readonly number: number;
  readonly startNs: number;
  readonly endNs: number;
  /** Its clearing lies in the blackout. */
  readonly isInBlackout: boolean;
  readonly clears: readonly ClearInput[];
  /** Pages that the masks of its GET or CLEAR calls named: what the VMM's bitmap held (pass 1: all, where it begins set). */
  readonly clearedPages: number;
  /** Pages dirtied after they were cleared in this pass and before they are cleared again: what the next pass has to send. */
  readonly dirtiedPages: number;
}

/** One GET or CLEAR_DIRTY_LOG call that write-protected something. */
export interface ClearInput {
  readonly startNs: number;
  /** Of its last write-protection's return. */
  readonly endNs: number;
  readonly line: number;
  readonly slotPages: number;
  /** Half-open range of IPA pages that the masks span. */
  readonly firstPage: number;
  readonly endPage: number;
  readonly words: number;
  readonly pages: number;
  readonly isInBlackout: boolean;
}

/** Distinct pages dirtied over time: `pages[i]` until `tNs[i]`. */
export interface DirtyCurve {
  readonly startNs: number;
  /** Ascending; at most 257 points. */
  readonly tNs: Float64Array;
  readonly pages: Float64Array;
}

/** Unique pages dirtied in a fixed interval while logging was on. */
export interface DirtyInterval {
  readonly startNs: number;
  readonly endNs: number;
  readonly dirtiedPages: number;
  readonly newlyDirtiedPages: number;
  /** Pages write-protected in it: a rate means little where none were. */
  readonly clearedPages: number;
}

/** A block that was broken (by a fault, or split eagerly) while logging was on, and what became of it. */
export interface BlockInput {
  readonly page: number;
  readonly spanPages: number;
  readonly brokenNs: number;
  /** Valid leaves below it when it was collapsed, or at the end of logging (of the trace, the VM) where it was not. */
  readonly validLeaves: number;
  /** At most so many more: the trace does not show them. */
  readonly uncertainLeaves: number;
  /** Pages of it that were dirtied while logging was on. */
  readonly dirtiedPages: number;
  readonly collapsedNs: number | undefined;
}

/** A table that a fault replaced by a block. */
export interface CollapseInput {
  readonly page: number;
  readonly spanPages: number;
  readonly startNs: number;
  /** Undefined where returns are not recorded. */
  readonly holdNs: number | undefined;
  readonly leaves: number;
  readonly uncertainLeaves: number;
  readonly tables: number;
  /** Thread that took the fault. */
  readonly pid: number;
  readonly line: number;
  readonly isInRollback: boolean;
}

/** A stretch in which no vCPU of the VM ran, and each had left KVM_RUN. */
export interface StopInput {
  readonly startNs: number;
  /** Undefined: none of them ran again. */
  readonly endNs: number | undefined;
  readonly vcpus: number;
  /** vCPUs that a signal took out (kvm_userspace_exit: restart). */
  readonly kicked: number;
  readonly clears: number;
  readonly line: number;
}

export interface VmInputs {
  /** Number of the VM in the trace, from 1, by first appearance. */
  readonly vm: number;
  /** Dirty logging was seen to be switched on, or pages to be cleared. */
  readonly logs: boolean;
  readonly phases: readonly Phase[];
  readonly logging: LoggingInput | undefined;
  readonly passes: readonly PassInput[];
  /** Cuts of `intervalNs` from the start of logging on; adjacent ones are joined where there are too many. */
  readonly intervals: readonly DirtyInterval[];
  readonly intervalNs: number;
  /** From the start of logging; a curve of each pass, from its first clearing on. */
  readonly dirtyCurve: DirtyCurve | undefined;
  readonly passCurves: readonly DirtyCurve[];
  /** All distinct pages dirtied while logging was on: the lower bound of the writable working set. */
  readonly workingSetPages: number;
  /** Blocks broken while logging was on, in order; the first MAX_LISTED of them. */
  readonly blocks: readonly BlockInput[];
  readonly blocksTotal: number;
  readonly collapses: readonly CollapseInput[];
  readonly collapsesTotal: number;
  readonly stops: readonly StopInput[];
  /** Blocks that were broken and had not collapsed when the trace (or the VM) ended. */
  readonly blocksLeft: number;
  readonly outcome: Outcome;
  /** First time at which another VM of the trace runs a vCPU after this one's blackout began: a local migration. */
  readonly resumedElsewhereNs: number | undefined;
  /** Threads seen to run vCPUs. */
  readonly vcpus: number;
  /** Sum of its writable memslots; undefined where none was seen to be made. */
  readonly memoryPages: number | undefined;
  readonly readOnlyPages: number | undefined;
  /** Leaves that faults installed while nothing was logged, by their size: what backs the memory. */
  readonly leavesBySpan: readonly { readonly spanPages: number; readonly count: number }[];
  readonly unknown: readonly Unknown[];
}

export interface LoggingInput {
  readonly startNs: number;
  readonly start: Evidence;
  /** Undefined: logging was on when the VM or the trace ended. */
  readonly endNs: number | undefined;
  readonly end: Evidence;
  /**
   * `initially-set`: nothing was write-protected when logging began (KVM_DIRTY_LOG_INITIALLY_SET, QEMU's way);
   * `protect-at-start`: the memslots were; `unknown`: the trace does not show it.
   */
  readonly mode: "initially-set" | "protect-at-start" | "unknown";
  /** Memslots whose logging was switched on, and pages in them. */
  readonly slots: number;
  readonly pages: number | undefined;
  /** Most pages that the masks of one call span: 262,144 and less is QEMU's clear-bitmap-shift of 18. */
  readonly clearSpanPages: number;
}

/**
 * `completed`: the vCPUs stopped while logging was on and never ran again; `rolled-back`: logging was switched
 * off and they ran on; `logging`: it was on when the trace ended; `none`: the VM was not migrated.
 */
export type Outcome = "completed" | "rolled-back" | "logging" | "none";

/** Most blocks and collapses that are listed one by one. */
export const MAX_LISTED = 262_144;
