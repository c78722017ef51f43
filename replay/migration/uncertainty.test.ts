/** Intervals, paired differences, sensitivities, samples and structures: each against what it must be by hand. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeededRandom } from "../accesses/seeded-random.ts";
import { shippedTable } from "../costs/cost-table.ts";
import { PGTABLE_5_10 } from "../policies/families/pgtable.ts";
import { RANGE_6_9 } from "../policies/families/range.ts";
import { movingBlocks, REPLICATES, resample, resamplePace } from "./bootstrap.ts";
import { drawTriangular, normalCdf } from "./distribution.ts";
import { drawAll, SAME_TABLE_CORRELATION } from "./draws.ts";
import { estimateDowntime } from "./estimate.ts";
import type { EstimateRequest } from "./estimate-types.ts";
import { intervalOf, pairedDifference, quantile, rankCorrelation } from "./intervals.ts";
import { selectInPlace } from "./rollback.ts";
import { durationRangeText, durationText, twoFigures } from "./significant.ts";
import { fullBlocks, migration, MODERN_CPU } from "./testing/inputs.ts";

function request(changes: Partial<EstimateRequest> = {}): EstimateRequest {
  return {
    scenario: { migration: migration(), rollback: fullBlocks(11) },
    whyNoMigration: undefined,
    whyNoRollback: undefined,
    ranges: {},
    table: shippedTable("idle"),
    policies: [{ policy: PGTABLE_5_10 }, { policy: RANGE_6_9 }],
    cpu: MODERN_CPU,
    forcedEpoch: undefined,
    otherwiseEpoch: "e5",
    alternatives: [],
    draws: 500,
    seed: 1,
    resolutionS: 1e-3,
    sampling: { replicates: [], method: "", because: "given" },
    ...changes,
  };
}

describe("distributions", () => {
  it("triangular: ends, mode at its share, and logarithms where the range is wide", () => {
    expect(drawTriangular(1, 2, 5, 0)).toBe(1);
    expect(drawTriangular(1, 2, 5, 1)).toBe(5);
    expect(drawTriangular(1, 2, 5, 0.25)).toBeCloseTo(2, 12);
    // 1 to 100 with 10 in the middle of the logarithms: half of the draws below 10.
    expect(drawTriangular(1, 10, 100, 0.5)).toBeCloseTo(10, 9);
    expect(drawTriangular(3, 3, 3, 0.7)).toBe(3);
  });

  it("normal distribution function at known places", () => {
    expect(normalCdf(0)).toBeCloseTo(0.5, 7);
    expect(normalCdf(1.6448536)).toBeCloseTo(0.95, 6);
    expect(normalCdf(-1.6448536)).toBeCloseTo(0.05, 6);
  });

  it("constants of one table vary together, those of others do not", () => {
    const { costs } = drawAll(shippedTable("idle"), {}, 20_000, 3);
    const together = rankCorrelation(costs.get("t_walk")!, costs.get("t_cmo")!)!;
    expect(Math.abs(together - SAME_TABLE_CORRELATION)).toBeLessThan(0.05);
    expect(Math.abs(rankCorrelation(costs.get("t_walk")!, costs.get("t_dev")!)!)).toBeLessThan(
      0.03,
    );
  });
});

describe("order statistics", () => {
  it("quantiles are linear between values", () => {
    const sorted = Float64Array.of(0, 10, 20, 30, 40);
    expect(quantile(sorted, 0.5)).toBe(20);
    expect(quantile(sorted, 0.05)).toBe(2);
    expect(intervalOf(Float64Array.of(Number.NaN, 1, 3))).toEqual({
      p5: 1.1,
      p50: 2,
      p95: expect.closeTo(2.9, 12) as number,
      values: 2,
      of: 3,
    });
    expect(intervalOf(Float64Array.of(Number.NaN))).toBeUndefined();
  });

  it("selecting finds what sorting does", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 60 }),
        fc.nat(),
        (values, at) => {
          const rank = at % values.length;
          const sorted = [...values].sort((a, b) => a - b);
          expect(selectInPlace(Float64Array.from(values), rank)).toBe(sorted[rank]);
        },
      ),
    );
  });

  it("rank correlation: 1, -1, ties, and nothing for a constant", () => {
    const x = Float64Array.of(1, 2, 3, 4);
    expect(rankCorrelation(x, Float64Array.of(1, 4, 9, 16))).toBeCloseTo(1, 12);
    expect(rankCorrelation(x, Float64Array.of(9, 7, 5, 3))).toBeCloseTo(-1, 12);
    expect(rankCorrelation(x, Float64Array.of(5, 5, 5, 5))).toBeUndefined();
    // Ranks 0.5, 0.5, 2, 3 against 0, 1, 2, 3.
    expect(rankCorrelation(x, Float64Array.of(1, 1, 2, 3))).toBeCloseTo(0.9487, 4);
  });
});

function width({ p5, p95 }: { readonly p5: number; readonly p95: number }): number {
  return p95 - p5;
}

describe("paired differences", () => {
  const base = Float64Array.from({ length: 100 }, (_, i) => 10 + i);

  it("less, more, no difference", () => {
    expect(
      pairedDifference(
        base.map((x) => x - 5),
        base,
        0,
      ),
    ).toMatchObject({ verdict: "less" });
    expect(
      pairedDifference(
        base.map((x) => x + 5),
        base,
        0,
      ),
    ).toMatchObject({ verdict: "more" });
    const mixed = base.map((x, i) => x + (i % 2 === 0 ? 1 : -1));
    expect(pairedDifference(mixed, base, 0)).toMatchObject({
      verdict: "no difference",
      because: "the paired 90 % interval holds 0",
    });
    expect(pairedDifference(base, base, 0)).toMatchObject({
      verdict: "no difference",
      because: "equal in every draw",
    });
  });

  it("what no clock could show is no difference", () => {
    const found = pairedDifference(
      base.map((x) => x + 1e-4),
      base,
      1e-3,
    );
    expect(found).toMatchObject({
      verdict: "no difference",
      because: "its median is below what could be measured",
    });
  });

  it("ranges and VMIDs on the same kernel make no difference that a VMM could report", () => {
    const { differences } = estimateDowntime(
      request({ policies: [{ policy: PGTABLE_5_10 }, { policy: RANGE_6_9 }], forcedEpoch: "e5" }),
    );
    const stall = differences.find(({ quantity }) => quantity === "rollback_stall")!;
    expect(Math.abs(stall.difference.p50)).toBeLessThan(1e-3);
    expect(stall.verdict).toBe("no difference");
  });

  it("the interval of the difference is far narrower than that of either", () => {
    const { policies, differences } = estimateDowntime(request());
    const whole = policies[0]!.estimates.find(({ quantity }) => quantity === "source_downtime")!;
    const found = differences.find(({ quantity }) => quantity === "source_downtime")!;
    expect(width(found.difference)).toBeLessThan(width(whole.interval!) / 10);
  });
});

describe("samples", () => {
  it("moving blocks are runs of the sample", () => {
    const order = movingBlocks(100, 7, new SeededRandom(1));
    expect(order).toHaveLength(100);
    const breaks = order.filter((at, i) => i % 7 !== 0 && at !== order[i - 1]! + 1);
    expect(breaks).toEqual([]);
    expect(Math.min(...order)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...order)).toBeLessThan(100);
  });

  it("a constant pace has no spread, and too few intervals give none", () => {
    const rates = Array.from({ length: 40 }, () => 3);
    expect(new Set(resamplePace({ rates, blockLength: 4 }, 1))).toEqual(new Set([1]));
    expect(resamplePace({ rates: rates.slice(0, 7), blockLength: 1 }, 1)).toBeUndefined();
    expect(resamplePace({ rates: rates.slice(0, 10), blockLength: 6 }, 1)).toBeUndefined();
    expect(resamplePace({ rates: rates.map(() => 0), blockLength: 4 }, 1)).toBeUndefined();
  });

  it("longer runs that hang together spread more", () => {
    const rates = Array.from({ length: 120 }, (_, i) => (Math.floor(i / 12) % 2 === 0 ? 1 : 9));
    const spread = (blockLength: number): number => {
      const { p5, p95 } = intervalOf(Float64Array.from(resamplePace({ rates, blockLength }, 1)!))!;
      return p95 - p5;
    };
    expect(spread(12)).toBeGreaterThan(1.5 * spread(1));
  });

  it("blocks of a trace are drawn again, given ones are not", () => {
    const scenario = { migration: undefined, rollback: fullBlocks(20) };
    expect(resample(scenario, undefined, true, 1).replicates).toHaveLength(REPLICATES);
    const given = resample(scenario, undefined, false, 1);
    expect(given.replicates).toEqual([]);
    expect(given.because).toContain("nothing was sampled");
  });

  it("stay apart from the draws of constants", () => {
    const scenario = { migration: migration(), rollback: fullBlocks(20) };
    const sampling = resample(scenario, undefined, true, 1);
    const { policies } = estimateDowntime(request({ scenario, sampling }));
    const stall = policies[0]!.estimates.find(({ quantity }) => quantity === "rollback_stall")!;
    // Equal blocks: no spread of the sample, while the constants spread.
    expect(stall.sampling!.p95 - stall.sampling!.p5).toBeCloseTo(0, 12);
    expect(stall.interval!.p95).toBeGreaterThan(stall.interval!.p5 * 1.1);
  });
});

describe("structure", () => {
  const withoutFwb = {
    dimension: "FWB",
    chosen: "with FWB",
    instead: "without FWB",
    apply: (one: EstimateRequest) => ({ ...one, cpu: { ...one.cpu, fwb: false } }),
  };

  it("the first line says where it decides", () => {
    const { headline, structures } = estimateDowntime(request({ alternatives: [withoutFwb] }));
    expect(headline).toMatch(/^STRUCTURE DECIDES, more than all constants: FWB/);
    const rows = structures.filter(({ quantity }) => quantity === "rollback_stall");
    expect(rows.map(({ decides }) => decides)).toEqual([true, true]);
    const source = structures.filter(({ quantity }) => quantity === "source_downtime");
    expect(source.map(({ decides }) => decides)).toEqual([false, false]);
  });

  it("and where it does not", () => {
    const { headline } = estimateDowntime(
      request({
        alternatives: [withoutFwb],
        scenario: { migration: migration(), rollback: undefined },
        whyNoRollback: "no blocks",
      }),
    );
    expect(headline).toMatch(/^Structure does not decide: FWB/);
    expect(estimateDowntime(request()).headline).toMatch(/^Structure is settled/);
  });
});

describe("every quantity", () => {
  it("has an interval or a reason", () => {
    const cases = [
      request(),
      request({ scenario: { migration: undefined, rollback: undefined } }),
      request({
        scenario: {
          migration: migration({ dirty: { kind: "rate-only", bytesPerS: 7e8 } }),
          rollback: undefined,
        },
      }),
      request({ scenario: { migration: migration({ postCopy: true }), rollback: fullBlocks(3) } }),
      request({ scenario: { migration: migration({ cancelAtS: 5 }), rollback: fullBlocks(3) } }),
    ];
    for (const one of cases) {
      for (const { estimates } of estimateDowntime({ ...one, draws: 100 }).policies) {
        for (const { quantity, interval, because } of estimates) {
          expect((interval === undefined) === (because !== undefined), quantity).toBe(true);
        }
      }
    }
  });

  it("a rate alone is bounds from nothing to the whole memory", () => {
    const scenario = {
      migration: migration({ dirty: { kind: "rate-only", bytesPerS: 7e8 } }),
      rollback: undefined,
    };
    const [policy] = estimateDowntime(request({ scenario })).policies;
    const found = policy!.estimates.find(({ quantity }) => quantity === "source_downtime")!;
    expect(found.bounds!.low).toBe(0);
    expect(found.bounds!.high).toBeCloseTo(412.3, 1);
    expect(found.because).toContain("--hot-set");
    expect(policy!.pConverge).toBeUndefined();
  });

  it("the same request gives the same numbers", () => {
    const [a, b] = [estimateDowntime(request()), estimateDowntime(request())];
    expect(a.policies.map(({ estimates }) => estimates)).toEqual(
      b.policies.map(({ estimates }) => estimates),
    );
  });
});

describe("two figures", () => {
  it.each([
    [0.0123, "0.012"],
    [286.8, "290"],
    [1_234_567, "1,200,000"],
    [9.96, "10"],
    [0.996, "1.0"],
    [-5.43, "-5.4"],
    [0, "0"],
  ])("%s is %s", (value, text) => expect(twoFigures(value)).toBe(text));

  it.each([
    [0.2868, "290 ms"],
    [6.94, "6.9 s"],
    [3.06e-6, "3.1 µs"],
    [0.9999, "1.0 s"],
    [413.3, "410 s"],
  ])("%s s is %s", (value, text) => expect(durationText(value)).toBe(text));

  it("one unit for an interval where it suits all", () => {
    expect(durationRangeText({ p5: 0.32, p50: 0.35, p95: 0.53 })).toBe("350 ms [320 to 530]");
    expect(durationRangeText({ p5: 0.00048, p50: 0.0014, p95: 0.0051 })).toBe(
      "1.4 ms [480 µs to 5.1 ms]",
    );
  });
});
