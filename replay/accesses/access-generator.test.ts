import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { AccessGenerator } from "./access-generator.ts";
import { ACCESS_PATTERNS, GENERATOR_KNOBS, knobValues } from "./generator-knobs.ts";
import { HotPhases } from "./hot-phases.ts";
import { PageOrder } from "./page-order.ts";
import { ScatteredPages } from "./scattered-pages.ts";
import { SeededRandom } from "./seeded-random.ts";
import { deviationOf } from "./testing/chi-square.ts";
import { VcpuFootprint } from "./vcpu-footprint.ts";

const VISITS = 200_000;

function visits(generator: AccessGenerator, count: number): Int32Array {
  const pages = new Int32Array(count);
  generator.fillPages(pages);
  return pages;
}

/** The pages that most of the next visits go to. */
function mostVisited(generator: AccessGenerator, count: number): ReadonlySet<number> {
  const seen = new Float64Array(2000);
  for (const page of visits(generator, 100_000)) seen[page]! += 1;
  const order = Array.from(seen, (_, page) => page).sort((a, b) => seen[b]! - seen[a]!);
  return new Set(order.slice(0, count));
}

function kept(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  return [...a].filter((page) => b.has(page)).length;
}

function take(order: PageOrder, pages: number, count: number): readonly number[] {
  return Array.from({ length: count }, () => order.next(pages));
}

describe("the generator", () => {
  it("visits pages as often as their rank says, and ranks are scattered", () => {
    const scattered = new ScatteredPages(new SeededRandom(5));
    scattered.resize(200);
    const generator = new AccessGenerator({ knobs: knobValues(), seed: 9, scattered });
    generator.resize(200);
    const counts = new Float64Array(200);
    for (const page of visits(generator, VISITS)) counts[scattered.rankOf(page)]! += 1;
    const weights = Float64Array.from(counts, (_, rank) => (rank + 1) ** -0.99);
    const sum = weights.reduce((a, b) => a + b, 0);
    expect(
      deviationOf(
        counts,
        weights.map((weight) => (weight / sum) * VISITS),
      ),
    ).toBeLessThan(4);
    expect(scattered.pageAt(0)).not.toBe(0);
  });

  it("has runs, writes and patterns as its knobs say", () => {
    const generator = new AccessGenerator({ knobs: knobValues(), seed: 2, pattern: "uniform" });
    generator.resize(64);
    const pages = new Int32Array(VISITS);
    const runs = new Uint32Array(VISITS);
    const writes = new Uint8Array(VISITS);
    generator.fillPages(pages, runs, writes);
    const counts = new Float64Array(64);
    for (const page of pages) counts[page]! += 1;
    expect(deviationOf(counts, new Float64Array(64).fill(VISITS / 64))).toBeLessThan(4);
    // Standard errors: of a mean of 8, sqrt(56 / n) = 0.017; of a share of 0.3, 0.001.
    expect(Math.abs(runs.reduce((a, b) => a + b, 0) / VISITS - 8)).toBeLessThan(0.07);
    expect(Math.abs(writes.reduce((a, b) => a + b, 0) / VISITS - 0.3)).toBeLessThan(0.005);
  });

  it("is the same for the same seed and calls, whatever the pattern", () => {
    for (const pattern of ACCESS_PATTERNS) {
      const make = (seed: number): Int32Array => {
        const generator = new AccessGenerator({ knobs: knobValues(), seed, pattern });
        generator.resize(1000);
        generator.advanceTo(0);
        const first = visits(generator, 500);
        generator.resize(1500);
        generator.advanceTo(3e9);
        return Int32Array.of(...first, ...visits(generator, 500));
      };
      expect(make(1)).toEqual(make(1));
      expect(make(1).every((page) => page >= 0 && page < 1500)).toBe(true);
      if (pattern === "popularity" || pattern === "uniform") expect(make(2)).not.toEqual(make(1));
    }
  });

  it("keeps to its footprint when that shrinks, and has nothing to visit without one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ACCESS_PATTERNS),
        fc.array(fc.nat(2000), { minLength: 1, maxLength: 10 }),
        (pattern, sizes) => {
          const generator = new AccessGenerator({ knobs: knobValues(), seed: 4, pattern });
          for (const size of sizes) {
            generator.resize(size);
            for (let i = 0; i < 40; i += 1) {
              const page = generator.nextPage();
              expect(page).toBeLessThan(Math.max(size, 1));
              expect(page).toBeGreaterThanOrEqual(size === 0 ? -1 : 0);
            }
          }
        },
      ),
    );
  });

  it("keeps what is popular when the footprint grows, and moves a part of it with each phase", () => {
    const generator = new AccessGenerator({ knobs: knobValues("base", { theta: 1.2 }), seed: 6 });
    generator.resize(1000);
    generator.advanceTo(0);
    const before = mostVisited(generator, 20);
    generator.resize(1100);
    // Each new page takes one of 1000 ranks: about 2 of the first 20 go.
    expect(kept(before, mostVisited(generator, 20))).toBeGreaterThanOrEqual(14);
    generator.advanceTo(0.999e9);
    expect(kept(before, mostVisited(generator, 20))).toBeGreaterThanOrEqual(14);
    generator.advanceTo(60e9);
    expect(kept(before, mostVisited(generator, 20))).toBeLessThan(6);
  });

  it("shares a popularity with others, whose owner moves it", () => {
    const knobs = knobValues("base", { theta: 1.2 });
    const scattered = new ScatteredPages(new SeededRandom(5));
    const phases = new HotPhases(scattered, knobs, 5);
    scattered.resize(1000);
    const [one, other] = [1, 2].map((seed) => {
      const generator = new AccessGenerator({ knobs, seed, scattered });
      generator.resize(1000);
      return generator;
    });
    const before = mostVisited(one!, 20);
    expect(kept(before, mostVisited(other!, 20))).toBeGreaterThanOrEqual(16);
    expect(() => {
      one!.resize(1001);
    }).toThrow(RangeError);
    one!.advanceTo(0);
    one!.advanceTo(60e9);
    expect(kept(before, mostVisited(one!, 20))).toBeGreaterThanOrEqual(16);
    phases.advanceTo(0);
    phases.advanceTo(60e9);
    expect(kept(before, mostVisited(one!, 20))).toBeLessThan(6);
  });

  it("does not care for how long nothing happened", () => {
    const generator = new AccessGenerator({ knobs: knobValues(), seed: 6 });
    generator.resize(100);
    generator.advanceTo(0);
    generator.advanceTo(1e18);
    generator.advanceTo(5);
    expect(generator.nextPage()).toBeGreaterThanOrEqual(0);
  });
});

describe("fixed orders", () => {
  it("go on by pages, by 2 MiB, and backwards", () => {
    expect(take(new PageOrder("sequential"), 3, 7)).toEqual([0, 1, 2, 0, 1, 2, 0]);
    expect(take(new PageOrder("stride-4k"), 2, 3)).toEqual([0, 1, 0]);
    expect(take(new PageOrder("stride-2m"), 1025, 7)).toEqual([0, 512, 1024, 1, 513, 2, 514]);
    expect(take(new PageOrder("stride-2m", 65_536), 64, 4)).toEqual([0, 32, 1, 33]);
    expect(take(new PageOrder("backwards-512"), 3, 7)).toEqual([0, 1, 0, 2, 1, 0, 0]);
  });

  it("of 2 MiB strides visit every page once a round", () => {
    for (const pages of [1, 511, 512, 513, 1500]) {
      const order = new PageOrder("stride-2m");
      const round = take(order, pages, pages);
      expect([...round].sort((a, b) => a - b)).toEqual(round.map((_, page) => page));
      expect(order.next(pages)).toBe(0);
    }
  });

  it("backwards touch 512 pages for every new one", () => {
    const order = new PageOrder("backwards-512");
    const first = (512 * 511) / 2;
    take(order, 600, first);
    const next = take(order, 600, 1024);
    expect(next.slice(0, 512)).toEqual(Array.from({ length: 512 }, (_, i) => 511 - i));
    expect(next.slice(512)).toEqual(Array.from({ length: 512 }, (_, i) => 512 - i));
  });
});

describe("the footprint of a vCPU", () => {
  it("is what a list of all pages says, and grows without changing owners", () => {
    const inputs = [
      fc.integer({ min: 1, max: 9 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    ] as const;
    fc.assert(
      fc.property(...inputs, (vcpus, sharing) => {
        const pages = 300;
        const owned = Array.from({ length: vcpus }, (): number[] => []);
        let others = 0;
        for (let page = 0; page < pages; page += 1) {
          const isCommon = Math.floor((page + 1) * sharing) > Math.floor(page * sharing);
          for (const [vcpu, list] of owned.entries()) {
            if (isCommon || others % vcpus === vcpu) list.push(page);
          }
          if (!isCommon) others += 1;
        }
        for (const [vcpu, list] of owned.entries()) {
          const footprint = new VcpuFootprint(vcpu, vcpus, sharing);
          expect(footprint.countOf(pages)).toBe(list.length);
          expect(list.map((_, i) => footprint.pageOf(i))).toEqual(list);
        }
      }),
    );
  });
});

describe("the knobs", () => {
  it("are all within their range, and refuse what means nothing", () => {
    for (const level of ["low", "base", "high"] as const)
      expect(() => knobValues(level)).not.toThrow();
    for (const { meaning, reason, unit } of Object.values(GENERATOR_KNOBS)) {
      expect(meaning.length * reason.length * unit.length).toBeGreaterThan(0);
    }
    expect(knobValues("high", { theta: 0.5 })).toMatchObject({ theta: 0.5, runLength: 64 });
    expect(() => knobValues("base", { runLength: 0 })).toThrow(RangeError);
    expect(() => knobValues("base", { writeShare: 1.1 })).toThrow(RangeError);
    expect(() => knobValues("base", { phaseMs: 0 })).toThrow(RangeError);
    expect(() => knobValues("base", { theta: Number.NaN })).toThrow(RangeError);
  });
});
