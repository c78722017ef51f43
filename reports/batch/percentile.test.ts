import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { distributionOf } from "./percentile.ts";

/** The definition in words: the smallest value that at least so many of a hundred do not exceed. */
function slowPercentile(values: readonly number[], percent: number): number {
  const enough = values.filter(
    (value) => values.filter((other) => other <= value).length * 100 >= percent * values.length,
  );
  return Math.min(...enough);
}

describe("distributionOf", () => {
  it("takes values that are there, by nearest rank", () => {
    // 1 to 20: the 10th, the 19th and the 20th.
    const values = Array.from({ length: 20 }, (_, i) => 20 - i);
    expect(distributionOf(values)).toStrictEqual({
      n: 20,
      min: 1,
      p50: 10,
      p95: 19,
      p99: 20,
      max: 20,
      mean: 10.5,
    });
    expect(distributionOf([7])).toMatchObject({ n: 1, p50: 7, p95: 7, p99: 7 });
    expect(distributionOf([])).toBeUndefined();
  });

  it("agrees with the definition, in any order of the values", () => {
    const numbers = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 120 });
    fc.assert(
      fc.property(numbers, (values) => {
        const found = distributionOf(values)!;
        expect(found.p50).toBe(slowPercentile(values, 50));
        expect(found.p95).toBe(slowPercentile(values, 95));
        expect(found.p99).toBe(slowPercentile(values, 99));
        expect(distributionOf(values.toReversed())).toStrictEqual(found);
      }),
    );
  });
});
