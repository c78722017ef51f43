import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DurationHistogram } from "./durations.ts";

describe("a histogram of durations", () => {
  it("is within 1/32 of the sorted values", () => {
    const duration = fc.oneof(fc.nat(100), fc.nat(1_000_000), fc.maxSafeNat());
    fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 300 }), (values) => {
        const histogram = new DurationHistogram();
        for (const value of values) histogram.add(value);
        const sorted = [...values].sort((a, b) => a - b);
        const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1]!;
        const { count, minNs, medianNs, p95Ns, maxNs } = histogram.summary();
        expect([count, minNs, maxNs]).toEqual([sorted.length, sorted[0], sorted.at(-1)]);
        expect(Math.abs(medianNs - at(0.5))).toBeLessThanOrEqual(at(0.5) / 32);
        expect(Math.abs(p95Ns - at(0.95))).toBeLessThanOrEqual(at(0.95) / 32);
      }),
    );
  });

  it("is exact for small values and for one", () => {
    const histogram = new DurationHistogram();
    for (const ns of [31, 0, 7, 7, 9]) histogram.add(ns);
    expect(histogram.summary()).toEqual({ count: 5, minNs: 0, medianNs: 7, p95Ns: 31, maxNs: 31 });
    const one = new DurationHistogram();
    one.add(1_234_567_891);
    expect(one.summary()).toMatchObject({ medianNs: 1_234_567_891, p95Ns: 1_234_567_891 });
  });
});
