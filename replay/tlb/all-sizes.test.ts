import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { zipfPages } from "../accesses/reference-streams.ts";
import { AllSizes } from "./all-sizes.ts";
import { FullyAssociative } from "./fully-associative.ts";

type Step =
  | { readonly do: "access" | "drop"; readonly page: number }
  | { readonly do: "range"; readonly from: number; readonly length: number }
  | { readonly do: "flushVm"; readonly vm: number }
  | { readonly do: "flushAll" };

const PAGES = 40;
const page = fc.integer({ min: 0, max: PAGES - 1 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 40, arbitrary: fc.record({ do: fc.constant("access" as const), page }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("drop" as const), page }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("range" as const),
      from: page,
      length: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("flushVm" as const), vm: fc.nat({ max: 1 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("flushAll" as const) }) },
);

/** Even pages belong to VM 0, odd ones to VM 1. */
function vmOf(key: number): number {
  return key & 1;
}

/** Misses of a list of one size, the slow and obvious way: the first entry is the youngest. */
function bruteForce(steps: readonly Step[], size: number): number {
  let list: number[] = [];
  let misses = 0;
  for (const step of steps) {
    switch (step.do) {
      case "access":
        if (!list.includes(step.page)) misses += 1;
        list = [step.page, ...list.filter((key) => key !== step.page)].slice(0, size);
        break;
      case "drop":
        list = list.filter((key) => key !== step.page);
        break;
      case "range":
        list = list.filter((key) => key < step.from || key >= step.from + step.length);
        break;
      case "flushVm":
        list = list.filter((key) => vmOf(key) !== step.vm);
        break;
      case "flushAll":
        list = [];
        break;
      default:
    }
  }
  return misses;
}

function onePass(steps: readonly Step[], maxSize: number): AllSizes {
  const all = new AllSizes(maxSize, 2);
  for (const step of steps) {
    if (step.do === "access") all.access(step.page, vmOf(step.page));
    else if (step.do === "drop") all.drop(step.page);
    else if (step.do === "flushAll") all.flushAll();
    else if (step.do === "flushVm") all.flushVm(step.vm);
    else if (step.do === "range") all.dropRange(step.from, step.length);
  }
  return all;
}

describe("all sizes in one pass", () => {
  it("miss as often as a list of each size, under page, range, VM and whole invalidations", () => {
    const sizes = Array.from({ length: PAGES + 4 }, (_, i) => i + 1);
    const property = fc.property(
      fc.array(anyStep, { minLength: 50, maxLength: 700 }),
      fc.integer({ min: 4, max: PAGES + 4 }),
      (steps, maxSize) => {
        const all = onePass(steps, maxSize);
        const asked = sizes.filter((size) => size <= maxSize);
        const got = asked.map((size) => all.misses(size));
        expect(got).toEqual(asked.map((size) => bruteForce(steps, size)));
      },
    );
    fc.assert(property, { seed: 1, numRuns: 150 });
    expect.hasAssertions();
  });

  it("agree with the arrays on the zipf reference stream, also after the places were renumbered", () => {
    const stream = zipfPages(500_000, 16384, 0.99);
    const all = new AllSizes(2048);
    for (const key of stream) all.access(key);
    for (const size of [1, 48, 1280, 2048]) {
      const array = new FullyAssociative(size, 1);
      let misses = 0;
      for (const key of stream) {
        if (array.touch(key)) continue;
        misses += 1;
        array.fill(key, 0);
      }
      expect(all.misses(size)).toBe(misses);
    }
  });

  it("say how many translations an invalidation took, and forget nobody else's", () => {
    const all = new AllSizes(64, 2);
    // 1000 accesses to 40 pages: the places are renumbered on the way.
    for (let i = 0; i < 1000; i += 1) all.access((i * 7) % 40, vmOf((i * 7) % 40));
    expect(all.flushVm(1)).toBe(20);
    expect(all.dropRange(0, 1000)).toBe(20);
    for (let i = 0; i < 40; i += 1) all.access(i, vmOf(i));
    expect(all.dropRange(4, 3)).toBe(3);
    expect(all.dropWhere((key) => key === 7)).toBe(1);
    expect([all.drop(7), all.drop(8)]).toEqual([false, true]);
    expect(all.flushAll()).toBe(35);
    expect(all.access(0, 0)).toBe(0);
  });

  it("would be wrong if an invalidated page left no hole", () => {
    // Two entries: b is invalidated, c fills its entry, and a is still there.
    const all = new AllSizes(2);
    for (const key of [0, 1]) all.access(key);
    all.drop(1);
    all.access(2);
    expect(all.access(0)).toBe(2);
  });
});
