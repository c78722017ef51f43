import type { Diagnostics } from "../ingest/diagnostics.ts";
import type { DurationSummary } from "../ingest/durations.ts";
import type { TraceInfo } from "../ingest/reader.ts";
import type { FlushRow, InstructionRow } from "../replay/results.ts";
import type { NestedResult } from "../replay/nested/nested-result.ts";
import type { InferenceResult } from "../replay/inference/inferred-replay.ts";
import type { StallEstimate } from "../replay/timeline/stall-estimate.ts";
import { type DiagnosticEntries, diagnosticEntries } from "./diagnostic-entries.ts";
import { type InferenceEntry, inferenceEntry } from "./inference.ts";
import { type RefillEntry, refillEntry, type RefillReport } from "./refill-entry.ts";
import { type NestedEntry, nestedEntry } from "./nested.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { type StallEntry, stallEntries } from "./stall-entry.ts";
import type { ToolIdentity } from "./tool.ts";

/** An effective setting and where its value comes from: `--cpu`, `capture.json`, `assumed`, … */
export interface SettingEntry {
  readonly name: string;
  readonly value: string | number | boolean | null | readonly string[];
  readonly origin: string;
}

export interface DurationEntry {
  readonly count: number;
  readonly min: number;
  /** Median and 95th percentile: within 1/32. */
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

export interface InputEntry extends DiagnosticEntries {
  /** As given on the command line. */
  readonly path: string;
  /** As stored: compressed where compressed. */
  readonly bytes: number;
  readonly sha256: string;
  readonly format: string;
  readonly layout: string;
  readonly compression: string;
  readonly lines: number;
  readonly events: number;
  /** Trace clock, decimal text because it may exceed a JSON number; null where there is no event. */
  readonly first_ts_ns: string | null;
  readonly last_ts_ns: string | null;
  readonly events_by_name: Readonly<Record<string, number>>;
  /** How long calls took, by function: of traces that record it. */
  readonly durations_ns?: Readonly<Record<string, DurationEntry>>;
}

/** summary.json. No wall-clock time and no host name: a rerun gives the same bytes. */
export interface Summary {
  readonly tool: ToolIdentity & { readonly node: string };
  readonly schema_version: number;
  readonly arguments: readonly string[];
  readonly configuration: readonly SettingEntry[];
  readonly seed?: number;
  readonly inputs: readonly InputEntry[];
  readonly assumptions: readonly string[];
  /** Present where the rows were inferred from stock tracepoints: they are bounds. */
  readonly inference?: InferenceEntry;
  readonly flushes: readonly FlushRow[];
  readonly instructions: readonly InstructionRow[];
  /** Present where a TLB was modelled. */
  readonly refills?: RefillEntry;
  /** Present where the trace shows guest hypervisors. */
  readonly nested?: NestedEntry;
  /** Present where pages or tables by time were made: the flushes in time, estimated, by calibration. */
  readonly stall?: readonly StallEntry[];
  readonly explanations: readonly string[];
}

export interface SummaryInput {
  readonly tool: ToolIdentity;
  /** The command line without node and script. */
  readonly argv: readonly string[];
  readonly configuration: readonly SettingEntry[];
  readonly seed?: number | undefined;
  readonly inputs: readonly { readonly info: TraceInfo; readonly diagnostics: Diagnostics }[];
  readonly assumptions: readonly string[];
  readonly inference?: InferenceResult | undefined;
  readonly flushes: readonly FlushRow[];
  readonly instructions: readonly InstructionRow[];
  readonly refills?: RefillReport | undefined;
  readonly nested?: NestedResult | undefined;
  readonly stall?: readonly StallEstimate[] | undefined;
  /** Sentences on what the numbers do not show, such as an open loop. */
  readonly explanations: readonly string[];
}

export function buildSummary(input: SummaryInput): Summary {
  return {
    tool: { name: input.tool.name, version: input.tool.version, node: process.version },
    schema_version: SCHEMA_VERSION,
    arguments: [...input.argv],
    configuration: input.configuration.map(({ name, value, origin }) => ({ name, value, origin })),
    ...(input.seed === undefined ? {} : { seed: input.seed }),
    inputs: input.inputs.map(({ info, diagnostics }) => inputEntry(info, diagnostics)),
    assumptions: [...input.assumptions],
    ...(input.inference === undefined ? {} : { inference: inferenceEntry(input.inference) }),
    flushes: input.flushes.map(flushEntry),
    instructions: input.instructions.map(({ policy, instruction, count }) => ({
      policy,
      instruction,
      count,
    })),
    ...(input.refills === undefined ? {} : { refills: refillEntry(input.refills, input.flushes) }),
    ...(input.nested === undefined ? {} : { nested: nestedEntry(input.nested) }),
    ...(input.stall === undefined ? {} : { stall: stallEntries(input.stall) }),
    explanations: [...input.explanations],
  };
}

/** The text of summary.json: two-space indent, a newline at the end. */
export function summaryJson(summary: Summary): string {
  return `${JSON.stringify(summary, null, 2)}\n`;
}

/** Provenance of one input, ready for any JSON report. */
export function inputEntry(info: TraceInfo, diagnostics: Diagnostics): InputEntry {
  return {
    path: info.path,
    bytes: info.bytes,
    sha256: info.sha256,
    format: info.format,
    layout: info.layout,
    compression: info.compression,
    lines: info.lines,
    events: info.events,
    first_ts_ns: absoluteNs(info.baseNs, info.firstTsNs),
    last_ts_ns: absoluteNs(info.baseNs, info.lastTsNs),
    events_by_name: Object.fromEntries([...info.eventsByName].sort(byName)),
    ...(info.durations === undefined ? {} : { durations_ns: durationEntries(info.durations) }),
    ...diagnosticEntries(diagnostics),
  };
}

function durationEntries(
  durations: ReadonlyMap<string, DurationSummary>,
): Record<string, DurationEntry> {
  const entries = [...durations].map(
    ([name, { count, minNs, medianNs, p95Ns, maxNs }]) =>
      [name, { count, min: minNs, median: medianNs, p95: p95Ns, max: maxNs }] as const,
  );
  return Object.fromEntries(entries.sort(byName));
}

/** Rows are copied key by key, so that their order in the JSON does not depend on who built them. */
function flushEntry(row: FlushRow): FlushRow {
  const { policy, path, primitive, calls, tlbi, dsb, pages, unknown_calls } = row;
  return { policy, path, primitive, calls, tlbi, dsb, pages, unknown_calls };
}

/** Exact: the relative time is a whole number of ns below 2^53, the base a bigint. */
export function absoluteNs(baseNs: bigint, relativeNs: number): string | null {
  return Number.isNaN(relativeNs) ? null : String(baseNs + BigInt(Math.round(relativeNs)));
}

/** By code unit, not by locale. */
function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  if (a[0] === b[0]) return 0;
  return a[0] < b[0] ? -1 : 1;
}
