import type { Evidence } from "../migration/inputs.ts";
import type { Stage2Table } from "../stage2/table.ts";
import { BrokenBlocks } from "./broken-blocks.ts";
import { type OpenClear, PassCounter, WORD_PAGES } from "./clear-sequences.ts";
import { DirtyPages } from "./dirty-pages.ts";
import type { GivenPhase } from "./given-phases.ts";
import { ones } from "./page-set.ts";
import type { CountedPolicy } from "./segment.ts";
import { SlotTable } from "./slot-table.ts";
import { Stops } from "./stops.ts";
import { Timeline } from "./timeline.ts";

/** What every record of a recorder shares. */
export interface RecordOptions {
  /** In the replay's order, and last `recorded`. */
  readonly policies: readonly CountedPolicy[];
  /** Known with the first event, where they are by the trace's clock. */
  readonly given: () => readonly GivenPhase[];
  readonly intervalNs: number;
  /** Pages that one CLEAR covers (2^clear_shift); undefined: learned from the trace. */
  readonly clearChunkPages: number | undefined;
}

/** Most clears that are listed. */
const MAX_CLEARS = 65_536;

export interface PassRecord {
  readonly number: number;
  readonly startNs: number;
  clears: OpenClear[];
  clearedPages: number;
  dirtiedPages: number;
}

/** What the trace shows of the migration of one VM. */
export class GuestRecord {
  readonly number: number;
  /** Pointer id of struct kvm; 0 while only a table of it was seen. */
  kvm: number;
  readonly slots: SlotTable = new SlotTable();
  readonly timeline: Timeline;
  readonly blocks: BrokenBlocks = new BrokenBlocks();
  readonly passes: PassRecord[] = [];
  readonly stops: Stops;
  readonly vcpuPids: Set<number> = new Set();
  readonly leavesBySpan: Map<number, number> = new Map();
  readonly options: RecordOptions;
  dirty: DirtyPages | undefined;
  table: Stage2Table | undefined;
  logStartNs: number = Number.NaN;
  logStart: Evidence | undefined;
  logEndNs: number = Number.NaN;
  logEnd: Evidence | undefined;
  loggedSlots = 0;
  loggedPages: number | undefined;
  clearSpanPages = 0;
  protectedAtStart = false;
  isGone = false;
  firstEntryNs: number = Number.POSITIVE_INFINITY;
  resumedElsewhereNs: number = Number.NaN;
  ringPushes = 0;
  /** Times that logging began: a second migration is not told apart from the first. */
  loggings = 0;
  openClear: OpenClear | undefined;
  readonly #passCounter: PassCounter;
  #listedClears = 0;

  constructor(number: number, kvm: number, startNs: number, options: RecordOptions) {
    this.number = number;
    this.kvm = kvm;
    this.options = options;
    this.timeline = new Timeline(startNs, options.policies, options.given());
    this.stops = new Stops(this.timeline);
    this.#passCounter = new PassCounter(options.clearChunkPages);
  }

  get isLogging(): boolean {
    return this.logStart !== undefined && this.logEnd === undefined;
  }

  // ── logging ──────────────────────────────────────────────────────────────────────────────────

  startLogging(tsNs: number, start: Evidence): void {
    this.loggings += 1;
    if (this.logEnd !== undefined) {
      // A migration was tried again: passes go on counting, and so does what was dirtied.
      this.logEnd = undefined;
      this.logEndNs = Number.NaN;
      this.#passCounter.reset();
    } else {
      this.logStartNs = tsNs;
      this.logStart = start;
      this.dirty = new DirtyPages(tsNs, this.options.intervalNs);
    }
    this.#beginPass(tsNs, start);
  }

  endLogging(tsNs: number, end: Evidence): void {
    if (!this.isLogging) return;
    this.closeClear();
    this.#fillBlocks();
    this.stops.judge(tsNs);
    this.logEndNs = tsNs;
    this.logEnd = end;
    this.timeline.open(this.stops.isStopped ? "after" : "run", undefined, tsNs, end);
  }

  #beginPass(tsNs: number, start: Evidence): void {
    const number = this.passes.length + 1;
    this.passes.push({ number, startNs: tsNs, clears: [], clearedPages: 0, dirtiedPages: 0 });
    this.dirty?.beginPass(tsNs);
    this.timeline.open(this.stops.isStopped ? "blackout" : "pass", number, tsNs, start);
  }

  // ── clears ───────────────────────────────────────────────────────────────────────────────────

  /** A word of a GET or CLEAR_DIRTY_LOG: `low` and `high` are bits 31:0 and 63:32 of its mask. */
  maskWord(
    pid: number,
    tsNs: number,
    line: number,
    basePage: number,
    offset: number,
    low: number,
    high: number,
  ): void {
    if (!this.isLogging) {
      this.startLogging(tsNs, {
        what: "first GET_DIRTY_LOG or CLEAR_DIRTY_LOG: when logging was switched on is not in the trace",
        line,
        confidence: "inferred",
      });
    }
    let clear = this.openClear;
    if (!this.continuesClear(pid, basePage, offset) || clear === undefined) {
      this.closeClear();
      clear = this.#beginClear(pid, tsNs, line, basePage, offset);
    }
    const pages = ones(low) + ones(high);
    clear.lastOffset = offset;
    clear.endNs = tsNs;
    clear.words += 1;
    clear.pages += pages;
    this.passes.at(-1)!.clearedPages += pages;
    this.timeline.current.counts.clearedPages += pages;
    this.dirty?.clearWord(basePage + offset, low, high, tsNs, pages);
  }

  continuesClear(pid: number, basePage: number, offset: number): boolean {
    const clear = this.openClear;
    return (
      clear !== undefined &&
      clear.pid === pid &&
      clear.basePage === basePage &&
      offset > clear.lastOffset
    );
  }

  #beginClear(
    pid: number,
    tsNs: number,
    line: number,
    basePage: number,
    offset: number,
  ): OpenClear {
    this.stops.clears();
    if (this.#passCounter.begins(basePage, offset)) {
      const what = "memory is cleared that this pass had cleared already";
      this.#beginPass(tsNs, { what, line, confidence: "inferred" });
    }
    this.timeline.current.counts.clears += 1;
    const clear: OpenClear = {
      pid,
      line,
      startNs: tsNs,
      endNs: tsNs,
      basePage,
      slotPages: this.slots.pagesAt(basePage),
      firstOffset: offset,
      lastOffset: offset,
      words: 0,
      pages: 0,
    };
    this.openClear = clear;
    this.#listedClears += 1;
    if (this.#listedClears <= MAX_CLEARS) this.passes.at(-1)!.clears.push(clear);
    return clear;
  }

  /** The thread goes on to something else: its clear is over. */
  closeClear(): void {
    const clear = this.openClear;
    if (clear === undefined) return;
    this.openClear = undefined;
    const isAll = this.passes.length === 1 && !this.protectedAtStart;
    this.#passCounter.ended(clear, isAll);
    const span = clear.lastOffset + WORD_PAGES - clear.firstOffset;
    this.clearSpanPages = Math.max(this.clearSpanPages, span);
    this.timeline.current.hold("clear", clear.endNs - clear.startNs, clear.line);
  }

  get clearsLeftOut(): number {
    return Math.max(0, this.#listedClears - MAX_CLEARS);
  }

  // ── stops and the end ────────────────────────────────────────────────────────────────────────

  /** No vCPU runs, and all have left KVM_RUN (or, without its tracepoint, the guest). */
  beginStop(tsNs: number, kicked: number, line: number): void {
    this.stops.begin(tsNs, this.vcpuPids.size, kicked, line);
  }

  /** A vCPU entered the guest again. */
  endStop(tsNs: number, line: number): void {
    this.resumedElsewhereNs = Number.NaN;
    this.stops.end(tsNs, this.isLogging ? this.passes.at(-1)!.number : undefined, line);
  }

  /** A thread that never ran before enters a guest that is not this one. */
  ranElsewhere(tsNs: number, line: number): void {
    if (!this.stops.isStopped || !Number.isNaN(this.resumedElsewhereNs)) return;
    this.resumedElsewhereNs = tsNs;
    const what = "a vCPU of another VM of this trace runs for the first time";
    this.timeline.open("after", undefined, tsNs, { what, line, confidence: "inferred" });
  }

  /** The VM is torn down. */
  gone(tsNs: number, line: number, lastExitNs: number): void {
    if (this.isGone) return;
    this.isGone = true;
    this.closeClear();
    this.#seal();
    if (!this.stops.isStopped && this.isLogging && !Number.isNaN(lastExitNs)) {
      // Without kvm_userspace_exit a stop that clears nothing shows only by what does not follow.
      this.beginStop(lastExitNs, 0, line);
    }
    this.stops.finish(this.isLogging);
    this.dirty?.seal();
    const end: Evidence = { what: "the VM is torn down", line, confidence: "recorded" };
    if (this.timeline.phaseName !== "after") this.timeline.open("after", undefined, tsNs, end);
  }

  /** Counted before the VM of the table was known: it came first. */
  absorbEarlier(earlier: GuestRecord): void {
    this.timeline.absorbEarlier(earlier.timeline);
    for (const [span, count] of earlier.leavesBySpan) {
      this.leavesBySpan.set(span, (this.leavesBySpan.get(span) ?? 0) + count);
    }
    for (const pid of earlier.vcpuPids) this.vcpuPids.add(pid);
    this.firstEntryNs = Math.min(this.firstEntryNs, earlier.firstEntryNs);
  }

  finish(): void {
    if (this.isGone) return;
    this.closeClear();
    this.#seal();
    this.stops.finish(this.isLogging);
  }

  /** Nothing more is heard of its table. What is mapped in broken blocks counts as of the end of logging. */
  #seal(): void {
    if (this.isLogging) this.#fillBlocks();
    this.table = undefined;
  }

  #fillBlocks(): void {
    if (this.table !== undefined) this.blocks.fill(this.table);
  }
}
