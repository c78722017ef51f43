import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import type { Stage2Context } from "../contexts/context.ts";
import type { Task } from "../operations/task.ts";
import type { PolicyReplay } from "../policies/policy-replay.ts";
import type { ReplayObserver } from "../replay.ts";
import { recordedPath } from "../settlement.ts";
import type { ReplayState } from "../state.ts";
import type { RootResolution } from "../tally.ts";
import { CallRecorder } from "./call-recorder.ts";
import { type GivenPhase, problemOfGiven, withRunBetween } from "./given-phases.ts";
import type { GuestRecord, RecordOptions } from "./guest-record.ts";
import { GuestRecords } from "./guest-records.ts";
import { LogEvents } from "./log-events.ts";
import type { CountedPolicy, LockOf } from "./segment.ts";
import { VcpuEvents } from "./vcpu-events.ts";

const K = EventKind;

export interface PhaseRecorderConfig {
  /** Policies of the replay, in its order. */
  readonly policies: readonly CountedPolicy[];
  /** How recorded calls become instructions. */
  readonly recorded: CountedPolicy;
  readonly pageBytes: number;
  readonly lockOf: LockOf;
  /**
   * Phases as the user knows them; where there are some, they decide alone, for every VM. Asked once, with the
   * first event; a RangeError then says where they cannot be. Default: none.
   */
  readonly given?: () => readonly GivenPhase[];
  /** Of the dirty pages. Default: one second. */
  readonly intervalNs?: number;
  /** Pages that one CLEAR_DIRTY_LOG covers. Default: found out. */
  readonly clearChunkPages?: number;
}

/**
 * Follows a replay and gathers what a migration estimate needs of the trace: phases, dirty pages, blocks, flushes
 * by phase and policy, and how long calls took. `phase-inputs.ts` makes the result of it.
 */
export class PhaseRecorder implements ReplayObserver {
  readonly config: PhaseRecorderConfig;
  readonly changes: CallRecorder;
  readonly vcpus: VcpuEvents;
  readonly guests: GuestRecords;
  firstNs: number = Number.NaN;
  lastNs = 0;
  /** Times that events were missing. */
  losses = 0;
  readonly #log: LogEvents;
  #given: readonly GivenPhase[] | undefined;
  #state: ReplayState | undefined;
  #nowNs = 0;
  /** Of the row that is being replayed: the return that it may be. */
  #pid = 0;
  #isReturn = false;
  #returned = Number.NaN;

  constructor(config: PhaseRecorderConfig) {
    this.config = config;
    const options: RecordOptions = {
      policies: [...config.policies, config.recorded],
      given: () => (this.#given ??= checked(config.given?.() ?? [])),
      intervalNs: config.intervalNs ?? 1e9,
      clearChunkPages: config.clearChunkPages,
    };
    this.guests = new GuestRecords(options);
    this.changes = new CallRecorder();
    this.vcpus = new VcpuEvents(this.guests);
    this.#log = new LogEvents(this.guests, this.vcpus);
  }

  attach(state: ReplayState): void {
    this.#state = state;
    this.changes.spanPages = state.geometry.spanPages;
  }

  // ── rows ─────────────────────────────────────────────────────────────────────────────────────

  before(batch: EventBatch, row: number): void {
    const kind = batch.kind[row]!;
    const tsNs = batch.tsNs[row]!;
    if (Number.isNaN(this.firstNs)) this.firstNs = tsNs;
    if (tsNs > this.lastNs) this.lastNs = tsNs;
    this.#nowNs = tsNs;
    this.#pid = batch.pid[row]!;
    this.#isReturn = kind >= K.map_ret && kind <= K.split_ret;
    this.#returned = this.#isReturn ? batch.arg0[row]! : Number.NaN;
    switch (kind) {
      case K.other:
        return;
      case K.kvm_entry:
        this.vcpus.entry(this.#pid, tsNs, batch.line[row]!, this.#state!);
        return;
      case K.kvm_exit:
        this.vcpus.exit(this.#pid, tsNs);
        return;
      case K.guest_fault:
        this.vcpus.fault(this.#pid, tsNs);
        return;
      case K.userspace_exit:
        this.vcpus.userspaceExit(this.#pid, tsNs, batch.line[row]!, batch.arg0[row]!);
        return;
      case K.lost:
        this.#lose();
        return;
      default:
        this.#log.event(batch, row, kind, this.#state!);
    }
  }

  // ── walks and brackets ───────────────────────────────────────────────────────────────────────

  entered(task: Task, context: Stage2Context): void {
    const record = this.#recordOf(context);
    this.changes.enter(task, record, isOwn(context, record), this.#nowNs);
  }

  settled(task: Task, policies: readonly PolicyReplay[], includeConditional: boolean): void {
    this.#ended(task);
    const record = task.context === undefined ? undefined : this.#recordOf(task.context);
    if (record === undefined) return;
    const segment = this.changes.segmentOf(task, record);
    const root = rootOf(task, includeConditional);
    const { queues, recorded } = task.ledger;
    const shown = Math.min(this.config.policies.length, policies.length);
    for (let at = 0; at < shown; at += 1) segment.addQueue(at, queues[at]!, root);
    for (let at = 0; at < recorded.length; at += 1) {
      const primitive = recorded.primitive[at]!;
      const path = recordedPath(task, primitive);
      const page = recorded.page[at]!;
      segment.addCall(this.config.policies.length, primitive, path, page, recorded.pages[at]!);
    }
  }

  settledEmpty(task: Task): void {
    this.#ended(task);
  }

  addedToAll(
    primitive: number,
    path: number,
    isCertain: boolean,
    _cpu: number,
    context: Stage2Context,
  ): void {
    const segment = this.#recordOf(context).timeline.current;
    for (let at = 0; at < this.config.policies.length; at += 1) {
      if (isCertain) segment.addCall(at, primitive, path, 0, 0);
      else segment.addUnknownCall(at, primitive, path);
    }
  }

  stateForgotten(): void {
    this.#lose();
  }

  finish(): void {
    for (const record of this.guests.all) {
      record.timeline.advance(this.lastNs);
      record.finish();
    }
  }

  #ended(task: Task): void {
    const hasReturn = this.#isReturn && this.#pid === task.pid;
    const ret = hasReturn ? this.#returned : Number.NaN;
    const holdNs = hasReturn ? this.#nowNs - task.tsNs : Number.NaN;
    const { context } = task;
    if (context === undefined) return;
    const record = this.#recordOf(context);
    this.changes.ended(task, record, isOwn(context, record), ret, holdNs, this.#nowNs, this.vcpus);
  }

  #recordOf(context: Stage2Context): GuestRecord {
    const record = this.guests.ofContext(context, this.#nowNs);
    record.timeline.advance(this.#nowNs);
    return record;
  }

  #lose(): void {
    this.losses += 1;
    this.vcpus.forget();
    this.changes.forget();
    for (const record of this.guests.all) record.closeClear();
  }
}

/** @throws RangeError where they cannot be. */
function checked(given: readonly GivenPhase[]): readonly GivenPhase[] {
  const problem = problemOfGiven(given);
  if (problem !== undefined) throw new RangeError(problem);
  return given.length === 0 ? [] : withRunBetween(given);
}

/** Calls that only a higher start level of the walk explains: settled, or still open? */
function rootOf(task: Task, includeConditional: boolean): RootResolution {
  if (includeConditional) return "higher";
  return task.context?.rootAssumed === true ? "unresolved" : "as-assumed";
}

/** The table that the record is of; not the shadow of a nested guest that was seen with its VM. */
function isOwn(context: Stage2Context, record: GuestRecord): boolean {
  const { vm } = context;
  return vm?.canonical === undefined || vm.canonical === context || record.kvm !== vm.kvm;
}
