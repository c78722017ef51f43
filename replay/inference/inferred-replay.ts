import type { MemslotFact } from "../../ingest/beside/memslots/memslot.ts";
import type { Diagnostics } from "../../ingest/diagnostics.ts";
import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import type { OperationContext } from "../policies/operation.ts";
import { PolicyReplay } from "../policies/policy-replay.ts";
import { callOf, type ReplayConfig } from "../replay.ts";
import type { FlushRow, InstructionRow } from "../results.ts";
import { geometryOf, startLevelOf } from "../stage2/geometry.ts";
import { Tally } from "../tally.ts";
import {
  type Confidence,
  INFERENCE_CLASSES,
  INFERENCE_NAMES,
  InferenceClass,
  type InferenceClassName,
} from "./classes.ts";
import { answerFault } from "./infer-faults.ts";
import { ageHva, resetRing, setSpteHva, unmapHva } from "./infer-notifiers.ts";
import { CommittedSlots, TableSlots } from "./infer-slots.ts";
import { InferenceState } from "./inference-state.ts";
import { type Unbounded, unboundedPaths } from "./not-shown.ts";

const K = EventKind;
const DEFAULT_IPA_BITS = 40;

/** How often a class of inferred events occurred. */
export interface InferredCount {
  readonly name: InferenceClassName;
  readonly count: number;
  readonly confidence: Confidence;
  readonly means: string;
  readonly assumes: string;
}

export interface InferenceResult {
  readonly flushes: readonly FlushRow[];
  readonly instructions: readonly InstructionRow[];
  readonly classes: readonly InferredCount[];
  readonly unbounded: readonly Unbounded[];
  /** Where the memslots came from, in words. */
  readonly slotsFrom: string;
  readonly vms: number;
  readonly tableBytes: number;
}

export interface InferenceOptions {
  /** The user's own memslots; undefined: those that commit_region probes show. */
  readonly memslots: readonly MemslotFact[] | undefined;
  /** Names of the files that they come from. */
  readonly memslotsOrigin?: string | undefined;
  /** Clock value that the trace's times count from; asked for at the first event. */
  readonly baseNs: () => bigint;
}

/**
 * Replays what stock tracepoints imply: faults, MMU notifier events and memslots become stage-2
 * operations of which each is certain or only possible. `calls` of the result are certain under the
 * assumptions that the classes name, `unknown_calls` how many more there may have been. Paths in
 * `unbounded` have no upper bound.
 *
 * Feed it every batch before the replay of the same trace, which passes the gaps in it.
 */
export class InferredReplay {
  readonly #state: InferenceState;
  readonly #tallies: readonly Tally[];
  readonly #config: ReplayConfig;
  readonly #options: InferenceOptions;
  readonly #commits: CommittedSlots;
  readonly #table: TableSlots | undefined;
  #nextSlotNs = Number.POSITIVE_INFINITY;
  #baseNs = 0n;
  #wasLogged = false;
  #lastLine = 0;

  constructor(config: ReplayConfig, diagnostics: Diagnostics, options: InferenceOptions) {
    this.#config = config;
    this.#options = options;
    const geometry = geometryOf(config.pageShift);
    const operation: OperationContext = {
      contextId: 0,
      path: 0,
      rootLevel: startLevelOf(config.ipaBits ?? DEFAULT_IPA_BITS, config.pageShift),
      rootAssumed: config.ipaBits === undefined,
      isPossible: false,
    };
    const policies = config.policies.map(
      ({ policy, features }) => new PolicyReplay(policy, features, geometry, operation),
    );
    this.#tallies = config.policies.map(
      ({ policy, features }) => new Tally(policy.id, callOf(config.pageShift, policy, features)),
    );
    const { memslots } = options;
    this.#state = new InferenceState({
      geometry,
      diagnostics,
      operation,
      policies,
      tallies: this.#tallies,
      table: memslots,
      beginsEmpty: config.start === "fresh",
    });
    this.#commits = new CommittedSlots(this.#state);
    this.#table = memslots === undefined ? undefined : new TableSlots(this.#state, memslots);
    this.#wasLogged = memslots?.some(({ isLogged }) => isLogged !== false) ?? false;
  }

  consume(batch: EventBatch): void {
    const state = this.#state;
    const { diagnostics } = state;
    if (batch.length > 0 && state.now === 0 && this.#table !== undefined) {
      this.#baseNs = this.#options.baseNs();
      this.#nextSlotNs = this.#table.nextNs(this.#baseNs);
    }
    const gapsFrom = diagnostics.nextGapLine;
    for (let row = 0; row < batch.length; row += 1) {
      state.now += 1;
      const line = batch.line[row]!;
      if (line > gapsFrom && diagnostics.hasGapBetween(this.#lastLine, line)) this.#lost();
      this.#lastLine = line;
      if (this.#table !== undefined) this.#passTime(batch.tsNs[row]!);
      this.#event(batch, row);
    }
  }

  finish(): InferenceResult {
    const state = this.#state;
    for (const thread of state.busy) answerFault(state, thread);
    this.#commits.finish();
    for (const { table } of state.vms) state.questions.leaveAll(table);
    state.settle();
    const { counts, vms } = state;
    return {
      flushes: this.#tallies.flatMap((tally) => tally.flushRows()),
      instructions: this.#tallies.flatMap((tally) => tally.instructionRows()),
      classes: INFERENCE_NAMES.map((name, code) => ({
        name,
        count: counts.of(code),
        ...INFERENCE_CLASSES[name],
      })).filter(({ count }) => count > 0),
      unbounded: unboundedPaths({
        hasSlots: vms.length > 0,
        seesSlotChanges: this.#table === undefined && vms.length > 0,
        isNeverLogged: vms.length > 0 && !this.#wasLogged,
        lacksHva: vms.some((vm) => [...vm.slots.values()].some((s) => Number.isNaN(s.hvaBytes))),
        hasUnseenSplits: counts.of(InferenceClass.splitUnseen) > 0,
        policies: this.#config.policies.map(({ policy }) => policy),
      }),
      slotsFrom: this.#slotsFrom(),
      vms: vms.length,
      tableBytes: state.store.allocatedBytes,
    };
  }

  #slotsFrom(): string {
    if (this.#table !== undefined) return this.#options.memslotsOrigin ?? "the given memslot table";
    return this.#state.vms.length > 0 ? "the trace's commit_region probes" : "nowhere";
  }

  #passTime(tsNs: number): void {
    while (this.#nextSlotNs <= tsNs) {
      this.#table!.step();
      this.#state.settle();
      this.#nextSlotNs = this.#table!.nextNs(this.#baseNs);
    }
  }

  #event(batch: EventBatch, row: number): void {
    const kind = batch.kind[row]!;
    if (kind === K.other) return;
    const state = this.#state;
    const thread = state.thread(batch.pid[row]!);
    state.unmapping.delete(thread);
    switch (kind) {
      case K.kvm_entry:
        answerFault(state, thread);
        thread.enteredAt = state.now;
        break;
      case K.kvm_exit:
      case K.userspace_exit:
        answerFault(state, thread);
        break;
      case K.guest_fault:
        answerFault(state, thread);
        thread.faultPage = Math.floor(batch.addr[row]! / state.pageBytes);
        thread.syndrome = batch.arg0[row]!;
        thread.isRetried = false;
        thread.isDisturbed = false;
        state.busy.add(thread);
        // Without kvm_entry nothing shows when it is answered, and what comes after.
        if (thread.enteredAt === 0) {
          thread.isDisturbed = true;
          answerFault(state, thread);
        }
        break;
      case K.unmap_hva:
        unmapHva(state, thread, batch.addr[row]!, batch.len[row]!);
        state.settle();
        return;
      default:
        this.#rareEvent(batch, row, kind);
    }
    thread.repeatedFrom = -1;
    state.settle();
  }

  #rareEvent(batch: EventBatch, row: number, kind: number): void {
    const state = this.#state;
    const thread = state.thread(batch.pid[row]!);
    switch (kind) {
      case K.age_hva:
        ageHva(state, thread, batch.addr[row]!, batch.len[row]!);
        return;
      case K.set_spte_hva:
        setSpteHva(state, thread, batch.addr[row]!);
        return;
      case K.dirty_ring_reset:
        resetRing(state);
        return;
      case K.commit_region:
        if (this.#table === undefined) this.#commit(batch, row);
        return;
      case K.flush_shadow_all:
        this.#commits.gone(batch.kvm[row]!);
        return;
      case K.lost:
        this.#lost();
        return;
      default:
    }
  }

  #commit(batch: EventBatch, row: number): void {
    const change = batch.arg0[row]!;
    const newFlags = batch.arg2[row]!;
    // Of a deleted memslot (1) the probe followed a NULL pointer: the rest of it means nothing.
    if (change !== 1 && (newFlags & 1) !== 0) this.#wasLogged = true;
    this.#commits.commit({
      kvm: batch.kvm[row]!,
      pid: batch.pid[row]!,
      change,
      // Without their own arguments: a memslot is known again by its base.
      id: Number.isNaN(batch.arg3[row]!) ? batch.addr[row]! : batch.arg3[row]!,
      basePage: batch.addr[row]!,
      pages: batch.len[row]!,
      hvaBytes: batch.phys[row]!,
      newFlags,
    });
  }

  /** Events are missing here: anything may be mapped anywhere, and any fault may have gone any way. */
  #lost(): void {
    const state = this.#state;
    for (const thread of state.busy) {
      thread.isDisturbed = true;
      answerFault(state, thread);
    }
    for (const vm of state.vms) {
      state.questions.leaveAll(vm.table);
      vm.table.forget();
    }
    state.settle();
  }
}
