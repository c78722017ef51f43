import { Diagnostics } from "../../ingest/diagnostics.ts";
import type { Policy } from "../policies/flags.ts";
import type { CpuFeatures } from "../policies/features.ts";
import { callOf, Replay, type ReplayConfig } from "../replay.ts";
import { geometryOf } from "../stage2/geometry.ts";
import { walkGeometryOf } from "../tlb/preset-shape.ts";
import { type KnobName, knobsOf } from "../tlb/refills/knobs.ts";
import { RefillModel } from "../tlb/refills/refill-model.ts";
import type { RefillResult } from "../tlb/refills/refill-result.ts";
import { refillResult } from "../tlb/refills/refill-rows.ts";
import type { RecordedAccesses } from "../tlb/refills/streams.ts";
import type { TlbShape } from "../tlb/shape.ts";
import { BOTH, policyOf } from "./replay-of.ts";
import { feedRows } from "./rows.ts";
import type { Trace } from "./trace-builder.ts";

/** 48 entries, then 1280 in 256 sets; stage-2-only entries of blocks, and walk caches, of 64. */
export const SHAPE: TlbShape = {
  firstLevelEntries: 48,
  secondLevel: { sets: 256, ways: 5 },
  coalescedPages: 1,
  stage2Only: { sets: 1, ways: 64 },
  stage2OnlyFrom: 1,
  stage1Walk: { sets: 1, ways: 64 },
  stage2Walk: { sets: 1, ways: 64 },
};

export interface RefillOptions {
  readonly stream?: "generated" | "proven";
  /** In place of `stream`. */
  readonly recorded?: RecordedAccesses;
  readonly knobs?: ReadonlyMap<KnobName, number>;
  readonly shape?: TlbShape;
  readonly features?: CpuFeatures;
  readonly curves?: boolean;
}

/** A model for these policies, and the configuration of a replay with it. */
export function modelOf(
  policies: readonly (string | Policy)[],
  {
    recorded,
    stream = "proven",
    knobs = new Map(),
    shape = SHAPE,
    features = BOTH,
    curves = false,
  }: RefillOptions = {},
): { readonly model: RefillModel; readonly config: ReplayConfig; readonly ids: readonly string[] } {
  const entries = policies.map((policy) => ({ policy: policyOf(policy), features }));
  const model = new RefillModel({
    tlb: "test",
    shape,
    walk: walkGeometryOf(12, 40),
    geometry: geometryOf(12),
    knobs: knobsOf(knobs),
    fixed: new Set(knobs.keys()),
    stream: recorded?.kind ?? stream,
    ...(recorded === undefined ? {} : { recorded }),
    curves,
    encodings: entries.map((entry) => callOf(12, entry.policy, entry.features).encoding),
  });
  const config: ReplayConfig = {
    pageShift: 12,
    policies: entries,
    reference: undefined,
    compare: false,
    requestMode: "detect",
    primitivesProbed: undefined,
    start: "auto",
    ipaBits: 40,
    hasTwoExecuteBits: false,
  };
  return { model, config, ids: entries.map(({ policy }) => policy.id) };
}

/** Refills of a trace that is written as a story. */
export function refillsOf(
  trace: Trace,
  policies: readonly (string | Policy)[],
  options: RefillOptions = {},
): RefillResult {
  const { model, config, ids } = modelOf(policies, options);
  const replay = new Replay(config, trace.pointers, new Diagnostics("test"), undefined, model);
  feedRows(trace.rows, (batch) => replay.consume(batch));
  replay.finish();
  return refillResult(model, ids);
}
