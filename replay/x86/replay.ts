import type { Diagnostics } from "../../ingest/diagnostics.ts";
import type { EventBatch } from "../../ingest/events/columns.ts";
import type { PolicyFit } from "../replay.ts";
import type { Agreement, FlushRow } from "../results.ts";
import { Tally } from "../tally.ts";
import { Primitive, type PrimitiveName } from "../tlbi/primitives.ts";
import { AgreementTally } from "../verify/agreement.ts";
import { type VmStatistics, X86Books, type X86Listener } from "./books.ts";
import { X86Engine } from "./engine.ts";
import { RunningVcpus } from "./guests.ts";
import type { X86Policy } from "./policies/flags.ts";
import { type X86Costs, X86PolicyReplay } from "./policy-replay.ts";
import { X86RefillModel, type X86Tlb } from "./refills.ts";
import type { PresentForm } from "./spte.ts";
import type { RefillResult } from "../tlb/refills/refill-result.ts";
import { refillResult } from "../tlb/refills/refill-rows.ts";

/** Everything that decides a replay of an x86 trace. */
export interface X86ReplayConfig {
  /** In report order. */
  readonly policies: readonly X86Policy[];
  /** Compare every policy with the recorded flushes. */
  readonly compare: boolean;
  /** Predict without the recorded flushes: yields are then not known. */
  readonly operationsOnly: boolean;
  /** How the recorded kernel marks entries; undefined: found out. */
  readonly presentForm: PresentForm | undefined;
  /** Whether kvm_flush_remote_tlbs was probed; undefined: found out. */
  readonly flushesProbed: boolean | undefined;
}

export interface X86ReplayResult {
  readonly flushes: readonly FlushRow[];
  /** In the order of the policies; empty unless `compare`. */
  readonly fits: readonly PolicyFit[];
  readonly flushesRecorded: boolean;
  /** By policy. */
  readonly costs: readonly X86Costs[];
  readonly tablesRemoved: number;
  /** Present where a TLB was modelled. */
  readonly refills: RefillResult | undefined;
  /** Changes of entries and other operations that the trace shows. */
  readonly operations: number;
  /** Flushes recorded, those that interrupted a running vCPU, and interrupts; undefined without entries and exits. */
  readonly interrupts: { readonly kicks: number; readonly sent: number } | undefined;
  readonly statistics: readonly VmStatistics[];
  /** Changes whose old entry was not the modelled one. */
  readonly disagreements: number;
  readonly tableBytes: number;
}

/** One replay of one x86 trace: feed it batches in order, then ask for the result. */
export class X86Replay {
  readonly #config: X86ReplayConfig;
  readonly #books: X86Books;
  readonly #engine: X86Engine;
  readonly #tallies: readonly Tally[];
  readonly #recorded = new Tally("recorded", undefined);
  readonly #agreements: readonly AgreementTally[];
  readonly #policies: readonly X86PolicyReplay[];

  readonly #refills: X86RefillModel | undefined;

  /** @param tlb a TLB to model. */
  constructor(
    config: X86ReplayConfig,
    diagnostics: Diagnostics,
    listener?: X86Listener,
    tlb?: X86Tlb,
  ) {
    this.#refills = tlb === undefined ? undefined : new X86RefillModel(tlb, config.policies.length);
    this.#config = config;
    const running = new RunningVcpus();
    this.#policies = config.policies.map((policy, i) => new X86PolicyReplay(policy, i, running));
    this.#tallies = config.policies.map(({ id }) => new Tally(id, undefined));
    this.#agreements = config.compare
      ? config.policies.map(({ id }) => new AgreementTally(id))
      : [];
    this.#books = new X86Books({
      running,
      policies: this.#policies,
      tallies: this.#tallies,
      recorded: this.#recorded,
      agreements: this.#agreements,
      diagnostics,
      presentForm: config.presentForm,
      listener,
      refills: this.#refills,
    });
    this.#engine = new X86Engine(this.#books, diagnostics, config.operationsOnly);
  }

  get books(): X86Books {
    return this.#books;
  }

  consume(batch: EventBatch): void {
    this.#engine.consume(batch);
  }

  finish(): X86ReplayResult {
    this.#engine.finish();
    this.#refills?.finish();
    const recorded = this.#engine.flushesRecorded > 0 || this.#config.flushesProbed === true;
    const tallies = recorded ? [...this.#tallies, this.#recorded] : this.#tallies;
    const tables = [...this.#books.tables()];
    const { running, kicks, interrupts, tablesRemoved, statistics } = this.#books;
    return {
      flushes: tallies.flatMap((tally) => tally.flushRows()),
      fits: this.#agreements.map((agreement, i) => fitOf(agreement, this.#tallies[i]!, recorded)),
      flushesRecorded: recorded,
      costs: this.#policies.map(({ costs }) => costs),
      tablesRemoved,
      operations: this.#engine.operations,
      refills:
        this.#refills === undefined
          ? undefined
          : refillResult(
              this.#refills,
              this.#config.policies.map(({ id }) => id),
            ),
      interrupts: running.isKnown ? { kicks, sent: interrupts } : undefined,
      statistics,
      disagreements: tables.reduce((sum, table) => sum + table.disagreements, 0),
      tableBytes: tables.reduce((sum, table) => sum + table.allocatedBytes, 0),
    };
  }
}

function fitOf(agreement: AgreementTally, tally: Tally, recorded: boolean): PolicyFit {
  const of = (code: number): Agreement => agreement.agreement(code, tally.calls(code), recorded);
  const calls: Record<PrimitiveName, Agreement> = {
    VM: of(Primitive.VM),
    IPA: of(Primitive.IPA),
    IPA_LOCAL: of(Primitive.IPA_LOCAL),
    RANGE: of(Primitive.RANGE),
    CPU: of(Primitive.CPU),
    ALL: of(Primitive.ALL),
  };
  if (recorded) {
    const { hintMismatches, mismatches, policy } = agreement;
    return { policy, calls, ...agreement.totals(), hintMismatches, mismatches };
  }
  const unknown = tally.calls(Primitive.VM) + tally.calls(Primitive.RANGE);
  const none = { matched: 0, missed: 0, spurious: 0, hintMismatches: 0, mismatches: [] };
  return { policy: agreement.policy, calls, ...none, unknown };
}
