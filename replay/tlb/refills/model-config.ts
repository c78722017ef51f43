import type { Geometry } from "../../stage2/geometry.ts";
import type { RangeEncoding } from "../../tlbi/range-encoder.ts";
import type { TlbShape, WalkGeometry } from "../shape.ts";
import type { KnobName, RefillKnobs } from "./knobs.ts";
import type { RecordedAccesses, StreamKind } from "./streams.ts";

/** Everything that decides what a modelled TLB does; the command line fills it. */
export interface RefillModelConfig {
  readonly tlb: string;
  readonly shape: TlbShape;
  readonly walk: WalkGeometry;
  readonly geometry: Geometry;
  readonly knobs: RefillKnobs;
  /** Knobs that the user set: they do not vary. */
  readonly fixed: ReadonlySet<KnobName>;
  readonly stream: StreamKind;
  /** As reports name it. Default: its kind. */
  readonly streamName?: string;
  /** Present where the stream is a file's. */
  readonly recorded?: RecordedAccesses;
  /** Draw refills against TLB size too. */
  readonly curves: boolean;
  /** By policy, in the order of the replay: how its kernel cuts ranges; undefined: they take the whole VM. */
  readonly encodings: readonly (RangeEncoding | undefined)[];
}
