import type { CostName, CostTable } from "../costs/cost-table.ts";
import type { BlackoutPart } from "./blackout.ts";
import type { InputName, InputRanges } from "./draws.ts";
import type { EpochId } from "./epochs.ts";
import type { Evaluation } from "./evaluate.ts";
import type { Interval, PairedDifference } from "./intervals.ts";
import type { CpuChoice, Mechanics } from "./mechanics.ts";
import type { Scenario } from "./monte-carlo.ts";
import type { QuantityId } from "./quantities.ts";
import type { Policy } from "../policies/flags.ts";

/**
 * A policy by itself (with the recorded kernel's epoch, where it is the recorded one), or one of the five epochs
 * by its name.
 */
export type PolicyChoice =
  | { readonly policy: Policy; readonly recorded?: EpochId }
  | { readonly epoch: EpochId };

/** Everything that an estimate rests on. */
export interface EstimateRequest {
  /** At the middle of all ranges. */
  readonly scenario: Scenario;
  /** Why a part of the scenario is missing, in words that name the option. */
  readonly whyNoMigration: string | undefined;
  readonly whyNoRollback: string | undefined;
  readonly ranges: InputRanges;
  readonly table: CostTable;
  readonly policies: readonly PolicyChoice[];
  readonly cpu: CpuChoice;
  /** Lock and walk for every policy. */
  readonly forcedEpoch: EpochId | undefined;
  /** Lock and walk of policies that are no kernel's own. */
  readonly otherwiseEpoch: EpochId;
  /** Choices that nothing settles: each is computed, none is averaged. */
  readonly alternatives: readonly Alternative[];
  readonly draws: number;
  readonly seed: number;
  /** Smallest difference that a measurement could show, s; 0 where there is no trace. */
  readonly resolutionS: number;
  readonly sampling: Sampling;
}

/** One other choice of structure than the request's own. */
export interface Alternative {
  /** Such as `FWB`. */
  readonly dimension: string;
  readonly chosen: string;
  readonly instead: string;
  readonly apply: (request: EstimateRequest) => EstimateRequest;
}

/** What can be drawn again from a trace: the spread of the sample, with the constants held fixed. */
export interface Sampling {
  /** One scenario a replicate. Empty with `because` where the trace gives too little, or there is none. */
  readonly replicates: readonly Scenario[];
  readonly method: string;
  readonly because: string | undefined;
}

/** A quantity of one policy: an interval or the reason why there is none, never a bare number. */
export interface Estimate {
  readonly quantity: QuantityId;
  /** With every constant and input at its most likely value; undefined with the interval. */
  readonly point: number | undefined;
  /** Constants and inputs drawn (layer 2). */
  readonly interval: Interval | undefined;
  /** The trace drawn again (layer 1), constants fixed; undefined where there is nothing to draw. */
  readonly sampling: Interval | undefined;
  /** Why there is no interval. */
  readonly because: string | undefined;
  /** What is certain without one. */
  readonly bounds: { readonly low: number; readonly high: number | undefined } | undefined;
}

export interface PolicyEstimate {
  readonly id: string;
  readonly mechanics: Mechanics;
  /** At the most likely values, with its passes. */
  readonly atModes: Evaluation;
  readonly estimates: readonly Estimate[];
  readonly parts: readonly { readonly part: BlackoutPart; readonly interval: Interval }[];
  /** Share of the draws that converge, and of the replicates; undefined where not asked. */
  readonly pConverge: number | undefined;
  readonly pConvergeSampling: number | undefined;
  readonly sensitivities: readonly Sensitivity[];
}

/** Rank correlation of a constant or input with a quantity: what to measure first. */
export interface Sensitivity {
  readonly quantity: QuantityId;
  readonly name: CostName | InputName;
  readonly correlation: number;
}

export interface PolicyDifference extends PairedDifference {
  readonly policy: string;
  readonly than: string;
  readonly quantity: QuantityId;
}

/** One alternative under one policy. */
export interface StructureRow {
  readonly dimension: string;
  readonly chosen: string;
  readonly instead: string;
  readonly policy: string;
  readonly quantity: QuantityId;
  readonly chosenInterval: Interval | undefined;
  readonly insteadInterval: Interval | undefined;
  /** The other choice's median lies outside of this one's interval. */
  readonly decides: boolean;
}

export interface DowntimeEstimate {
  readonly request: EstimateRequest;
  readonly policies: readonly PolicyEstimate[];
  readonly differences: readonly PolicyDifference[];
  readonly structures: readonly StructureRow[];
  /** The sentence that a report begins with. */
  readonly headline: string;
}
