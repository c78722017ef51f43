import type { Replacement } from "./tlb-array.ts";

/** An array of TLB entries; one set: fully associative. `sets` is a power of two. */
export interface ArrayShape {
  readonly sets: number;
  readonly ways: number;
  /** Which entry of a set gives way; the one used longest ago (`lru`) where nothing is said. */
  readonly replacement?: Replacement;
}

/** What one PE caches of translations. */
export interface TlbShape {
  /** Entries of the first level for data, in all sets; combined entries only. */
  readonly firstLevelEntries: number;
  /** Its sets, a power of two; 1, fully associative, where nothing is said. */
  readonly firstLevelSets?: number;
  /** First level for instruction fetches; as that for data where nothing is said. */
  readonly firstLevelInstruction?: ArrayShape;
  /** `lru` where nothing is said. */
  readonly firstLevelReplacement?: Replacement;
  /** Combined entries of every size. */
  readonly secondLevel: ArrayShape;
  /** Neighbouring pages that one second-level entry may hold. */
  readonly coalescedPages: 1 | 4;
  /** Entries that hold only stage 2 (IPA to PA). */
  readonly stage2Only: ArrayShape;
  /** Smallest leaf that such an entry may hold: 0 pages, 1 blocks of level 2, 2 blocks of level 1. */
  readonly stage2OnlyFrom: number;
  /** Pointers to stage-1 tables, found by VA. */
  readonly stage1Walk: ArrayShape;
  /** Pointers to stage-2 tables, found by IPA. */
  readonly stage2Walk: ArrayShape;
}

/**
 * What hardware does beyond, or with, what the architecture demands (Arm ARM, TLB maintenance):
 * - `minimum`: each TLBI removes what it must and nothing else, and stage-2-only entries exist for every
 *   leaf size, so that an operation by IPA spares as much as it can.
 * - `combined`: entries as the preset has them. Combined entries hold stage-1 information: the `vmalle1`
 *   behind every IPA or range operation removes all of the VMID's. The default.
 * - `over-invalidating`: any TLBI empties the first level of the PEs that it reaches (documented for the
 *   Cortex-A35 and A55), and one by IPA drops all stage-2 entries of its VMID.
 */
export type Hypothesis = "minimum" | "combined" | "over-invalidating";

export const HYPOTHESES: readonly Hypothesis[] = ["minimum", "combined", "over-invalidating"];

/** How long the walks are and how the levels nest. */
export interface WalkGeometry {
  /** log2 of the entries of a table: 9, 11 or 13 for granules of 4, 16 or 64 KiB. */
  readonly spanShift: number;
  /** Levels of stage 1 and of stage 2 that a page's walk reads, concatenated levels as one. */
  readonly stage1Levels: number;
  readonly stage2Levels: number;
}
