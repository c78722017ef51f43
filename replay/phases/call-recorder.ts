import type { ChangeObserver } from "../fan-out.ts";
import type { HoldKind } from "../migration/inputs.ts";
import { Bracket, Call, type Task } from "../operations/task.ts";
import { Path } from "../paths.ts";
import { LeafFlag } from "../stage2/entry-store.ts";
import { Dirtied } from "./dirty-pages.ts";
import type { GuestRecord } from "./guest-record.ts";
import type { Segment } from "./segment.ts";
import type { VcpuEvents } from "./vcpu-events.ts";

/** What the walk of a thread's call found. */
interface Walk {
  collapsedPage: number;
  collapsedLevel: number;
  leaves: number;
  tables: number;
  uncertain: number;
  brokenPage: number;
  brokenLevel: number;
  blocksSplit: number;
  leavesCleared: number;
  /** The collapse belongs to a roll-back: counted in it, not behind it. */
  isInRollback: boolean;
}

/** Collects what the walks of page-table calls find, and books each call when it ends. */
export class CallRecorder implements ChangeObserver {
  /** Pages of an entry, by level. */
  spanPages: readonly number[] = [];
  readonly #walks = new Map<number, Walk>();
  #walk: Walk = newWalk();
  #record: GuestRecord | undefined;
  #nowNs = 0;

  // ── facts of the walk that is going on ───────────────────────────────────────────────────────

  /** `isOwn`: of the VM's own table, not of a nested guest's. */
  enter(task: Task, record: GuestRecord, isOwn: boolean, nowNs: number): void {
    this.#record = isOwn ? record : undefined;
    this.#nowNs = nowNs;
    let walk = this.#walks.get(task.pid);
    if (walk === undefined) {
      walk = newWalk();
      this.#walks.set(task.pid, walk);
    }
    this.#walk = walk;
    reset(walk);
  }

  leavesCleared(_page: number, _level: number, count: number): void {
    this.#walk.leavesCleared += count;
  }

  blockBroken(page: number, level: number): void {
    this.#walk.brokenPage = page;
    this.#walk.brokenLevel = level;
  }

  collapsed(page: number, level: number, leaves: number, tables: number, uncertain: number): void {
    const walk = this.#walk;
    walk.collapsedPage = page;
    walk.collapsedLevel = level;
    walk.leaves = leaves;
    walk.tables = tables;
    walk.uncertain = uncertain;
  }

  blockSplit(page: number, level: number): void {
    this.#walk.blocksSplit += 1;
    if (this.#record?.isLogging !== true) return;
    this.#record.blocks.broken(page, this.spanPages[level]!, this.#nowNs);
  }

  leafReplaced(): void {}
  leafUnclear(): void {}
  mappedOverUnknown(): void {}
  splitOverUnknown(): void {}
  writeProtected(): void {}
  unknownWriteProtected(): void {}
  unknownCleared(): void {}
  relaxed(): void {}

  forget(): void {
    this.#walks.clear();
  }

  // ── the end of a call ────────────────────────────────────────────────────────────────────────

  /** Where a bracket that just ended is counted: in the phase in which it began. */
  segmentOf(task: Task, record: GuestRecord): Segment {
    const walk = task.bracket === Bracket.call ? this.#walks.get(task.pid) : undefined;
    return walk?.isInRollback === true ? record.timeline.ofCollapse : record.timeline.at(task.tsNs);
  }

  /**
   * A bracket ended. `ret`: what the call returned; NaN where the trace does not say (then it succeeded).
   * `holdNs`: from its entry to its return; NaN without one. `isOwn`: of the VM's own table.
   */
  ended(
    task: Task,
    record: GuestRecord,
    isOwn: boolean,
    ret: number,
    holdNs: number,
    nowNs: number,
    vcpus: VcpuEvents,
  ): void {
    if (task.bracket !== Bracket.call) return;
    const walk = this.#walks.get(task.pid);
    if (walk === undefined) return;
    const succeeded = Number.isNaN(ret) || ret === 0;
    if (isOwn && walk.collapsedLevel >= 0) this.#collapse(task, record, walk, holdNs, nowNs);
    const segment = this.segmentOf(task, record);
    if (isOwn && walk.brokenLevel >= 0) {
      segment.counts.blocksBroken += 1;
      const span = this.spanPages[walk.brokenLevel]!;
      if (record.isLogging) record.blocks.broken(walk.brokenPage, span, nowNs);
    }
    if (task.call === Call.map || task.call === Call.relax) {
      vcpus.mapped(task.pid);
      if (isOwn && succeeded) this.#fault(task, record, segment, nowNs);
    } else if (task.call === Call.unmap) {
      segment.counts.unmaps += 1;
      segment.counts.unmappedLeaves += walk.leavesCleared;
    } else if (task.call === Call.wrprotect) protect(task, record, nowNs);
    else if (task.call === Call.split) segment.counts.blocksSplit += walk.blocksSplit;
    const kind = kindOf(task, walk);
    if (kind !== undefined && !Number.isNaN(holdNs)) segment.hold(kind, holdNs, task.line);
  }

  #collapse(task: Task, record: GuestRecord, walk: Walk, holdNs: number, nowNs: number): void {
    const spanPages = this.spanPages[walk.collapsedLevel]!;
    const page = walk.collapsedPage - (walk.collapsedPage % spanPages);
    // Without commit_region nothing else shows that logging is off: it forbids blocks.
    if (record.isLogging && !record.slots.showsLogging) {
      const what = "a block is mapped again: when logging was switched off is not in the trace";
      record.endLogging(task.tsNs, { what, line: task.line, confidence: "inferred" });
    }
    const isAfterLogging = record.logEnd !== undefined;
    const wasBroken = record.blocks.collapsed({
      page,
      spanPages,
      startNs: task.tsNs,
      holdNs: Number.isNaN(holdNs) ? undefined : holdNs,
      leaves: walk.leaves,
      uncertainLeaves: walk.uncertain,
      tables: walk.tables,
      pid: task.pid,
      line: task.line,
      isInRollback: isAfterLogging,
    });
    // Tables of before the trace may be of before logging too.
    const isOfLogging = wasBroken || task.context?.historyKnown === false;
    if (isAfterLogging && isOfLogging) {
      const what = "the last collapse after logging ended";
      record.timeline.collapsed(nowNs, { what, line: task.line, confidence: "recorded" });
      walk.isInRollback = record.timeline.phaseName === "run";
    }
    this.segmentOf(task, record).counts.collapses += 1;
  }

  #fault(task: Task, record: GuestRecord, segment: Segment, nowNs: number): void {
    const { startPage } = task;
    const isWrite = (task.flags & LeafFlag.write) !== 0;
    const isLogged = record.isLogging && (record.slots.logs(startPage) ?? true);
    if (!isLogged || !isWrite || record.dirty === undefined) {
      segment.counts.otherFaults += 1;
      if (task.call === Call.map && !record.isLogging) {
        const span = task.endPage - startPage;
        record.leavesBySpan.set(span, (record.leavesBySpan.get(span) ?? 0) + 1);
      }
      return;
    }
    segment.counts.writeFaults += 1;
    // Under logging KVM maps page by page; of a block that a fault had begun before it marks one.
    const outcome = record.dirty.write(startPage, nowNs);
    if (outcome === Dirtied.again) return;
    segment.counts.dirtiedPages += 1;
    record.passes.at(-1)!.dirtiedPages += 1;
    if (outcome !== Dirtied.ever) return;
    segment.counts.newlyDirtiedPages += 1;
    record.blocks.dirtied(startPage);
  }
}

/** Pages are write-protected: in a GET or CLEAR, or a whole memslot when logging begins. */
function protect(task: Task, record: GuestRecord, nowNs: number): void {
  const { openClear } = record;
  if (openClear !== undefined && openClear.pid === task.pid) {
    openClear.endNs = nowNs;
    return;
  }
  if (task.protect.path === Path.enable_log) record.protectedAtStart = true;
  record.dirty?.clearRange(task.startPage, task.endPage);
}

function kindOf(task: Task, walk: Walk): HoldKind | undefined {
  switch (task.call) {
    case Call.map:
      if (walk.collapsedLevel >= 0) return "collapse";
      return walk.brokenLevel >= 0 ? "break_block" : "map";
    case Call.relax:
      return "relax";
    case Call.unmap:
      return "unmap";
    case Call.split:
      return "split";
    case Call.wrprotect:
      // Of a clear the whole sequence is one hold, which is booked when it ends.
      return task.protect.path === Path.enable_log ? "enable_log" : undefined;
    default:
      return undefined;
  }
}

function newWalk(): Walk {
  return {
    collapsedPage: 0,
    collapsedLevel: -1,
    leaves: 0,
    tables: 0,
    uncertain: 0,
    brokenPage: 0,
    brokenLevel: -1,
    blocksSplit: 0,
    leavesCleared: 0,
    isInRollback: false,
  };
}

function reset(walk: Walk): void {
  walk.collapsedLevel = -1;
  walk.brokenLevel = -1;
  walk.blocksSplit = 0;
  walk.leavesCleared = 0;
  walk.isInRollback = false;
}
