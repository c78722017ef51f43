import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GrowthCurve, IntervalSeries } from "./dirty-series.ts";

describe("GrowthCurve", () => {
  it("keeps every point of a short curve", () => {
    const curve = new GrowthCurve(10);
    for (const tsNs of [11, 15, 15, 40]) curve.grow(tsNs);
    expect(curve.curve()).toEqual({
      startNs: 10,
      tNs: Float64Array.of(11, 15, 15, 40),
      pages: Float64Array.of(1, 2, 3, 4),
    });
  });

  it("is empty where nothing grew", () => {
    expect(new GrowthCurve(10).curve().pages).toHaveLength(0);
  });

  it("keeps points that are exact, and the last one, of a long curve", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), (points) => {
        const growth = new GrowthCurve(0);
        // The n-th point lies at n²: a point that is not exact cannot hide.
        for (let n = 1; n <= points; n += 1) growth.grow(n * n);
        const { tNs, pages } = growth.curve();
        expect(tNs.length).toBeLessThanOrEqual(257);
        expect(pages.at(-1)).toBe(points);
        for (const [at, count] of pages.entries()) expect(tNs[at]).toBe(count * count);
      }),
    );
  });
});

describe("IntervalSeries", () => {
  it("cuts time in intervals, the last one where logging ends", () => {
    const series = new IntervalSeries(1000, 100);
    series.dirtied(1000, true);
    series.dirtied(1099, false);
    series.dirtied(1250, true);
    series.cleared(1100, 512);
    expect(series.intervals(1270)).toEqual([
      { startNs: 1000, endNs: 1100, dirtiedPages: 2, newlyDirtiedPages: 1, clearedPages: 0 },
      { startNs: 1100, endNs: 1200, dirtiedPages: 0, newlyDirtiedPages: 0, clearedPages: 512 },
      { startNs: 1200, endNs: 1270, dirtiedPages: 1, newlyDirtiedPages: 1, clearedPages: 0 },
    ]);
  });

  it("joins neighbours where there would be more than it keeps, and loses nothing", () => {
    const series = new IntervalSeries(0, 1);
    for (let ns = 0; ns < 10_000; ns += 1) series.dirtied(ns, ns % 2 === 0);
    expect(series.intervalNs).toBe(4);
    const intervals = series.intervals(10_000);
    expect(intervals).toHaveLength(2500);
    expect(intervals.every(({ dirtiedPages }) => dirtiedPages === 4)).toBe(true);
    expect(intervals.every(({ newlyDirtiedPages }) => newlyDirtiedPages === 2)).toBe(true);
  });

  it("counts what lies before its start in the first interval", () => {
    const series = new IntervalSeries(100, 10);
    series.dirtied(50, true);
    expect(series.intervals(110)[0]!.dirtiedPages).toBe(1);
  });
});
