import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Xorshift32, cumulativeZipf, rankAt } from "../accesses/reference-streams.ts";
import { characteristicOf } from "./closed-form.ts";
import { FullyAssociative } from "./fully-associative.ts";

/** Rates of `pages` pages with popularity ~ 1/rank^theta that sum up to 1. */
function zipfRates(pages: number, theta: number): Float64Array {
  const cumulative = cumulativeZipf(pages, theta);
  return cumulative.map((value, rank) => value - (rank === 0 ? 0 : cumulative[rank - 1]!));
}

/**
 * Extra misses of an isolated flush, by pairing: the same stream into a TLB that is flushed every
 * `period` accesses and into one that never is.
 */
function pairedRefills(
  pages: number,
  theta: number,
  entries: number,
  period: number,
  flushes: number,
): number {
  const cumulative = cumulativeZipf(pages, theta);
  const random = new Xorshift32(1);
  const flushed = new FullyAssociative(entries, 1);
  const steady = new FullyAssociative(entries, 1);
  let extra = 0;
  for (let i = 0; i <= flushes; i += 1) {
    for (let n = 0; n < period; n += 1) {
      const page = rankAt(cumulative, random.next() / 2 ** 32);
      extra += (flushed.use(page, 0) ? 0 : 1) - (steady.use(page, 0) ? 0 : 1);
    }
    if (i === 0) extra = 0;
    flushed.flushVm(0);
  }
  return extra / flushes;
}

describe("the closed form", () => {
  // Values published with the derivation; the simulated ones beside them are of another simulator.
  it.each([
    [16384, 0, 1280, 51.4],
    [2048, 0, 1280, 526.7],
    [1000, 0, 1280, 1000],
    [16384, 0.6, 1280, 120.8],
    [16384, 0.99, 48, 5.1],
    [16384, 0.99, 1280, 278.4],
    [16384, 0.99, 2048, 513.5],
    [131072, 0.99, 1280, 177.1],
    [16384, 1.2, 1280, 371.5],
  ])("%i pages, zipf %f, %i entries: %f refills", (pages, theta, entries, refills) => {
    expect(characteristicOf(zipfRates(pages, theta), entries).refills).toBeCloseTo(refills, 0);
  });

  it.each([
    [4096, 0, 1024],
    [4096, 0, 2048],
    [2048, 0, 1280],
    [16384, 0.3, 2048],
    [16384, 0.6, 1280],
    [16384, 0.6, 2048],
    [16384, 0.8, 1280],
    [16384, 0.99, 1024],
    [16384, 0.99, 1280],
    [16384, 0.99, 2048],
    [16384, 1.1, 1280],
    [16384, 1.2, 1280],
    [65536, 0.99, 2048],
  ])("is within 5 %% of a simulation: %i pages, zipf %f, %i entries", (pages, theta, entries) => {
    const { refills, time } = characteristicOf(zipfRates(pages, theta), entries);
    const simulated = pairedRefills(pages, theta, entries, Math.ceil(time * 6), 60);
    expect(Math.abs(simulated / refills - 1)).toBeLessThan(0.05);
  });

  it("never asks for more than the TLB holds or the guest uses", () => {
    const rates = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 });
    const property = fc.property(rates, fc.integer({ min: 1, max: 64 }), (some, entries) => {
      const { refills, missRatio } = characteristicOf(some, entries);
      const used = some.filter((rate) => rate > 0).length;
      expect(refills).toBeLessThanOrEqual(Math.min(used, entries) + 1e-6);
      expect(refills).toBeGreaterThanOrEqual(0);
      expect(missRatio).toBeLessThanOrEqual(1);
    });
    fc.assert(property, { seed: 1, numRuns: 300 });
    expect.hasAssertions();
  });

  it.each([
    ["entries", [1], 0],
    ["rate", [-1], 4],
    ["rate", [Number.NaN], 4],
  ])("refuses a wrong %s", (_, rates, entries) => {
    expect(() => characteristicOf(rates, entries)).toThrow(RangeError);
  });
});
