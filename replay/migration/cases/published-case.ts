import type { Ranged } from "../distribution.ts";

/** A published migration whose numbers are held against the model. */
export interface PublishedCase {
  readonly id: string;
  readonly title: string;
  readonly source: string;
  /** As reported; `least`/`most` bound what was reported. */
  readonly reported: readonly Reported[];
  readonly findings: readonly Finding[];
  readonly parameters: CaseParameters;
  /** Blocks and fill when nothing is taken from the result: what can be said without a trace. */
  readonly agnostic: { readonly blocks: Ranged; readonly fill: Ranged };
  /** Policies before and after, by id. */
  readonly before: string;
  readonly after: string;
}

/** A reported figure that an interval of the model can be held against. */
export interface Reported {
  readonly what: string;
  /** s. */
  readonly seconds: number;
  readonly isUpperBound: boolean;
  readonly policy: "before" | "after";
}

/**
 * `derivable` from what the report gives; `inferred` from its results, so no prediction of them;
 * `contradiction`: two of its numbers that cannot both hold; `unknown`.
 */
export type FindingKind = "derivable" | "inferred" | "contradiction" | "unknown";

export interface Finding {
  readonly kind: FindingKind;
  /** Value with its unit, exactly as computed; undefined for words only. */
  readonly value: string | undefined;
  readonly sentence: string;
}

export interface CaseParameters {
  readonly memoryBytes: number;
  readonly vcpus: number;
  readonly blockBytes: number;
  readonly dirtyBytesPerS: Ranged;
  readonly bandwidthBytesPerS: number;
  readonly downtimeLimitS: number;
  readonly hotSetBytes: Ranged;
  readonly blocks: Ranged;
  readonly fill: Ranged;
}
