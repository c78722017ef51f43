import type { EventBatch } from "../../../ingest/events/columns.ts";
import { EventKind } from "../../../ingest/events/kinds.ts";
import type { Stage2Context } from "../../contexts/context.ts";
import { Bracket, Call, type Task } from "../../operations/task.ts";
import type { PolicyReplay } from "../../policies/policy-replay.ts";
import type { SettlementListener } from "../../settlement.ts";
import type { ReplayState } from "../../state.ts";
import { Primitive } from "../../tlbi/primitives.ts";
import { PageKeys } from "../page-keys.ts";
import { ChangeCollector } from "./changes.ts";
import { EpisodeSampling } from "./episodes.ts";
import { FlushIntervals } from "./flush-intervals.ts";
import type { Guest } from "./guest.ts";
import { GuestTime } from "./guest-time.ts";
import { GuestTable } from "./guest-table.ts";
import { HardBounds } from "./hard-bounds.ts";
import type { RefillModelConfig } from "./model-config.ts";
import { OpenChanges } from "./open-changes.ts";
import { ProvenAccesses } from "./proven.ts";
import { QueueApplier } from "./queue-applier.ts";
import { RunningGuests } from "./running.ts";
import { scenariosOf } from "./scenarios.ts";
import { streamMaker } from "./streams.ts";
import { RefillWorld } from "./world.ts";

const K = EventKind;

/**
 * The modelled TLBs of one replay. Told of every row before the replay is, of every walk and of every
 * bracket that is settled; asks nothing of the replay that it does not know already.
 */
export class RefillModel implements SettlementListener {
  readonly config: RefillModelConfig;
  readonly worlds: readonly RefillWorld[];
  readonly running: RunningGuests = new RunningGuests();
  readonly sampling: EpisodeSampling;
  readonly bounds: HardBounds;
  readonly intervals: FlushIntervals;
  readonly changes: ChangeCollector;
  readonly proven: ProvenAccesses;
  readonly #time: GuestTime;
  guestFaults = 0;
  /** Of those: on pages that the trace had mapped before. */
  refaults = 0;
  readonly #guests: GuestTable;
  readonly #entered = new Map<number, Stage2Context>();
  readonly #open: OpenChanges = new OpenChanges();
  readonly #applier: QueueApplier;
  #state: ReplayState | undefined;
  #nowNs = 0;
  /** Without kvm_entry, a fault or an exit shows that its thread was in the guest until then. */
  #hasEntries = false;

  constructor(config: RefillModelConfig) {
    const { knobs, shape, walk, encodings, geometry } = config;
    this.config = config;
    const parts = { shape, geometry: walk, keys: new PageKeys() };
    const { pageShift } = geometry;
    const streamOf = streamMaker(config.recorded, pageShift);
    this.worlds = scenariosOf(config.stream, knobs, config.fixed).map(
      (scenario) => new RefillWorld(scenario, parts, encodings, streamOf),
    );
    if (config.curves) this.worlds[0]?.drawCurves(parts);
    const { sets, ways } = shape.secondLevel;
    const entries = shape.firstLevelEntries + sets * ways * shape.coalescedPages;
    this.intervals = new FlushIntervals(config);
    this.bounds = new HardBounds(encodings.length, entries, this.intervals);
    this.sampling = new EpisodeSampling(
      config.stream === "proven" ? Number.POSITIVE_INFINITY : knobs.episodes,
    );
    const { worlds, running, bounds, sampling } = this;
    this.#time = new GuestTime(config, { worlds, running, bounds, sampling });
    this.#guests = new GuestTable(this.worlds, this.bounds);
    this.changes = new ChangeCollector(geometry);
    this.proven = new ProvenAccesses(2 ** geometry.pageShift, (pid, cpu, page, isWrite, context) =>
      this.#visitProven(pid, cpu, page, isWrite, context),
    );
    this.#applier = new QueueApplier(this.worlds, encodings.length, this.bounds);
  }

  /** Called once, before the first row. */
  attach(state: ReplayState): void {
    this.#state = state;
  }

  // ── rows ─────────────────────────────────────────────────────────────────────────────────────

  /** A row, before the replay sees it. */
  before(batch: EventBatch, row: number): void {
    const kind = batch.kind[row]!;
    if (kind === K.other) return;
    const pid = batch.pid[row]!;
    const cpu = batch.cpu[row]!;
    this.#nowNs = batch.tsNs[row]!;
    switch (kind) {
      case K.kvm_entry:
        this.#hasEntries = true;
        this.#leave(cpu);
        this.#enter(cpu, pid);
        return;
      case K.kvm_exit:
        this.#leave(cpu);
        return;
      case K.guest_fault:
        if (!this.#hasEntries) this.#enter(cpu, pid);
        this.#leave(cpu);
        this.#fault(pid, cpu, batch.addr[row]!, batch.arg0[row]!);
        return;
      case K.marker:
        this.proven.marker(
          pid,
          cpu,
          batch.addr[row]!,
          batch.len[row]!,
          batch.arg0[row]!,
          batch.arg1[row]!,
          batch.arg2[row]!,
        );
        return;
      case K.userspace_exit:
        if (!this.#hasEntries) {
          this.#enter(cpu, pid);
          this.#leave(cpu);
        }
        this.proven.userspaceExit(pid, cpu, batch.arg0[row]!);
        return;
      case K.lost:
        this.#forget();
        return;
      default:
    }
  }

  #fault(pid: number, cpu: number, addr: number, syndrome: number): void {
    const context = this.#contextOf(pid);
    const guest = context === undefined ? undefined : this.#guests.of(context);
    this.guestFaults += 1;
    const page = Math.floor(addr / 2 ** this.config.geometry.pageShift);
    if (guest?.footprint.has(page) === true) this.refaults += 1;
    this.proven.fault(pid, cpu, addr, syndrome, context);
  }

  /** A page-table call or a request of a task is about to be carried out on a context. */
  entered(task: Task, context: Stage2Context): void {
    this.#entered.set(task.pid, context);
    this.changes.into = this.#open.of(task.pid);
    const guest = this.#guests.of(context);
    if (guest === undefined) return;
    this.#time.advanceGuest(guest, Math.min(task.tsNs, this.#nowNs));
    if (task.bracket === Bracket.call && task.call === Call.map) {
      guest.footprint.addRange(task.startPage, task.endPage - task.startPage);
      this.proven.mapped(task.pid, task.cpu, context);
    }
  }

  // ── settlement ───────────────────────────────────────────────────────────────────────────────

  settled(task: Task, policies: readonly PolicyReplay[], includeConditional: boolean): void {
    const context = this.#entered.get(task.pid);
    if (context === undefined) return;
    const guest = this.#guests.of(context);
    const changes = this.#open.of(task.pid);
    this.changes.into = [];
    if (guest === undefined || context.isGone) {
      this.#open.drop(task.pid);
      return;
    }
    const { queues, scopes } = task.ledger;
    const shown = policies.length === 0 ? [] : queues.slice(0, this.config.encodings.length);
    const due = this.#open.takeDue(
      task,
      scopes.some(({ isTouched }) => isTouched),
    );
    const flushes = shown.some((queue) => queue.length > 0);
    const isSampled = !flushes || this.#time.beginEpisode([guest]);
    const slot = this.running.slotOf(task.cpu);
    this.#applier.apply({
      queues: shown,
      guest,
      slot,
      isSampled,
      includeConditional,
      due,
      changes,
      running: this.running,
      advance: (toNs) => this.#time.advanceGuest(guest, toNs),
      path: task.path,
      startNs: Math.min(task.tsNs, this.#nowNs),
      nowNs: this.#nowNs,
    });
  }

  /** No policy did anything about what changed, if anything did. */
  settledEmpty(task: Task, policies: readonly PolicyReplay[]): void {
    if (this.#open.has(task.pid)) this.settled(task, policies, false);
  }

  /** A call that every policy makes alike, outside brackets: a vCPU switch. */
  addedToAll(
    primitive: number,
    path: number,
    isCertain: boolean,
    cpu: number,
    context: Stage2Context,
  ): void {
    const guest = this.#guests.of(context);
    const slot = this.running.slotOf(cpu);
    if (guest === undefined || slot < 0 || primitive !== Primitive.CPU) return;
    this.#time.advanceGuest(guest, this.#nowNs);
    if (!this.#time.beginEpisode([guest], slot)) return;
    this.#applier.local(guest, slot, primitive, path, isCertain);
  }

  /** VMIDs are given out anew, whatever the policy: all entries of all VMs go, on every PE. */
  everythingFlushed(path: number): void {
    const guests = [...this.#guests.all()];
    for (const guest of guests) this.#time.advanceGuest(guest, this.#nowNs);
    if (this.#time.beginEpisode(guests)) this.#applier.everything(guests, this.running.pes, path);
  }

  /** Events are missing: nothing of the tables is known, nor who runs. */
  stateForgotten(): void {
    this.#forget();
    for (const guest of this.#guests.all()) {
      for (const world of this.worlds) world.forgetVm(guest.vm);
    }
  }

  finish(): void {
    for (const guest of this.#guests.all()) {
      this.#time.advanceGuest(guest, this.#nowNs);
      this.bounds.finish(guest);
    }
    this.proven.finish();
  }

  get guests(): Iterable<Guest> {
    return this.#guests.all();
  }

  /** Times that a context found no VMID of the model. */
  get contextsLeftOut(): number {
    return this.#guests.leftOut;
  }

  // ── guests and their time ────────────────────────────────────────────────────────────────────

  #enter(cpu: number, pid: number): void {
    const context = this.#contextOf(pid);
    const guest = context === undefined ? undefined : this.#guests.of(context);
    this.running.enter(cpu, pid, guest, this.#nowNs);
    this.proven.entered(pid, cpu, context);
  }

  #leave(cpu: number): void {
    const slot = this.running.slotOf(cpu);
    if (slot >= 0) this.#time.advance(slot, this.#nowNs);
    this.running.leave(cpu, this.#nowNs);
  }

  #forget(): void {
    this.running.forget();
    this.proven.forget();
    this.#open.clear();
    this.#entered.clear();
  }

  #contextOf(pid: number): Stage2Context | undefined {
    const announced = this.proven.contextOf(pid);
    return announced === undefined ? this.#state?.task(pid).vcpuContext : announced.context;
  }

  #visitProven(
    pid: number,
    cpu: number,
    page: number,
    isWrite: boolean,
    context: Stage2Context | undefined,
  ): boolean {
    const guest = context === undefined ? undefined : this.#guests.of(context);
    const slot = this.running.slotOf(cpu);
    if (pid < 0 || guest === undefined || slot < 0) return false;
    if (this.config.stream !== "proven") return true;
    const index = guest.footprint.add(page);
    this.#time.now(this.#nowNs, cpu, pid);
    let isDone = false;
    for (const world of this.worlds) isDone = world.visitPage(slot, guest, index, isWrite);
    return isDone;
  }
}
