import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type KnobName, knobsOf, type RefillKnobs } from "../tlb/refills/knobs.ts";
import { AccessGenerator, GeneratedStream } from "./access-generator.ts";
import type { AccessSource, PagesInUse } from "./access-source.ts";
import { ACCESS_PATTERNS } from "./generator-knobs.ts";
import { PageOrder } from "./page-order.ts";
import { deviationOf } from "./testing/chi-square.ts";
import { usesPage } from "./vcpu-footprint.ts";

const VISITS = 200_000;

function knobs(own: Partial<Record<KnobName, number>> = {}): RefillKnobs {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a record of knobs
  return knobsOf(new Map(Object.entries(own) as [KnobName, number][]));
}

function footprint(length: number): PagesInUse {
  return { length, indexOf: (page) => page };
}

function visits(source: AccessSource, pages: PagesInUse, count: number): readonly number[] {
  return Array.from({ length: count }, () => {
    source.left = 0;
    source.draw(pages);
    return source.index;
  });
}

/** The pages that most of the next visits go to. */
function mostVisited(source: AccessSource, pages: number, count: number): ReadonlySet<number> {
  const seen = new Float64Array(2000);
  for (const page of visits(source, footprint(pages), 100_000)) seen[page]! += 1;
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
  it("visits pages as often as zipf says, the popular ones anywhere", () => {
    const generator = new AccessGenerator(knobs(), 9);
    const counts = new Float64Array(200);
    const seen = visits(generator, footprint(200), VISITS);
    for (const page of seen) counts[page]! += 1;
    expect(counts.indexOf(Math.max(...counts))).not.toBe(0);
    // By count: ranks that are far apart in popularity keep their order, so the first 10 can be told.
    const sorted = [...counts].sort((a, b) => b - a).slice(0, 10);
    const sum = Array.from({ length: 200 }, (_, rank) => (rank + 1) ** -0.99).reduce(
      (a, b) => a + b,
    );
    const expected = sorted.map((_, rank) => ((rank + 1) ** -0.99 / sum) * VISITS);
    expect(deviationOf(sorted, expected)).toBeLessThan(4);
  });

  it("has runs, writes and patterns as its knobs say", () => {
    const uniform = { pattern: ACCESS_PATTERNS.indexOf("uniform") };
    const generator = new AccessGenerator(knobs(uniform), 2);
    const counts = new Float64Array(64);
    let runs = 0;
    let writes = 0;
    for (let i = 0; i < VISITS; i += 1) {
      generator.draw(footprint(64));
      counts[generator.index]! += 1;
      runs += generator.left;
      writes += generator.isWrite ? 1 : 0;
    }
    expect(deviationOf(counts, new Float64Array(64).fill(VISITS / 64))).toBeLessThan(4);
    // Standard errors: of a mean of 8, sqrt(56 / n) = 0.017; of a share of 0.3, 0.001.
    expect(Math.abs(runs / VISITS - 8)).toBeLessThan(0.07);
    expect(Math.abs(writes / VISITS - 0.3)).toBeLessThan(0.005);
  });

  it("is the same for the same seed and calls, whatever the pattern", () => {
    for (const [pattern, name] of ACCESS_PATTERNS.entries()) {
      const make = (seed: number): readonly number[] => {
        const stream = new GeneratedStream(knobs({ pattern }), seed, 4096);
        stream.due(0, 1, 0, 1);
        const first = visits(stream.source(0, 1), footprint(1000), 500);
        stream.due(0, 1, 1, 3e9);
        return [...first, ...visits(stream.source(0, 1), footprint(1500), 500)];
      };
      expect(make(1)).toEqual(make(1));
      expect(make(1).every((page) => page >= 0 && page < 1500)).toBe(true);
      if (name === "popularity" || name === "uniform") expect(make(2)).not.toEqual(make(1));
    }
  });

  it("keeps to its footprint when that shrinks, and has nothing to visit without one", () => {
    const sizes = fc.array(fc.nat(2000), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(fc.nat(ACCESS_PATTERNS.length - 1), sizes, (pattern, lengths) => {
        const generator = new AccessGenerator(knobs({ pattern }), 4);
        for (const length of lengths) {
          for (let i = 0; i < 40; i += 1) {
            generator.left = 0;
            generator.draw(footprint(length));
            if (length === 0) expect(generator.left).toBe(0);
            else expect(generator.index).toBeLessThan(length);
          }
        }
      }),
    );
  });

  it("uses a part of the footprint that stays the same part", () => {
    const generator = new AccessGenerator(knobs({ footprint: 0.25, theta: 0 }), 4);
    const before = new Set(visits(generator, footprint(400), 20_000));
    expect(before.size).toBe(100);
    expect(new Set(visits(generator, footprint(400), 20_000))).toEqual(before);
  });

  it("keeps what is popular when the footprint grows, and moves a part of it with each phase", () => {
    const stream = new GeneratedStream(knobs({ theta: 1.2 }), 6, 4096);
    const source = stream.source(0, 1);
    stream.due(0, 1, 0, 1);
    const before = mostVisited(source, 1000, 20);
    // Each new page takes one of 1000 ranks: about 2 of the first 20 go.
    expect(kept(before, mostVisited(source, 1100, 20))).toBeGreaterThanOrEqual(14);
    stream.due(0, 1, 1, 0.999e9);
    expect(kept(before, mostVisited(source, 1100, 20))).toBeGreaterThanOrEqual(14);
    stream.due(0, 1, 0.999e9, 60e9);
    expect(kept(before, mostVisited(source, 1100, 20))).toBeLessThan(6);
    // For however long nothing happened.
    stream.due(0, 1, 60e9, 1e18);
    expect(mostVisited(source, 1100, 20).size).toBe(20);
  });

  it("gives vCPUs common pages and pages of their own, and one popularity", () => {
    const stream = new GeneratedStream(knobs({ theta: 0.5, sharing: 0.5 }), 6, 4096);
    const seen = [0, 1, 2].map(
      (vcpu) => new Set(visits(stream.source(vcpu, 3), footprint(300), 60_000)),
    );
    for (const [vcpu, pages] of seen.entries()) {
      const own = Array.from({ length: 300 }, (_, page) => page).filter((page) =>
        usesPage(page, vcpu, 3, 0.5),
      );
      expect([...pages].sort((a, b) => a - b)).toEqual(own);
    }
    const alone = new GeneratedStream(knobs({ sharing: 0 }), 6, 4096);
    expect(new Set(visits(alone.source(0, 1), footprint(100), 60_000)).size).toBe(100);
  });

  it("is due at its pace, in accesses", () => {
    const stream = new GeneratedStream(knobs(), 1, 4096);
    expect(stream.due(0, 1, 500, 1500)).toBe(125 * 8);
    const pattern = ACCESS_PATTERNS.indexOf("backwards-512");
    expect(new GeneratedStream(knobs({ pattern }), 1, 4096).due(0, 1, 500, 1500)).toBe(125);
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
  it("is a share that is common, and every other page in turn", () => {
    const inputs = [
      fc.integer({ min: 1, max: 9 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    ] as const;
    fc.assert(
      fc.property(...inputs, (vcpus, sharing) => {
        const users = Array.from({ length: 300 }, (_, page) =>
          Array.from({ length: vcpus }, (_vcpu, vcpu) => usesPage(page, vcpu, vcpus, sharing)),
        ).map((used) => used.filter(Boolean).length);
        expect(users.every((count) => count === 1 || count === vcpus)).toBe(true);
        if (vcpus === 1) return;
        const common = users.filter((count) => count === vcpus).length;
        expect(Math.abs(common - 300 * sharing)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
