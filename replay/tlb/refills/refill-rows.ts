import { PATHS } from "../../paths.ts";
import { HYPOTHESES, type Hypothesis } from "../shape.ts";
import { SHORTEST_WALK_NS, WALKERS } from "./hard-bounds.ts";
import { countsOf, type RefillSums } from "./refill-counts.ts";
import type { Lane } from "./lane.ts";
import { staleExamplesOf } from "./stale-examples.ts";
import type {
  ClosedForm,
  RefillCounts,
  RefillDifference,
  RefillResult,
  RefillRow,
  RefillTotal,
  Spread,
} from "./refill-result.ts";

export function refillResult(model: RefillSums, policies: readonly string[]): RefillResult {
  const counts = countsOf(model);
  const { wholeVm } = model;
  const hypotheses = wholeVm === undefined ? HYPOTHESES : [wholeVm.hypothesis];
  const isKnown = counts.visits > 0;
  const { tlb, stream: streamKind } = model.config;
  const stream = nameOfStream(model);
  const totals = policies.flatMap((policy, at) =>
    hypotheses.map((hypothesis, h) =>
      totalOf(model, policy, hypothesis, h * policies.length + at, at),
    ),
  );
  const rows = policies.flatMap((policy, at) =>
    hypotheses.flatMap((hypothesis, h) => {
      const lane = h * policies.length + at;
      return rowsOf(model, policy, hypothesis, lane, counts, isKnown);
    }),
  );
  const differences = hypotheses.flatMap((hypothesis, h) =>
    policies.flatMap((policy, a) =>
      policies
        .slice(a + 1)
        .map((than, b) =>
          differenceOf(model, hypothesis, h * policies.length, policy, a, than, a + 1 + b),
        ),
    ),
  );
  const orderUnder = (hypothesis: Hypothesis): readonly (readonly string[])[] =>
    orderOf(hypothesis, policies, totals, differences);
  const order = Object.fromEntries(hypotheses.map((one) => [one, orderUnder(one)] as const));
  const texts = hypotheses.map((hypothesis) => JSON.stringify(order[hypothesis]));
  const isStable = texts.every((text) => text === texts[0]);
  const missCurve = isKnown ? (model.worlds[0]?.curve?.rows(policies) ?? []) : [];
  const staleExamples = policies.flatMap((policy, at) => staleExamplesOf(model, policy, at));
  return {
    tlb,
    ...(wholeVm === undefined ? {} : { wholeVm }),
    stream,
    streamKind,
    isKnown,
    rows,
    totals,
    differences,
    isStable,
    order,
    bound: {
      entries: model.bounds.entries,
      walkers: WALKERS,
      shortestWalkNs: SHORTEST_WALK_NS,
    },
    walkFlips: walkFlipsOf(differences),
    counts,
    closedForm:
      isKnown && streamKind === "generated" && model.intervals.translations > 0
        ? closedFormOf(model, policies)
        : undefined,
    staleExamples,
    missCurve,
  };
}

function nameOfStream({ config }: RefillSums): string {
  return config.streamName ?? config.stream;
}

function closedFormOf({ intervals }: RefillSums, policies: readonly string[]): ClosedForm {
  const { entries, translations } = intervals;
  const totals = policies.map((policy, at) => ({
    policy,
    refills: intervals.refills[at]!,
    intervals: intervals.intervals[at]!,
  }));
  return { totals, entries, translations };
}

function totalOf(
  model: RefillSums,
  policy: string,
  hypothesis: Hypothesis,
  lane: number,
  at: number,
): RefillTotal {
  return {
    policy,
    hypothesis,
    combined: spreadOf(model, (lanes) => sum(lanes[lane]!.combined)),
    stage2:
      model.wholeVm === undefined ? spreadOf(model, (lanes) => sum(lanes[lane]!.stage2)) : null,
    walkReferences: spreadOf(model, (lanes) => sum(lanes[lane]!.references)),
    staleHits: Math.max(...model.worlds.map((world) => world.lanes[lane]!.staleHits)),
    bound: model.bounds.refills[at]!,
  };
}

function rowsOf(
  model: RefillSums,
  policy: string,
  hypothesis: Hypothesis,
  lane: number,
  counts: RefillCounts,
  isKnown: boolean,
): readonly RefillRow[] {
  const used = PATHS.map((_, path) => path).filter((path) =>
    model.worlds.some(({ lanes }) => {
      const { combined, stage2, references } = lanes[lane]!;
      return combined[path] !== 0 || stage2[path] !== 0 || references[path] !== 0;
    }),
  );
  const paths = used.length === 0 ? [PATHS.indexOf("unattributed")] : used;
  const known = (value: number): number | null => (isKnown ? value : null);
  const stale = Math.max(...model.worlds.map((world) => world.lanes[lane]!.staleHits));
  return paths.map((path, i) => {
    const refills = spreadOf(model, (lanes) => lanes[lane]!.combined[path]!);
    return {
      policy,
      tlb: model.config.tlb,
      stream: nameOfStream(model),
      combined_refills: known(refills.median),
      stage2_refills:
        model.wholeVm === undefined
          ? known(spreadOf(model, (lanes) => lanes[lane]!.stage2[path]!).median)
          : null,
      walk_references: known(spreadOf(model, (lanes) => lanes[lane]!.references[path]!).median),
      // A stale hit belongs to no path: the first row of its policy and hypothesis has them all.
      stale_hits: known(i === 0 ? stale : 0),
      hypothesis,
      path: PATHS[path]!,
      refills_seed_min: known(refills.seedMin),
      refills_seed_max: known(refills.seedMax),
      refills_low: known(refills.low),
      refills_high: known(refills.high),
      seeds: counts.seeds,
      visits: counts.visits,
      episodes: counts.episodes,
      episodes_simulated: counts.episodesSimulated,
    };
  });
}

function differenceOf(
  model: RefillSums,
  hypothesis: Hypothesis,
  firstLane: number,
  policy: string,
  a: number,
  than: string,
  b: number,
): RefillDifference {
  const combined = spreadOf(
    model,
    (lanes) => sum(lanes[firstLane + a]!.combined) - sum(lanes[firstLane + b]!.combined),
  );
  const walkReferences = spreadOf(
    model,
    (lanes) => sum(lanes[firstLane + a]!.references) - sum(lanes[firstLane + b]!.references),
  );
  return {
    hypothesis,
    policy,
    than,
    combined,
    walkReferences,
    verdict: verdictOf(combined),
    walkVerdict: verdictOf(walkReferences),
  };
}

/** A difference is one where every seed has it with the same sign. */
function verdictOf({ seedMin, seedMax }: Spread): RefillDifference["verdict"] {
  if (seedMin > 0) return "more";
  return seedMax < 0 ? "fewer" : "no difference";
}

function walkFlipsOf(
  differences: readonly RefillDifference[],
): readonly (readonly [string, string])[] {
  const more = differences.filter(({ walkVerdict }) => walkVerdict === "more");
  const fewer = differences.filter(({ walkVerdict }) => walkVerdict === "fewer");
  const both = more.filter((one) =>
    fewer.some(({ policy, than }) => policy === one.policy && than === one.than),
  );
  const names = new Map(
    both.map(({ policy, than }) => [`${policy} ${than}`, [policy, than] as const]),
  );
  return [...names.values()];
}

/** Policies from the fewest refills to the most; those without a difference stand together. */
function orderOf(
  hypothesis: Hypothesis,
  policies: readonly string[],
  totals: readonly RefillTotal[],
  differences: readonly RefillDifference[],
): readonly (readonly string[])[] {
  const medianOf = (policy: string): number =>
    totals.find((one) => one.policy === policy && one.hypothesis === hypothesis)?.combined.median ??
    0;
  const sorted = [...policies].sort((a, b) => medianOf(a) - medianOf(b));
  const groups: string[][] = [];
  for (const policy of sorted) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    const pair = differences.find(
      (one) =>
        one.hypothesis === hypothesis &&
        ((one.policy === policy && one.than === last) ||
          (one.than === policy && one.policy === last)),
    );
    if (group !== undefined && pair?.verdict === "no difference") group.push(policy);
    else groups.push([policy]);
  }
  // Within a group the order says nothing: as requested.
  return groups.map((group) => policies.filter((policy) => group.includes(policy)));
}

function spreadOf(model: RefillSums, valueOf: (lanes: readonly Lane[]) => number): Spread {
  const base: number[] = [];
  const all: number[] = [];
  for (const world of model.worlds) {
    const value = valueOf(world.lanes);
    all.push(value);
    if (world.scenario.isBase && !world.scenario.withPossible) base.push(value);
  }
  base.sort((x, y) => x - y);
  return {
    median: medianOfSorted(base),
    seedMin: base[0]!,
    seedMax: base.at(-1)!,
    low: Math.min(...all),
    high: Math.max(...all),
  };
}

function medianOfSorted(values: readonly number[]): number {
  const middle = values.length >> 1;
  if (values.length % 2 === 1) return values[middle]!;
  return (values[middle - 1]! + values[middle]!) / 2;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
