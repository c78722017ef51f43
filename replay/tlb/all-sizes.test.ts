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
      default:
        list = [];
    }
  }
  return misses;
}

function onePass(steps: readonly Step[], maxSize: number): AllSizes {
  const all = new AllSizes(maxSize);
  for (const step of steps) {
    if (step.do === "access") all.access(step.page);
    else if (step.do === "drop") all.drop(step.page);
    else if (step.do === "flushAll") all.flushAll();
    else if (step.do === "flushVm") all.dropWhere((key) => vmOf(key) === step.vm);
    else if (step.do === "range") {
      for (let i = 0; i < step.length; i += 1) all.drop(step.from + i);
    }
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

  it("would be wrong if an invalidated page left no hole", () => {
    // Two entries: b is invalidated, c fills its entry, and a is still there.
    const all = new AllSizes(2);
    for (const key of [0, 1]) all.access(key);
    all.drop(1);
    all.access(2);
    expect(all.access(0)).toBe(2);
  });
});
