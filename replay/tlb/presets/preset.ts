import type { ArrayShape } from "../shape.ts";
import type { Replacement } from "../tlb-array.ts";

/**
 * How a number is known: read in the manufacturer's manual or slides, measured by somebody who published
 * how, read in a simulator's source, recalled and not checked, or not at all: nothing published was found,
 * and the value is what the model uses in its place.
 */
export type Confidence = "documented" | "measured" | "source-code" | "unverified" | "unknown";

/** A value, how it is known and from where. */
export interface Sourced<T> {
  readonly value: T;
  readonly confidence: Confidence;
  /** Of an unknown number: why that value stands in its place. */
  readonly source: string;
}

/** What is published of a PE's translation caches, and what is used where nothing is. */
export interface TlbPreset {
  readonly id: string;
  /** Products with that core. */
  readonly title: string;
  readonly firstLevelData: Sourced<ArrayShape>;
  readonly firstLevelInstruction: Sourced<ArrayShape>;
  readonly secondLevel: Sourced<ArrayShape>;
  readonly coalescedPages: Sourced<1 | 4>;
  /** Entries with stage 2 only: their array, and the smallest leaf they hold (0 pages, 1 blocks). */
  readonly stage2Only: Sourced<ArrayShape>;
  readonly stage2OnlyFrom: Sourced<0 | 1>;
  /** Pointers to tables, of each stage. */
  readonly walkCache: Sourced<ArrayShape>;
  /** Which entry gives way, in both levels. */
  readonly replacement: Sourced<Replacement>;
  /** In words; no number of the model comes from it. */
  readonly latency: Sourced<string>;
}

export const NOTHING_SAYS = "nothing published was found";

function sourced<T>(value: T, confidence: Confidence, source: string): Sourced<T> {
  return { value, confidence, source };
}

export function documented<T>(value: T, source: string): Sourced<T> {
  return sourced(value, "documented", source);
}

export function measured<T>(value: T, source: string): Sourced<T> {
  return sourced(value, "measured", source);
}

export function inSource<T>(value: T, source: string): Sourced<T> {
  return sourced(value, "source-code", source);
}

export function unverified<T>(value: T, source: string): Sourced<T> {
  return sourced(value, "unverified", source);
}

/** @param value what the model uses. @param why that. */
export function unknown<T>(value: T, why: string): Sourced<T> {
  return sourced(value, "unknown", why);
}

export function sets(count: number, ways: number): ArrayShape {
  return { sets: count, ways };
}

export function full(entries: number): ArrayShape {
  return { sets: 1, ways: entries };
}

/** Where nothing is published: 64 entries, the size that is documented for the Cortex-A55 class. */
export const SMALL_ARRAY: Sourced<ArrayShape> = unknown(
  sets(16, 4),
  `${NOTHING_SAYS}; 64 entries as in the Cortex-A55 class`,
);

/** What most cores say nothing about. */
export const UNTOLD: Pick<
  TlbPreset,
  "coalescedPages" | "stage2Only" | "stage2OnlyFrom" | "walkCache" | "replacement" | "latency"
> = {
  coalescedPages: unknown(1, `${NOTHING_SAYS}; a page an entry`),
  stage2Only: SMALL_ARRAY,
  stage2OnlyFrom: unknown(0, `${NOTHING_SAYS}; leaves of every size`),
  walkCache: SMALL_ARRAY,
  replacement: unknown("lru", `${NOTHING_SAYS}; the least recently used gives way`),
  latency: unknown("", NOTHING_SAYS),
};
