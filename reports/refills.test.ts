import { describe, expect, it } from "vitest";
import type { RefillResult, RefillTotal, Spread } from "../replay/tlb/refills/refill-result.ts";
import { type Hypothesis, HYPOTHESES } from "../replay/tlb/shape.ts";
import type { FlushRow } from "../replay/results.ts";
import { formatRefills } from "./refills.ts";
import { refillEntry } from "./refill-entry.ts";

const spread = (median: number, seedMin = median, seedMax = median): Spread => ({
  median,
  seedMin,
  seedMax,
  low: seedMin / 2,
  high: seedMax * 2,
});

const total = (policy: string, hypothesis: Hypothesis, refills: number): RefillTotal => ({
  policy,
  hypothesis,
  combined: spread(refills, refills - 10, refills + 10),
  stage2: spread(3),
  walkReferences: spread(-7),
  staleHits: 0,
  bound: 9999,
});

const same = [["a"], ["b"]];

const RESULT: RefillResult = {
  tlb: "neoverse-n1",
  stream: "generated",
  streamKind: "generated",
  isKnown: true,
  isStable: true,
  staleExamples: [],
  closedForm: undefined,
  bound: { entries: 5168, walkers: 4, shortestWalkNs: 13 },
  walkFlips: [],
  missCurve: [],
  order: { minimum: same, combined: same, "over-invalidating": same },
  rows: [],
  totals: HYPOTHESES.flatMap((one) => [total("a", one, 1000), total("b", one, 2000)]),
  differences: [
    {
      hypothesis: "combined",
      policy: "a",
      than: "b",
      combined: spread(-1000, -1020, -980),
      walkReferences: spread(0, -5, 5),
      verdict: "fewer",
      walkVerdict: "no difference",
    },
  ],
  counts: {
    guestMs: 1,
    unknownVmMs: 0,
    unmodelledPeMs: 0,
    pes: 1,
    contextsLeftOut: 0,
    pagesLeftOut: 0,
    visits: 10,
    visitsUnmapped: 0,
    visitsOutside: 0,
    visitsCut: 300,
    provenVisits: 0,
    provenLost: 0,
    episodes: 100,
    episodesSimulated: 40,
    episodeStride: 4,
    seeds: 9,
    pagesSplit: 512,
    pagesCollapsed: 0,
    guestFaults: 77,
    refaults: 7,
    blocksSplit: 1,
  },
};
const KNOBS = [{ name: "theta", value: 0.99, unit: "", meaning: "skew", origin: "assumed: YCSB" }];
const WALK = { spanShift: 9, stage1Levels: 4, stage2Levels: 3 };
const SHAPE = [{ part: "l2", text: "256x5", origin: "neoverse-n1, unverified: as A76" }] as const;

function told(result: RefillResult): string {
  return formatRefills({ result, shape: SHAPE, knobs: KNOBS, walk: WALK, baseNs: 1000n }, [], {});
}

function flushRow(policy: string, calls: number): FlushRow {
  return {
    policy,
    path: "unmap",
    primitive: "VM",
    calls,
    tlbi: calls,
    dsb: 2 * calls,
    pages: null,
    unknown_calls: 0,
  };
}

describe("the refills of a terminal report", () => {
  it("say first whether the conclusion depends on the hypothesis", () => {
    const [, first] = told(RESULT).split("\n");
    expect(first).toContain("the order of the policies is the same under all three hypotheses");
    const order = { ...RESULT.order, minimum: [["b"], ["a"]] };
    const [, flipped] = told({ ...RESULT, order, isStable: false }).split("\n");
    expect(flipped).toContain("THE ORDER OF THE POLICIES FLIPS");
    const [, byWalks] = told({ ...RESULT, walkFlips: [["a", "b"]] }).split("\n");
    expect(byWalks).toContain("BY WALK REFERENCES THE ORDER OF a AND b FLIPS between them");
  });

  it("give low, base with the seeds' range, high, and the bound; nothing is summed", () => {
    const line = told(RESULT)
      .split("\n")
      .find((text) => /^a +combined/.test(text));
    expect(line?.split(/ {2,}/)).toEqual([
      "a",
      "combined",
      "495",
      "1,000 [990 to 1,010]",
      "2,020",
      "≤9,999",
      "3",
      "-7",
      "0",
      "512",
      "77",
      "0",
    ]);
  });

  it("say 'no difference' where the seeds differ in sign, and every assumption", () => {
    const text = told(RESULT);
    expect(text).toMatch(
      /a +b +combined +-1,000 \[-1,020 to -980\] +fewer +0 \[-5 to 5\] +no difference/,
    );
    expect(text).toContain("theta = 0.99 (assumed: YCSB)");
    expect(text).toContain("300 visits that the simulated episodes have beyond capVisits");
    expect(text).toContain("l2 256x5 (neoverse-n1, unverified: as A76)");
    expect(text).toContain(
      "of 100 flush episodes 40 are simulated and weighted, at last every 4th",
    );
  });

  it("tell the first stale hits: when, who, what was held, and what the policy flushed", () => {
    const hit = {
      policy: "b",
      hypothesis: "combined" as const,
      tsNs: 500,
      cpu: 3,
      pid: 42,
      ipa: 0x8000_1000,
      isWrite: true,
      held: "an entry of the level-3 leaves of [0x80001000, 0x80002000), write-protected by dirty_ring",
      flush: "none",
      flushNs: 400,
    };
    const staleExamples = [1, 2, 3, 4].map((pid) => ({ ...hit, pid }));
    const text = told({ ...RESULT, staleExamples });
    expect(text).toContain("STALE HITS: guests used translations that are gone, under b;");
    expect(text).toContain(
      "b (combined): at 1500 ns, CPU 3, thread 1: a write at 0x80001000 used an entry of the level-3",
    );
    expect(text).not.toContain("thread 4");
    expect(told(RESULT)).not.toContain("STALE");
    const report = { result: { ...RESULT, staleExamples }, shape: SHAPE, knobs: KNOBS, walk: WALK };
    const entry = refillEntry({ ...report, baseNs: 1000n }, []);
    expect(entry.stale_examples).toHaveLength(4);
    expect(entry.stale_examples[3]).toMatchObject({ ts_ns: "1500", pid: 4, flush_ts_ns: "1400" });
  });

  it("cost time by stated latencies, each kind in a column of its own", () => {
    const latencies = [
      { ...KNOBS[0]!, name: "walkNs", value: 50, range: [13, 100] as const },
      { ...KNOBS[0]!, name: "flushNs", value: 2000 },
      { ...KNOBS[0]!, name: "refNs", value: 0 },
    ];
    const report = { result: RESULT, shape: SHAPE, walk: WALK, baseNs: 0n, knobs: latencies };
    const flushes = [flushRow("a", 3), flushRow("a", 7), flushRow("b", 1)];
    const [a] = refillEntry(report, flushes).costs;
    expect(a).toEqual({
      policy: "a",
      hypothesis: "minimum",
      refill_ns: { low: 495 * 13, base: 50_000, high: 202_000 },
      reference_ns: null,
      flush_ns: { low: 20_000, base: 20_000, high: 20_000 },
      flush_calls: 10,
      reach_lost_entries: 511,
      refaults: 7,
    });
    const text = formatRefills(report, flushes, {});
    expect(text).toMatch(
      /a +minimum +50 \(6 to 202\) +no latency stated +10 +20 \(20 to 20\) +511 +7/,
    );
    expect(text).toContain("a walk from nothing reads 19 references");
    const known = latencies.map((one) => (one.name === "refNs" ? { ...one, value: 4 } : one));
    // −7 references at 4 ns.
    expect(refillEntry({ ...report, knobs: known }, flushes).costs[0]?.reference_ns).toBe(-28);
  });

  it("stand beside the closed form where there is one", () => {
    const totals = [{ policy: "a", refills: 990.4, intervals: 12 }];
    const closedForm = { totals, entries: 1280, translations: 16_384 };
    expect(told({ ...RESULT, closedForm })).toContain(
      "closed form of 1,280 LRU entries and 16,384 translations (combined, first seed;",
    );
    expect(told({ ...RESULT, closedForm })).toContain(
      "pages come and go): a 990 (12 times between flushes)",
    );
  });

  it("are unknown where nobody was seen in a guest", () => {
    expect(told({ ...RESULT, isKnown: false, counts: { ...RESULT.counts, guestMs: 0 } })).toMatch(
      /unknown, because/,
    );
  });

  it("stand in summary.json with what they rest on", () => {
    const entry = refillEntry(
      { result: RESULT, shape: SHAPE, knobs: KNOBS, walk: WALK, baseNs: 1000n },
      [],
    );
    expect(entry.totals[1]).toMatchObject({
      policy: "b",
      hypothesis: "minimum",
      combined_refills: { median: 2000, seed_min: 1990, seed_max: 2010, low: 995, high: 4020 },
      hard_bound: 9999,
    });
    expect(entry.counts["episodes_simulated"]).toBe(40);
    expect(entry.assumptions.join()).toContain("VA = IPA");
  });
});
