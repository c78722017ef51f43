import { TraceError } from "../ingest/errors.ts";
import type { Architecture, TlbRequest } from "../replay/architectures/architecture.ts";
import { type ChosenShape, shapeOf } from "../replay/tlb/preset-shape.ts";
import { knobsOf } from "../replay/tlb/refills/knobs.ts";
import type { RefillReport } from "../reports/refill-entry.ts";
import type { TraceRun } from "./opened-trace.ts";
import { givenKnobs, knobEntries, originOf, TLB_OPTIONS, type TlbOptions } from "./tlb-model.ts";
import { LIST } from "./tlb-values.ts";

/** The TLB that an architecture with rooms of its own is asked to model, and what the report says of it. */
export interface ArchitectureTlb {
  readonly request: TlbRequest;
  readonly chosen: ChosenShape;
  readonly knobs: RefillReport["knobs"];
  readonly walk: RefillReport["walk"];
}

/**
 * Undefined without `--tlb`.
 * @param because what tells the architecture, in words.
 * @throws TraceError BAD_OPTION for an option that says nothing there: none is passed over.
 */
export function architectureTlb(
  options: TlbOptions,
  architecture: Architecture,
  because: string,
): ArchitectureTlb | undefined {
  const preset = options.tlb;
  if (preset === undefined || preset === LIST) return undefined;
  const refuse = (option: string, sentence: string): TraceError =>
    new TraceError(
      "BAD_OPTION",
      `${sentence}, and this is a trace of ${architecture.label} (${because})`,
      `--${option}`,
    );
  const { tlb } = architecture;
  if (tlb === undefined) throw refuse("tlb", "no TLB is modelled there");
  for (const name of TLB_OPTIONS) {
    if (!name.startsWith("stream") || options[name] === undefined) continue;
    if (name === "stream" && options.stream?.kind === "generated") continue;
    throw refuse(name, "accesses are always generated on whole-VM flushes");
  }
  const given = givenKnobs(options);
  for (const name of given.keys()) {
    if (tlb.knobs.includes(name)) continue;
    throw refuse(
      originOf(name, options).slice(2),
      `${name} has no effect on what is modelled there (${tlb.knobs.join(", ")} have)`,
    );
  }
  const knobs = knobsOf(given);
  const chosen = shapeOf(preset, options["tlb-set"] ?? []);
  const fixed = new Set(given.keys());
  return {
    request: { id: preset.id, shape: chosen.shape, knobs, fixed },
    chosen,
    knobs: knobEntries(tlb.knobs, knobs, options),
    walk: tlb.walk,
  };
}

/** What the replay found with it. */
export function architectureReport(
  { chosen, knobs, walk }: ArchitectureTlb,
  { result, info }: TraceRun,
): RefillReport | undefined {
  if (result.refills === undefined) return undefined;
  return { baseNs: info.baseNs, result: result.refills, shape: chosen.sources, knobs, walk };
}
