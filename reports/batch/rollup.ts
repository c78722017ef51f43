import type { ToolIdentity } from "../tool.ts";
import type { Metric } from "./metrics.ts";
import type { Distribution } from "./percentile.ts";

/**
 * rollup.json: what a fleet of traces shows, for people (the fleet page is made of it), for scripts and for
 * the next roll-up, which tells its drift against this one. It has no wall-clock time and names no
 * machine: the same results give the same bytes, however the work was divided.
 */
export interface Rollup {
  readonly format: typeof ROLLUP_FORMAT;
  readonly version: typeof ROLLUP_VERSION;
  readonly tool: ToolIdentity;
  /** Options of the analysis, as typed. */
  readonly parameters: Readonly<Record<string, string | readonly string[]>>;
  readonly traces: TraceCounts;
  /** Everything without a result, with the reason; by trace. */
  readonly failures: readonly FailureEntry[];
  /** Traces that were named twice or more and are counted once. */
  readonly duplicates: readonly DuplicateEntry[];
  /** What the traces lost or left in doubt: by code. */
  readonly losses: readonly LossEntry[];
  /** What the figures of groups and worst traces are. */
  readonly metrics: readonly Metric[];
  /** By host model, VM type, kernel and policy, each by code unit. */
  readonly groups: readonly GroupEntry[];
  /** Downtime in ms that `above_slo` is about; null where none was named. */
  readonly slo_ms: number | null;
  /** The metric that the worst traces are chosen by; null where there is no trace with it. */
  readonly worst_by: string | null;
  /** Each trace once, with the policy that is worst for it; the largest first. */
  readonly worst: readonly WorstEntry[];
  /** Against an earlier roll-up; null where none was given. */
  readonly drift: Drift | null;
}

export const ROLLUP_FORMAT = "tlbi-replay/rollup";
/** Grows by one when a member is added, removed or changes its meaning. */
export const ROLLUP_VERSION = 1;

/** planned = done + failed + missing; refused and duplicates stand beside them. */
export interface TraceCounts {
  readonly planned: number;
  readonly done: number;
  readonly failed: number;
  /** Nobody has worked on them yet. */
  readonly missing: number;
  /** Named, and left out by the plan. */
  readonly refused: number;
  readonly duplicates: number;
  /** Of those done: they lost data, so their figures are bounds. */
  readonly lossy: number;
  /** Of those done: inferred from stock tracepoints, so their figures are bounds. */
  readonly inferred: number;
}

export interface FailureEntry {
  readonly trace: string;
  /** Null where it was refused by the plan. */
  readonly key: string | null;
  /** `MISSING` where nobody has worked on it. */
  readonly code: string;
  readonly message: string;
}

export interface DuplicateEntry {
  readonly trace: string;
  readonly same_as: string;
}

export interface LossEntry {
  readonly code: string;
  /** dataLoss and error make results bounds; notice and info do not. */
  readonly severity: string;
  readonly sentence: string;
  /** Traces that have it. */
  readonly traces: number;
  /** Times, all traces together. */
  readonly count: number;
}

export interface GroupKey {
  readonly host_model: string;
  readonly vm_type: string;
  readonly kernel: string;
  readonly policy: string;
}

export interface GroupEntry extends GroupKey {
  readonly traces: number;
  /** Of them: their figures are bounds. */
  readonly lossy: number;
  /** Of the traces that say whether a migration converges; null where none does. */
  readonly not_converging: Share | null;
  /** Of the traces with an estimated downtime; null without one, or without an SLO. */
  readonly above_slo: Share | null;
  /** By name of the metric. */
  readonly metrics: Readonly<Record<string, Distribution>>;
}

/** So many of so many. */
export interface Share {
  readonly traces: number;
  readonly of: number;
}

export interface WorstEntry extends GroupKey {
  /** From 1. */
  readonly rank: number;
  readonly trace: string;
  readonly key: string;
  readonly value: number;
  readonly is_lossy: boolean;
  /** The result document, relative to the store of results. */
  readonly result: string;
  /** The page of the trace, relative to rollup.json; null where there is none. */
  readonly report: string | null;
}

export interface Drift {
  readonly tool_before: ToolIdentity;
  /** The figures may differ because something else was computed. */
  readonly parameters_changed: boolean;
  readonly traces_before: TraceCounts;
  /** Figures that changed, by group and metric. */
  readonly changes: readonly DriftEntry[];
  readonly groups_appeared: readonly GroupKey[];
  readonly groups_vanished: readonly GroupKey[];
}

export interface DriftEntry extends GroupKey {
  readonly metric: string;
  readonly statistic: "p50" | "p95" | "p99";
  readonly before: number;
  readonly after: number;
  /** (after − before) / before; null where before is 0. */
  readonly relative: number | null;
  readonly n_before: number;
  readonly n_after: number;
}

/** The text of rollup.json. */
export function rollupJson(rollup: Rollup): string {
  return `${JSON.stringify(rollup, null, 2)}\n`;
}

/** The members of a group in the order in which groups are compared. */
export function groupKeyText({ host_model, vm_type, kernel, policy }: GroupKey): string {
  return JSON.stringify([host_model, vm_type, kernel, policy]);
}
