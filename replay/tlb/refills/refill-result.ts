import type { PathName } from "../../paths.ts";
import type { MissCurveRow } from "../miss-curve.ts";
import type { Hypothesis } from "../shape.ts";
import type { StreamKind } from "./streams.ts";

/**
 * One row per policy, hypothesis and path with an effect, in the order: policies as requested,
 * hypotheses and paths in table order; a policy without any has one row, path `unattributed`. Every
 * number but the counts is an estimate under the stream's assumptions; null: nobody was seen in a guest.
 */
export interface RefillRow {
  readonly policy: string;
  readonly tlb: string;
  readonly stream: string;
  /** Accesses that miss under the policy and would have hit had it dropped only what changed: median. */
  readonly combined_refills: number | null;
  readonly stage2_refills: number | null;
  /** Further memory references of all walks; below 0 where the policy's walks found more in the caches. */
  readonly walk_references: number | null;
  readonly stale_hits: number | null;
  readonly hypothesis: Hypothesis;
  readonly path: PathName;
  /** Of combined_refills: least and most over the seeds, and over all scenarios. */
  readonly refills_seed_min: number | null;
  readonly refills_seed_max: number | null;
  readonly refills_low: number | null;
  readonly refills_high: number | null;
  readonly seeds: number;
  /** Page visits simulated with the base's first seed. */
  readonly visits: number;
  readonly episodes: number;
  readonly episodes_simulated: number;
}

/** A use of a translation that the page table no longer held, of the first few of a policy. */
export interface StaleExample {
  readonly policy: string;
  readonly hypothesis: Hypothesis;
  /** On the trace's clock, at the latest. */
  readonly tsNs: number;
  readonly cpu: number;
  /** Thread of the vCPU. */
  readonly pid: number;
  readonly ipa: number;
  readonly isWrite: boolean;
  /** What the TLB still held, and what became of it in the table. */
  readonly held: string;
  /** What the policy issued when it had its last chance to drop it, and when that was. */
  readonly flush: string;
  readonly flushNs: number | null;
}

/** Sums of one policy under one hypothesis, with what they rest on. */
export interface RefillTotal {
  readonly policy: string;
  readonly hypothesis: Hypothesis;
  readonly combined: Spread;
  /** Null where entries of one stage are not flushed by themselves. */
  readonly stage2: Spread | null;
  readonly walkReferences: Spread;
  readonly staleHits: number;
  /** Most refills that any stream can have, of the calls that are certain or possible. */
  readonly bound: number;
}

export interface Spread {
  readonly median: number;
  readonly seedMin: number;
  readonly seedMax: number;
  readonly low: number;
  readonly high: number;
}

/** Refills of one policy by the closed form, from the same rates and the same time between flushes. */
export interface ClosedFormTotal {
  readonly policy: string;
  readonly refills: number;
  /** Times between two flushes in which the guest ran. */
  readonly intervals: number;
}

export interface ClosedForm {
  readonly totals: readonly ClosedFormTotal[];
  /** Second-level entries, and most translations of a guest, that the formula speaks of. */
  readonly entries: number;
  readonly translations: number;
}

/** Two policies on the same visits: base's refills of the first minus those of the second, by seed. */
export interface RefillDifference {
  readonly hypothesis: Hypothesis;
  readonly policy: string;
  readonly than: string;
  readonly combined: Spread;
  readonly walkReferences: Spread;
  readonly verdict: "fewer" | "more" | "no difference";
  readonly walkVerdict: "fewer" | "more" | "no difference";
}

/** A machine whose flushes take all of a VM: there is no stage to spare, and so nothing to suppose of it. */
export interface WholeVmFlushes {
  /** The one hypothesis under which it is modelled, and what it says there. */
  readonly hypothesis: Hypothesis;
  readonly meaning: string;
  /** Why `stage2_refills` are null. */
  readonly notSplit: string;
  readonly assumptions: readonly string[];
}

export interface RefillResult {
  readonly tlb: string;
  /** Absent: flushes of a stage, under every hypothesis. */
  readonly wholeVm?: WholeVmFlushes | undefined;
  /** As the rows name it. */
  readonly stream: string;
  readonly streamKind: StreamKind;
  readonly isKnown: boolean;
  readonly rows: readonly RefillRow[];
  readonly totals: readonly RefillTotal[];
  readonly differences: readonly RefillDifference[];
  /** The order of the policies by refills is the same under every hypothesis. */
  readonly isStable: boolean;
  readonly order: Readonly<Partial<Record<Hypothesis, readonly (readonly string[])[]>>>;
  /** What the hard bound of one flush is the least of, beside the pages mapped. */
  readonly bound: {
    readonly entries: number;
    readonly walkers: number;
    readonly shortestWalkNs: number;
  };
  /** Pairs whose order by walk references is one under one hypothesis and the other under another. */
  readonly walkFlips: readonly (readonly [policy: string, than: string])[];
  readonly counts: RefillCounts;
  /** Of generated streams: a proven one has no rates. */
  readonly closedForm: ClosedForm | undefined;
  /** The first stale hits of each policy that has any. */
  readonly staleExamples: readonly StaleExample[];
  /** Refills against TLB size; empty where no curve was drawn. */
  readonly missCurve: readonly MissCurveRow[];
}

/** What the numbers rest on, and what they leave out. */
export interface RefillCounts {
  readonly guestMs: number;
  readonly unknownVmMs: number;
  readonly unmodelledPeMs: number;
  readonly pes: number;
  readonly contextsLeftOut: number;
  readonly pagesLeftOut: number;
  readonly visits: number;
  /** Given up: not mapped at that moment, or outside what the trace had mapped until then. */
  readonly visitsUnmapped: number;
  readonly visitsOutside: number;
  /** Visits of simulated episodes that were left out: behind so many the TLB counts as warm. */
  readonly visitsCut: number;
  readonly provenVisits: number;
  readonly provenLost: number;
  readonly episodes: number;
  readonly episodesSimulated: number;
  readonly episodeStride: number;
  readonly seeds: number;
  /** The same under every policy: the loop is open. */
  readonly pagesSplit: number;
  readonly pagesCollapsed: number;
  readonly guestFaults: number;
  /** Faults on pages that the trace had mapped before. */
  readonly refaults: number;
  readonly blocksSplit: number;
}
