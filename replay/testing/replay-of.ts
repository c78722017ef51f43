import { Diagnostics } from "../../ingest/diagnostics.ts";
import type { PathName } from "../paths.ts";
import { type CpuFeatures, featuresFrom } from "../policies/features.ts";
import type { Policy } from "../policies/flags.ts";
import { findPolicy, POLICIES } from "../policies/registry.ts";
import { Replay, type ReplayConfig, type ReplayResult } from "../replay.ts";
import type { FlushRow } from "../results.ts";
import type { SettlementListener } from "../settlement.ts";
import type { PrimitiveName } from "../tlbi/primitives.ts";
import { feedRows } from "./rows.ts";
import type { Trace } from "./trace-builder.ts";

/** Both features that a deferred unmap needs. */
export const BOTH: CpuFeatures = featuresFrom(["tlbirange", "fwb"]);
export const RANGE_ONLY: CpuFeatures = featuresFrom(["tlbirange"]);
export const FWB_ONLY: CpuFeatures = featuresFrom(["fwb"]);
export const NEITHER: CpuFeatures = featuresFrom([]);

export const ALL_IDS: readonly string[] = POLICIES.map((policy) => policy.id);

export interface ReplayOptions extends Partial<Omit<ReplayConfig, "policies" | "reference">> {
  /** Id of the recorded kernel's policy. */
  readonly reference?: string;
  /** Lines to replay: rows from this place on, up to that one. */
  readonly from?: number;
  readonly to?: number;
  readonly diagnostics?: Diagnostics;
  readonly listener?: SettlementListener;
}

/** Replays a trace; policies by id, or as they are. */
export function replayOf(
  trace: Trace,
  policies: readonly (string | Policy)[],
  features: CpuFeatures = BOTH,
  options: ReplayOptions = {},
): ReplayResult {
  const { reference, from = 0, to = trace.rows.length, diagnostics, listener, ...rest } = options;
  const entries = policies.map((policy) => ({ policy: policyOf(policy), features }));
  const config: ReplayConfig = {
    pageShift: trace.pageShift,
    policies: entries,
    reference: reference === undefined ? undefined : { policy: policyOf(reference), features },
    compare: false,
    requestMode: "detect",
    primitivesProbed: undefined,
    start: "auto",
    // Tests of the start level say otherwise.
    ipaBits: 40,
    hasTwoExecuteBits: false,
    ...rest,
  };
  const replay = new Replay(
    config,
    trace.pointers,
    diagnostics ?? new Diagnostics("test"),
    listener,
  );
  feedRows(trace.rows.slice(from, to), (batch) => replay.consume(batch), from + 1);
  return replay.finish();
}

export function policyOf(policy: string | Policy): Policy {
  if (typeof policy !== "string") return policy;
  const found = findPolicy(policy);
  if (found === undefined) throw new Error(`no policy ${policy}`);
  return found;
}

/** Calls of one policy by primitive and path, certain ones and the allowance. */
export function rowsOf(result: ReplayResult, policy: string, path?: PathName): readonly FlushRow[] {
  return result.flushes.filter(
    (row) => row.policy === policy && (path === undefined || row.path === path),
  );
}

export function callsOf(
  result: ReplayResult,
  policy: string,
  primitive: PrimitiveName,
): { readonly calls: number; readonly unknown: number } {
  let calls = 0;
  let unknown = 0;
  for (const row of rowsOf(result, policy)) {
    if (row.primitive !== primitive) continue;
    calls += row.calls;
    unknown += row.unknown_calls;
  }
  return { calls, unknown };
}

/**
 * What a policy issued, in words: `513 IPA + 1 RANGE = 1028 TLBI`; an allowance follows its primitive,
 * `1 IPA (at most 513 more)`.
 */
export function told(result: ReplayResult, policy: string, path?: PathName): string {
  const rows = rowsOf(result, policy, path).filter((row) => row.primitive !== "CPU");
  if (rows.length === 0) return "nothing";
  const parts: string[] = [];
  for (const primitive of ["VM", "IPA", "IPA_LOCAL", "RANGE"] as const) {
    const own = rows.filter((row) => row.primitive === primitive);
    if (own.length === 0) continue;
    const calls = own.reduce((sum, row) => sum + row.calls, 0);
    const unknown = own.reduce((sum, row) => sum + row.unknown_calls, 0);
    parts.push(`${calls} ${primitive}${unknown > 0 ? ` (at most ${unknown} more)` : ""}`);
  }
  const tlbi = rows.reduce((sum, row) => sum + row.tlbi, 0);
  return `${parts.join(" + ")} = ${tlbi} TLBI`;
}

/** `told` of every policy. */
export function toldByAll(result: ReplayResult): Record<string, string> {
  return Object.fromEntries(ALL_IDS.map((id) => [id, told(result, id)]));
}

/** Counts by instruction of one policy. */
export function instructionsOf(result: ReplayResult, policy: string): Record<string, number> {
  const rows = result.instructions.filter((row) => row.policy === policy);
  return Object.fromEntries(rows.map((row) => [row.instruction, row.count]));
}
