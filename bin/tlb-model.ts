import { callOf, type ReplayConfig } from "../replay/replay.ts";
import { geometryOf } from "../replay/stage2/geometry.ts";
import { type ChosenShape, shapeOf, walkGeometryOf } from "../replay/tlb/preset-shape.ts";
import { type KnobName, KNOBS, knobsOf, type RefillKnobs } from "../replay/tlb/refills/knobs.ts";
import { RefillModel } from "../replay/tlb/refills/refill-model.ts";
import { refillResult } from "../replay/tlb/refills/refill-rows.ts";
import { KNOBS_OF } from "../replay/tlb/refills/scenarios.ts";
import type { RefillReport } from "../reports/refill-entry.ts";
import type { SharedValues } from "./options.ts";
import type { StreamFile } from "./stream-file.ts";
import { LIST } from "./tlb-values.ts";
import { badOption } from "./values.ts";

export const TLB_OPTIONS = [
  "tlb",
  "stream",
  "stream-map",
  "stream-time",
  "stream-address",
  "stream-damon",
  "tlb-seeds",
  "tlb-set",
  "tlb-knob",
] as const;
export type TlbOptions = Pick<SharedValues, (typeof TLB_OPTIONS)[number]>;

/** IPA bits where neither options nor the trace say: KVM's own default. */
const DEFAULT_IPA_BITS = 40;

/** The modelled TLB that the options ask for, and what it rests on. */
export interface ChosenModel {
  readonly model: RefillModel;
  readonly chosen: ChosenShape;
  readonly knobs: RefillReport["knobs"];
  readonly streamFile: StreamFile | undefined;
}

/** Throws TraceError BAD_OPTION where an option of the TLB is given without one. */
export function checkTlbOptions(options: TlbOptions): void {
  if (options.tlb !== undefined) return;
  for (const name of TLB_OPTIONS) {
    if (options[name] !== undefined) {
      throw badOption(name, "says how a TLB is modelled, and there is none", "give --tlb PRESET");
    }
  }
}

/**
 * Undefined without `--tlb`.
 * @param streamFile what `--stream` names, read.
 * @param baseNs what the trace's times count from; called once it is being read.
 */
export function chooseModel(
  options: TlbOptions,
  config: ReplayConfig,
  streamFile: StreamFile | undefined,
  baseNs: () => bigint,
): ChosenModel | undefined {
  const preset = options.tlb;
  if (preset === undefined || preset === LIST) return undefined;
  const given = givenKnobs(options);
  const knobs = knobsOf(given);
  const chosen = shapeOf(preset, options["tlb-set"] ?? []);
  const recorded = streamFile?.accesses(baseNs, given.has("visitsPerUs"));
  const stream = recorded?.kind ?? (options.stream?.kind === "proven" ? "proven" : "generated");
  const isPaced = recorded?.kind !== "statistics" || recorded.isPaced;
  const names = KNOBS_OF[stream].filter((name) => isPaced || name !== "visitsPerUs");
  const foreign = [...given.keys()].find((name) => !names.includes(name));
  if (foreign !== undefined) {
    const which = originOf(foreign, options).slice(2);
    throw badOption(which, `${foreign} says nothing of a stream that is ${stream}`);
  }
  const walk = walkGeometryOf(config.pageShift, config.ipaBits ?? DEFAULT_IPA_BITS);
  const model = new RefillModel({
    tlb: preset.id,
    shape: chosen.shape,
    walk,
    geometry: geometryOf(config.pageShift),
    knobs,
    // Absolute rates leave no pace to vary.
    fixed: new Set([...given.keys(), ...(isPaced ? [] : (["visitsPerUs"] as const))]),
    stream,
    ...(streamFile === undefined || recorded === undefined
      ? {}
      : { streamName: streamFile.report.name, recorded }),
    curves: true,
    encodings: config.policies.map(
      ({ policy, features }) => callOf(config.pageShift, policy, features).encoding,
    ),
  });
  return { model, chosen, knobs: knobEntries(names, knobs, options), streamFile };
}

/** The knobs that say something, with their values and who set them. */
export function knobEntries(
  names: readonly KnobName[],
  knobs: RefillKnobs,
  options: TlbOptions,
): RefillReport["knobs"] {
  const given = givenKnobs(options);
  return names.map((name) => ({
    name,
    value: KNOBS[name].names?.[knobs[name]] ?? knobs[name],
    range: given.has(name) ? undefined : KNOBS[name].range,
    unit: KNOBS[name].unit,
    meaning: KNOBS[name].meaning,
    origin: given.has(name) ? originOf(name, options) : `assumed: ${KNOBS[name].reason}`,
  }));
}

/** What the user set. */
export function givenKnobs(options: TlbOptions): ReadonlyMap<KnobName, number> {
  const given = new Map<KnobName, number>(options["tlb-knob"] ?? []);
  if (options["tlb-seeds"] !== undefined) given.set("seeds", options["tlb-seeds"]);
  return given;
}

/** What the model found, once the replay is over. */
export function reportOf(
  { model, chosen, knobs, streamFile }: ChosenModel,
  policies: readonly string[],
  baseNs: bigint,
): RefillReport {
  return {
    baseNs,
    result: refillResult(model, policies),
    shape: chosen.sources,
    knobs,
    walk: model.config.walk,
    streamFile: streamFile?.report,
  };
}

/** What `--tlb` can say of a trace whose operations are only inferred. */
export function noRefills({ model }: ChosenModel): string {
  const { tlb, shape } = model.config;
  const { sets, ways } = shape.secondLevel;
  const entries = shape.firstLevelEntries + sets * ways * shape.coalescedPages;
  return `no TLB is modelled where stage-2 operations are inferred from stock tracepoints: the trace shows neither which leaves exist nor which entries a flush takes away, so refills, stale hits and curves are unknown; all that holds is the hard bound: each flush call above costs at most ${entries} refills on each PE of ${tlb} (all its entries). Record the probes of \`capture\` for more`;
}

export function originOf(name: KnobName, options: TlbOptions): string {
  return name === "seeds" && options["tlb-seeds"] !== undefined ? "--tlb-seeds" : "--tlb-knob";
}
