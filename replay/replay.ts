import type { Diagnostics } from "../ingest/diagnostics.ts";
import type { EventBatch } from "../ingest/events/columns.ts";
import type { PointerTable } from "../ingest/events/pointers.ts";
import { ContextRegistry, type StartAssumption } from "./contexts/registry.ts";
import { ReplayEngine, type RowObserver } from "./engine.ts";
import { Path } from "./paths.ts";
import type { RequestMode } from "./operations/brackets.ts";
import { FanOut, type WalkWatcher } from "./fan-out.ts";
import type { CpuFeatures } from "./policies/features.ts";
import type { Policy } from "./policies/flags.ts";
import type { OperationContext } from "./policies/operation.ts";
import { PolicyReplay } from "./policies/policy-replay.ts";
import type { Agreement, FlushRow, InstructionRow } from "./results.ts";
import { Settlement, type SettlementListener } from "./settlement.ts";
import { geometryOf, type PageShift } from "./stage2/geometry.ts";
import { type OperationCounts, ReplayState } from "./state.ts";
import { Tally } from "./tally.ts";
import { Primitive, PRIMITIVES, type PrimitiveName } from "./tlbi/primitives.ts";
import type { PrimitiveCall } from "./tlbi/instructions.ts";
import { AgreementTally, type Mismatch } from "./verify/agreement.ts";

/** Everything that decides a replay; the command line fills it, with the origin of each value kept there. */
export interface ReplayConfig {
  readonly pageShift: PageShift;
  /** Policies to replay, in report order, with the features of the CPU that they run on. */
  readonly policies: readonly { readonly policy: Policy; readonly features: CpuFeatures }[];
  /**
   * The recorded kernel's own policy and CPU, where known: from its fit, state is learned, and it says
   * how recorded calls become instructions.
   */
  readonly reference: { readonly policy: Policy; readonly features: CpuFeatures } | undefined;
  /** Compare every policy with the recorded calls. */
  readonly compare: boolean;
  readonly requestMode: RequestMode;
  /** Are the primitives' probes enabled? Undefined: found out from the trace. */
  readonly primitivesProbed: boolean | undefined;
  readonly start: StartAssumption;
  /** IPA bits of the VMs; undefined: 40 until the trace shows otherwise. */
  readonly ipaBits: number | undefined;
  /** Recorded on 7.0 or later: enum kvm_pgtable_prot has two execute bits. */
  readonly hasTwoExecuteBits: boolean;
  /** Recorded before 5.15: a map call that meets its own leaf succeeds (later: -EAGAIN). Default false. */
  readonly mapToleratesUnchanged?: boolean;
  /** Recorded on 6.6 or later: requests for a memslot's flush name its range. Default: found out. */
  readonly requestsNameRanges?: boolean;
}

export interface PolicyFit {
  readonly policy: string;
  readonly calls: Readonly<Record<PrimitiveName, Agreement>>;
  /** Over VM, IPA, IPA_LOCAL and RANGE. */
  readonly matched: number;
  readonly missed: number;
  readonly spurious: number;
  readonly unknown: number;
  /** Matched pairs whose level hint differs. */
  readonly hintMismatches: number;
  readonly mismatches: readonly Mismatch[];
}

export interface ReplayResult {
  readonly flushes: readonly FlushRow[];
  readonly instructions: readonly InstructionRow[];
  /** In the order of the policies; empty unless `compare`. */
  readonly fits: readonly PolicyFit[];
  readonly primitivesRecorded: boolean;
  readonly counts: OperationCounts;
  /** Largest memory of the modelled tables, in bytes. */
  readonly tableBytes: number;
}

/**
 * Follows a replay from its first row to its last: a modelled TLB, or the phases of a migration. Told of every
 * row before the replay is, of every walk, and of every bracket that is settled.
 */
export interface ReplayObserver extends SettlementListener, WalkWatcher, RowObserver {
  /** Called once, before the first row. */
  attach(state: ReplayState): void;
  finish(): void;
}

/** One replay of one trace: feed it batches in order, then ask for the result. */
export class Replay {
  readonly #config: ReplayConfig;
  readonly #state: ReplayState;
  readonly #engine: ReplayEngine;
  readonly #tallies: readonly Tally[];
  readonly #recorded: Tally;
  readonly #agreements: readonly AgreementTally[];
  readonly #observer: ReplayObserver | undefined;

  constructor(
    config: ReplayConfig,
    pointers: PointerTable,
    diagnostics: Diagnostics,
    listener?: SettlementListener,
    /** A listener too; without one nothing is spent on it. */
    observer?: ReplayObserver,
  ) {
    this.#config = config;
    this.#observer = observer;
    const geometry = geometryOf(config.pageShift);
    const operation: OperationContext = { contextId: 0, path: 0, rootLevel: 0, rootAssumed: true };
    const entries = withReference(config);
    const policies = entries.map(
      ({ policy, features }) => new PolicyReplay(policy, features, geometry, operation),
    );
    this.#tallies = entries.map(
      ({ policy, features }) =>
        new Tally(
          policy.id,
          callOf(config.pageShift, policy, features),
          policy.nested === undefined ? undefined : Path.nested,
        ),
    );
    this.#recorded = new Tally("recorded", recordedCallOf(config));
    this.#agreements = config.compare
      ? entries.map(({ policy }) => new AgreementTally(policy.id))
      : [];
    const contexts = new ContextRegistry(
      geometry,
      pointers,
      diagnostics,
      config.start,
      config.ipaBits,
    );
    const settlement = new Settlement({
      policies,
      tallies: this.#tallies,
      recorded: this.#recorded,
      agreements: this.#agreements,
      contexts,
      diagnostics,
      referenceIndex: referenceIndexOf(config),
      listener: observer ?? listener,
    });
    this.#state = new ReplayState({
      geometry,
      contexts,
      diagnostics,
      policies,
      operation,
      fanOut: new FanOut(policies, operation),
      settlement,
      hasTwoExecuteBits: config.hasTwoExecuteBits,
      requestsNameRanges: config.requestsNameRanges ?? false,
      mapToleratesUnchanged: config.mapToleratesUnchanged ?? false,
    });
    if (observer !== undefined) {
      this.#state.fanOut.watcher = observer;
      observer.attach(this.#state);
    }
    this.#engine = new ReplayEngine(
      this.#state,
      config.requestMode,
      config.primitivesProbed ?? false,
    );
  }

  consume(batch: EventBatch): void {
    this.#engine.consume(batch, this.#observer);
  }

  finish(): ReplayResult {
    this.#engine.finish();
    this.#observer?.finish();
    const recorded = this.#engine.primitivesRecorded;
    const shown = this.#tallies.slice(0, this.#config.policies.length);
    const tallies = recorded ? [...shown, this.#recorded] : shown;
    return {
      flushes: tallies.flatMap((tally) => tally.flushRows()),
      instructions: tallies.flatMap((tally) => tally.instructionRows()),
      fits: this.#agreements
        .slice(0, this.#config.policies.length)
        .map((agreement, i) => fitOf(agreement, this.#tallies[i]!, recorded)),
      primitivesRecorded: recorded,
      counts: this.#state.counts,
      tableBytes: this.#state.contexts.store.allocatedBytes,
    };
  }
}

/** How the calls that the trace recorded become instructions: as the recorded kernel's, else the first policy's. */
export function recordedCallOf({ reference, policies, pageShift }: ReplayConfig): PrimitiveCall {
  const entry = reference ?? policies[0];
  if (entry === undefined) throw new Error("a replay needs at least one policy");
  return callOf(pageShift, entry.policy, entry.features);
}

/** The requested policies, and behind them the reference where it is not one of them. */
function withReference(
  config: ReplayConfig,
): readonly { readonly policy: Policy; readonly features: CpuFeatures }[] {
  const { reference, policies } = config;
  if (reference === undefined || referenceAmong(config) >= 0) return policies;
  return [...policies, reference];
}

function referenceAmong({ reference, policies }: ReplayConfig): number {
  return policies.findIndex(
    (entry) => entry.policy === reference?.policy && entry.features === reference.features,
  );
}

function referenceIndexOf(config: ReplayConfig): number {
  if (config.reference === undefined) return -1;
  const index = referenceAmong(config);
  return index >= 0 ? index : config.policies.length;
}

/** How a policy's calls become instructions on a CPU. */
export function callOf(pageShift: PageShift, policy: Policy, features: CpuFeatures): PrimitiveCall {
  return {
    encoding: {
      algorithm: policy.flags.rangeEncoder,
      pageShift,
      lpa2: features.lpa2 && policy.flags.lpa2Aware,
    },
    ipaPage: 0,
    lenPages: 1,
    singlesOnly: policy.flags.unmap === "threshold",
    repeatTlbi: policy.flags.repeatTlbi,
  };
}

function fitOf(agreement: AgreementTally, tally: Tally, recorded: boolean): PolicyFit {
  const agreementOn = (code: number): Agreement =>
    agreement.agreement(code, tally.calls(code), recorded);
  const calls: Record<PrimitiveName, Agreement> = {
    VM: agreementOn(Primitive.VM),
    IPA: agreementOn(Primitive.IPA),
    IPA_LOCAL: agreementOn(Primitive.IPA_LOCAL),
    RANGE: agreementOn(Primitive.RANGE),
    CPU: agreementOn(Primitive.CPU),
    ALL: agreementOn(Primitive.ALL),
  };
  if (!recorded) {
    // Nothing to compare with: all that was predicted is neither confirmed nor refuted.
    const unknown = PRIMITIVES.slice(0, 4).reduce((sum, _, code) => sum + tally.calls(code), 0);
    const none = { matched: 0, missed: 0, spurious: 0, hintMismatches: 0, mismatches: [] };
    return { policy: agreement.policy, calls, ...none, unknown };
  }
  return {
    policy: agreement.policy,
    calls,
    ...agreement.totals(),
    hintMismatches: agreement.hintMismatches,
    mismatches: agreement.mismatches,
  };
}
