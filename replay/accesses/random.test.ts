import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ScatteredPages } from "./scattered-pages.ts";
import { geometricScale, SeededRandom } from "./seeded-random.ts";
import { deviationOf } from "./testing/chi-square.ts";
import { ZipfRanks } from "./zipf-ranks.ts";

const DRAWS = 200_000;

function first(seed: number): readonly number[] {
  const own = new SeededRandom(seed);
  return Array.from({ length: 4 }, () => own.bits());
}

describe("seeded random numbers", () => {
  it("are uniform, the same for a seed, and others for the next", () => {
    const counts = new Float64Array(256);
    const random = new SeededRandom(1);
    for (let i = 0; i < DRAWS; i += 1) counts[random.below(256)]! += 1;
    expect(deviationOf(counts, new Float64Array(256).fill(DRAWS / 256))).toBeLessThan(4);
    expect(first(7)).toEqual(first(7));
    const all = new Set(Array.from({ length: 1000 }, (_, seed) => first(seed)[0]));
    expect(all.size).toBeGreaterThan(998);
  });

  it("have runs of the mean that was asked for, geometrically", () => {
    const random = new SeededRandom(3);
    const scale = geometricScale(4);
    const counts = new Float64Array(12);
    for (let i = 0; i < DRAWS; i += 1) counts[Math.min(random.geometric(scale), 12) - 1]! += 1;
    const expected = Float64Array.from(counts, (_, i) => DRAWS * (i < 11 ? 0.25 : 1) * 0.75 ** i);
    expect(deviationOf(counts, expected)).toBeLessThan(4);
    expect(random.geometric(geometricScale(1))).toBe(1);
  });
});

describe("zipf ranks", () => {
  it("come as often as r^-theta says, for every theta and size", () => {
    for (const theta of [0, 0.3, 0.6, 0.99, 1, 1.2, 2.5]) {
      for (const count of [1, 2, 3, 100]) {
        const random = new SeededRandom(count * 1000 + theta * 100);
        const ranks = new ZipfRanks(theta);
        ranks.resize(count);
        const counts = new Float64Array(count);
        for (let i = 0; i < DRAWS; i += 1) counts[ranks.next(random)]! += 1;
        if (count === 1) {
          expect(counts[0]).toBe(DRAWS);
          continue;
        }
        const weights = Float64Array.from(counts, (_, i) => (i + 1) ** -theta);
        const sum = weights.reduce((a, b) => a + b, 0);
        const expected = weights.map((weight) => (weight / sum) * DRAWS);
        expect(deviationOf(counts, expected), `theta ${theta}, ${count} pages`).toBeLessThan(4);
      }
    }
  });

  it("are right for large footprints, by decades", () => {
    const count = 10 ** 6;
    const ranks = new ZipfRanks(0.99);
    ranks.resize(count);
    const random = new SeededRandom(11);
    const counts = new Float64Array(6);
    for (let i = 0; i < DRAWS; i += 1) {
      counts[Math.min(Math.floor(Math.log10(ranks.next(random) + 1.5)), 5)]! += 1;
    }
    const weights = new Float64Array(6);
    for (let r = 1; r <= count; r += 1) {
      weights[Math.min(Math.floor(Math.log10(r + 0.5)), 5)]! += r ** -0.99;
    }
    const sum = weights.reduce((a, b) => a + b, 0);
    expect(
      deviationOf(
        counts,
        weights.map((weight) => (weight / sum) * DRAWS),
      ),
    ).toBeLessThan(4);
  });

  it("need a popularity that is one", () => {
    expect(() => new ZipfRanks(-0.1)).toThrow(RangeError);
    expect(() => new ZipfRanks(Number.NaN)).toThrow(RangeError);
  });
});

describe("scattered pages", () => {
  it("are a permutation at every size, and growing by one moves one page", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(fc.nat(300), { minLength: 1, maxLength: 20 }),
        (seed, sizes) => {
          const pages = new ScatteredPages(new SeededRandom(seed));
          for (const size of sizes) {
            pages.resize(size);
            const order = Array.from({ length: size }, (_, rank) => pages.pageAt(rank));
            expect([...order].sort((a, b) => a - b)).toEqual(order.map((_, page) => page));
            expect(order.map((page) => pages.rankOf(page))).toEqual(order.map((_, rank) => rank));
            pages.resize(size + 1);
            const moved = order.filter((page, rank) => pages.pageAt(rank) !== page);
            expect(moved.length).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
  });

  it("give every page every rank equally often, however they grew", () => {
    const counts = new Float64Array(36);
    const runs = 36_000;
    for (let seed = 0; seed < runs; seed += 1) {
      const pages = new ScatteredPages(new SeededRandom(seed));
      pages.resize(4);
      pages.resize(9);
      pages.resize(6);
      for (let rank = 0; rank < 6; rank += 1) counts[rank * 6 + pages.pageAt(rank)]! += 1;
    }
    // Rows and columns are bound to their sums: 25 of the 36 counts are free.
    const sum = counts.reduce((total, count) => total + (count - runs / 6) ** 2 / (runs / 6), 0);
    expect(sum).toBeLessThan(25 + 4 * Math.sqrt(50));
  });

  it("have a limit", () => {
    const pages = new ScatteredPages(new SeededRandom(1));
    expect(() => {
      pages.resize(2 ** 27 + 1);
    }).toThrow(RangeError);
  });
});
