import type { Geometry } from "../../stage2/geometry.ts";
import type { RangeEncoding } from "../../tlbi/range-encoder.ts";
import type { TlbShape, WalkGeometry } from "../shape.ts";
import type { KnobName, RefillKnobs } from "./knobs.ts";

/** Everything that decides what a modelled TLB does; the command line fills it. */
export interface RefillModelConfig {
  readonly tlb: string;
  readonly shape: TlbShape;
  readonly walk: WalkGeometry;
  readonly geometry: Geometry;
  readonly knobs: RefillKnobs;
  /** Knobs that the user set: they do not vary. */
  readonly fixed: ReadonlySet<KnobName>;
  /** Draw refills against TLB size too. */
  readonly curves: boolean;
  readonly stream: "generated" | "proven";
  /** By policy, in the order of the replay: how its kernel cuts ranges. */
  readonly encodings: readonly RangeEncoding[];
}
