import type { TraceInputs, VmInputs } from "../../replay/migration/inputs.ts";
import type { DowntimeEstimate } from "../../replay/migration/estimate-types.ts";
import type { PublishedCase } from "../../replay/migration/cases/published-case.ts";
import type { QuantityId } from "../../replay/migration/quantities.ts";
import type { PhasePrice } from "../../replay/migration/phase-prices.ts";
import type { InputEntry, SettingEntry } from "../summary.ts";
import type { ToolIdentity } from "../tool.ts";

/** Everything that a report of `downtime` shows. */
export interface DowntimeView {
  readonly tool: ToolIdentity;
  readonly argv: readonly string[];
  readonly estimate: DowntimeEstimate;
  readonly settings: readonly SettingEntry[];
  readonly warnings: readonly string[];
  readonly trace: TraceView | undefined;
  readonly published: CaseView | undefined;
  readonly reports: readonly ReportView[];
  readonly hostModel: string | undefined;
  /** Release of the kernel that recorded the trace. */
  readonly kernel: string | undefined;
}

/** The trace that the inputs are from, and its phases as recorded. */
export interface TraceView {
  readonly input: InputEntry;
  readonly vm: VmInputs;
  readonly inputs: TraceInputs;
  /** What the flushes of each phase cost under each policy. */
  readonly prices: readonly PhasePrice[];
}

/** Seconds of the blackout as recorded; undefined where the trace shows none that ends. */
export function recordedBlackoutS({ vm }: TraceView): number | undefined {
  const blackout = vm.phases.find(({ name }) => name === "blackout");
  if (blackout === undefined || vm.resumedElsewhereNs === undefined) return undefined;
  return (blackout.endNs - blackout.startNs) / 1e9;
}

/** A published case: its own figures, and the estimate that takes nothing from its result. */
export interface CaseView {
  readonly published: PublishedCase;
  readonly agnostic: DowntimeEstimate;
  /** Longest unmap of one full block, before and after. */
  readonly singleBlock: DowntimeEstimate;
}

/** A VMM's report, and what of it the estimate can be held against. */
export interface ReportView {
  readonly path: string;
  readonly format: string;
  readonly vmm: string;
  readonly version: string | null;
  readonly outcome: string;
  readonly values: readonly {
    readonly field: string;
    readonly value: number;
    readonly unit: string;
    readonly kind: string;
  }[];
  readonly comparisons: readonly Comparison[];
  readonly contradictions: readonly string[];
  readonly unknownFields: readonly string[];
  readonly notes: readonly string[];
}

/** A value that was measured against its estimate. */
export interface Comparison {
  readonly what: string;
  readonly quantity: QuantityId;
  readonly policy: string;
  /** s. */
  readonly reported: number;
  readonly p5: number | undefined;
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly verdict: string;
}
