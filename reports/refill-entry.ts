import type { FlushRow } from "../replay/results.ts";
import { type MissCurveEntry, missCurveEntry } from "./miss-curve.ts";
import { type CostEntry, costEntry, costsOf } from "./refill-costs.ts";
import type { ShapeSource } from "../replay/tlb/preset-shape.ts";
import type { WalkGeometry } from "../replay/tlb/shape.ts";
import type {
  ClosedForm,
  RefillDifference,
  RefillResult,
  RefillRow,
  RefillTotal,
  Spread,
  StaleExample,
} from "../replay/tlb/refills/refill-result.ts";
import { type StreamEntry, streamEntry, type StreamReport } from "./stream-entry.ts";

/** What a report needs of a modelled TLB. */
export interface RefillReport {
  readonly walk: WalkGeometry;
  /** What the trace's relative times count from. */
  readonly baseNs: bigint;
  readonly result: RefillResult;
  readonly shape: readonly ShapeSource[];
  readonly knobs: readonly KnobEntry[];
  /** Present where the accesses are a file's. */
  readonly streamFile?: StreamReport | undefined;
}

export interface KnobEntry {
  readonly name: string;
  readonly value: number | string;
  /** Low and high of a latency that nobody set. */
  readonly range?: readonly [low: number, high: number] | undefined;
  readonly unit: string;
  readonly meaning: string;
  readonly origin: string;
}

interface SpreadEntry {
  readonly median: number;
  readonly seed_min: number;
  readonly seed_max: number;
  readonly low: number;
  readonly high: number;
}

interface ClosedFormEntry {
  readonly formula: string;
  readonly second_level_entries: number;
  readonly translations: number;
  readonly totals: readonly {
    readonly policy: string;
    readonly combined_refills: number;
    readonly intervals: number;
  }[];
}

interface StaleExampleEntry {
  readonly policy: string;
  readonly hypothesis: string;
  /** Trace clock, decimal text because it may exceed a JSON number; at the latest. */
  readonly ts_ns: string;
  readonly cpu: number;
  readonly pid: number;
  readonly ipa: string;
  readonly access: "read" | "write";
  readonly held: string;
  readonly flush: string;
  readonly flush_ts_ns: string | null;
}

/** `refills` of summary.json. */
export interface RefillEntry {
  readonly tlb: string;
  readonly stream: string;
  /** False: the trace shows nobody in a guest, so nothing was simulated and every number is null. */
  readonly is_known: boolean;
  /** The order of the policies is the same under every hypothesis. */
  readonly is_order_stable: boolean;
  /** Pairs of policies that change places by walk references from hypothesis to hypothesis. */
  readonly walk_reference_flips: RefillResult["walkFlips"];
  /** What the hard bound of one flush is the least of, beside the pages mapped. */
  readonly bound_inputs: {
    readonly entries: number;
    readonly walkers: number;
    readonly shortest_walk_ns: number;
  };
  /** From the fewest refills to the most; policies without a difference stand together. */
  readonly order: RefillResult["order"];
  /** Present where the accesses are a file's. */
  readonly stream_file?: StreamEntry;
  readonly assumptions: readonly string[];
  readonly shape: readonly ShapeSource[];
  readonly knobs: readonly KnobEntry[];
  readonly counts: Readonly<Record<string, number>>;
  readonly totals: readonly {
    readonly policy: string;
    readonly hypothesis: string;
    readonly combined_refills: SpreadEntry;
    /** Null where no flush is of one stage. */
    readonly stage2_refills: SpreadEntry | null;
    readonly walk_references: SpreadEntry;
    readonly stale_hits: number;
    readonly hard_bound: number;
  }[];
  readonly differences: readonly {
    readonly hypothesis: string;
    readonly policy: string;
    readonly than: string;
    readonly combined_refills: SpreadEntry;
    readonly verdict: string;
    readonly walk_references: SpreadEntry;
    readonly walk_verdict: string;
  }[];
  /** A cross-check of the generated stream's refills: another model, on the same inputs. */
  readonly closed_form?: ClosedFormEntry;
  /** Separate columns: they are not the same thing, and nothing is summed; none where no latency is stated. */
  readonly costs: readonly CostEntry[];
  /** The first stale hits of each policy that has any: it leaves translations that are gone. */
  readonly stale_examples: readonly StaleExampleEntry[];
  /** Present where curves were drawn. */
  readonly miss_curve?: MissCurveEntry;
  readonly rows: readonly RefillRow[];
}

export function refillEntry(report: RefillReport, flushes: readonly FlushRow[]): RefillEntry {
  const { result, shape, knobs, baseNs, streamFile } = report;
  return {
    tlb: result.tlb,
    stream: result.stream,
    is_known: result.isKnown,
    is_order_stable: result.isStable,
    walk_reference_flips: [...result.walkFlips],
    bound_inputs: {
      entries: result.bound.entries,
      walkers: result.bound.walkers,
      shortest_walk_ns: result.bound.shortestWalkNs,
    },
    order: result.order,
    ...(streamFile === undefined ? {} : { stream_file: streamEntry(streamFile) }),
    assumptions: refillAssumptions(result),
    shape: [...shape],
    knobs: [...knobs],
    counts: countEntries(result),
    totals: result.totals.map(totalEntry),
    differences: result.differences.map(differenceEntry),
    ...(result.closedForm === undefined ? {} : { closed_form: closedEntry(result.closedForm) }),
    costs:
      result.isKnown && result.wholeVm === undefined ? costsOf(report, flushes).map(costEntry) : [],
    stale_examples: result.staleExamples.map((one) => staleEntry(one, baseNs)),
    ...(result.missCurve.length === 0 ? {} : { miss_curve: missCurveEntry(result.missCurve) }),
    rows: [...result.rows],
  };
}

const STREAM_ASSUMPTIONS: Readonly<Record<RefillResult["streamKind"], string>> = {
  generated: "accesses are draws over the pages that the trace maps, by the knobs below: assumed",
  proven:
    "accesses are only those that the trace proves (faults, the markers of test drivers): a lower bound",
  sequence: "the guests do what the file recorded elsewhere; the trace says when they run: assumed",
  timed: "the guests did what the file recorded, at its times",
  statistics: "statistics, not a sequence: accesses are independent draws at the rates of the file",
};

const NO_LATENCY =
  "no latency of a flush by interrupts is stated, so no time is: neither of refills nor of flushes";

/** What is taken for granted, in sentences. */
export function refillAssumptions({
  streamKind,
  counts,
  wholeVm,
}: RefillResult): readonly string[] {
  const assumed = [
    "the guest's virtual addresses are its physical ones (VA = IPA), under one ASID",
    "guest page tables lie in memory that is mapped like the page they map",
    "each CPU in a guest is one PE; L1 is its data side",
    "the loop is open: faults that another policy would have caused or saved are not made up",
  ];
  assumed.push(STREAM_ASSUMPTIONS[streamKind]);
  if (wholeVm !== undefined) {
    assumed.push(...wholeVm.assumptions, wholeVm.notSplit, NO_LATENCY);
  }
  // Every seed sees the same episodes.
  if (counts.episodeStride > 1) {
    assumed.push(
      `of ${counts.episodes} flush episodes ${counts.episodesSimulated} are simulated and weighted, at last every ${counts.episodeStride}th; the range over the seeds does not show what that leaves open`,
    );
  }
  if (counts.visitsCut > 0) {
    assumed.push(
      `${counts.visitsCut} visits that the simulated episodes have beyond capVisits are not made: a TLB counts as warm by then, so refills that come later are missing from every policy's base number (high is taken over a larger capVisits too; --tlb-knob capVisits=n sets it, and takes longer)`,
    );
  }
  const notSeen: readonly (readonly [number, string])[] = [
    [counts.unknownVmMs, "ms in a guest whose VM the trace does not show are left out"],
    [counts.unmodelledPeMs, "ms in a guest on further CPUs are left out"],
    [counts.contextsLeftOut, "times a VM found no VMID of the model: left out"],
    [counts.pagesLeftOut, "pages beyond the footprint's limit are left out"],
    [
      streamKind === "proven" ? counts.provenLost : 0,
      "proven accesses could not be placed (nothing is mapped there, as of a device in the kernel, or the VM or CPU is not known): left out",
    ],
  ];
  for (const [count, text] of notSeen) {
    if (count > 0) assumed.push(`${Math.round(count * 1000) / 1000} ${text}`);
  }
  return assumed;
}

function countEntries({ counts }: RefillResult): Readonly<Record<string, number>> {
  return {
    guest_ms: counts.guestMs,
    unknown_vm_ms: counts.unknownVmMs,
    unmodelled_pe_ms: counts.unmodelledPeMs,
    pes: counts.pes,
    contexts_left_out: counts.contextsLeftOut,
    pages_left_out: counts.pagesLeftOut,
    visits: counts.visits,
    visits_unmapped: counts.visitsUnmapped,
    visits_outside: counts.visitsOutside,
    visits_cut: counts.visitsCut,
    proven_visits: counts.provenVisits,
    proven_lost: counts.provenLost,
    episodes: counts.episodes,
    episodes_simulated: counts.episodesSimulated,
    episode_stride: counts.episodeStride,
    seeds: counts.seeds,
    pages_split: counts.pagesSplit,
    pages_collapsed: counts.pagesCollapsed,
    guest_faults: counts.guestFaults,
    refaults: counts.refaults,
    blocks_split: counts.blocksSplit,
  };
}

function totalEntry(total: RefillTotal): RefillEntry["totals"][number] {
  return {
    policy: total.policy,
    hypothesis: total.hypothesis,
    combined_refills: spreadEntry(total.combined),
    stage2_refills: total.stage2 === null ? null : spreadEntry(total.stage2),
    walk_references: spreadEntry(total.walkReferences),
    stale_hits: total.staleHits,
    hard_bound: total.bound,
  };
}

function differenceEntry(one: RefillDifference): RefillEntry["differences"][number] {
  return {
    hypothesis: one.hypothesis,
    policy: one.policy,
    than: one.than,
    combined_refills: spreadEntry(one.combined),
    verdict: one.verdict,
    walk_references: spreadEntry(one.walkReferences),
    walk_verdict: one.walkVerdict,
  };
}

export const CLOSED_FORM =
  "sum over each policy's flushes of sum(1 - e^(-r v) - r v e^(-r T)) over translations, v visits until the next flush (at most T, where it is sum(1 - (1 + r T) e^(-r T))), r the share of visits, T where sum(1 - e^(-r T)) is the second level's entries";

function closedEntry({ totals, entries, translations }: ClosedForm): ClosedFormEntry {
  return {
    formula: CLOSED_FORM,
    second_level_entries: entries,
    translations,
    totals: totals.map(({ policy, refills, intervals }) => ({
      policy,
      combined_refills: refills,
      intervals,
    })),
  };
}

function staleEntry(one: StaleExample, baseNs: bigint): StaleExampleEntry {
  return {
    policy: one.policy,
    hypothesis: one.hypothesis,
    ts_ns: traceTime(one.tsNs, baseNs),
    cpu: one.cpu,
    pid: one.pid,
    ipa: `0x${one.ipa.toString(16)}`,
    access: one.isWrite ? "write" : "read",
    held: one.held,
    flush: one.flush,
    flush_ts_ns: one.flushNs === null ? null : traceTime(one.flushNs, baseNs),
  };
}

/** Exact: the relative time is below 2^53, the base a bigint. */
export function traceTime(relativeNs: number, baseNs: bigint): string {
  return String(baseNs + BigInt(Math.round(relativeNs)));
}

function spreadEntry({ median, seedMin, seedMax, low, high }: Spread): SpreadEntry {
  return { median, seed_min: seedMin, seed_max: seedMax, low, high };
}
