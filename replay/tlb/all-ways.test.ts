import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Xorshift32, zipfPages } from "../accesses/reference-streams.ts";
import { AllWays } from "./all-ways.ts";
import { SetAssociative } from "./set-associative.ts";

type Step =
  | { readonly do: "access" | "drop"; readonly key: number }
  | { readonly do: "range"; readonly from: number; readonly length: number }
  | { readonly do: "flushVm"; readonly vm: number }
  | { readonly do: "flushAll" };

const KEYS = 48;
const VMS = 3;
const MAX_WAYS = 14;
const key = fc.integer({ min: 0, max: KEYS - 1 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 40, arbitrary: fc.record({ do: fc.constant("access" as const), key }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("drop" as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("range" as const),
      from: key,
      length: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("flushVm" as const), vm: fc.nat({ max: VMS - 1 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("flushAll" as const) }) },
);

function vmOf(one: number): number {
  return one % VMS;
}

/** Misses of lists, one a set, of one number of ways: the slow and obvious way. */
function bruteForce(steps: readonly Step[], sets: number, ways: number): number {
  const lists: number[][] = Array.from({ length: sets }, () => []);
  const remove = (matches: (one: number) => boolean): void => {
    for (const [set, list] of lists.entries()) lists[set] = list.filter((one) => !matches(one));
  };
  let misses = 0;
  for (const step of steps) {
    if (step.do === "access") {
      const list = lists[step.key % sets]!;
      if (!list.includes(step.key)) misses += 1;
      lists[step.key % sets] = [step.key, ...list.filter((one) => one !== step.key)].slice(0, ways);
    } else if (step.do === "drop") remove((one) => one === step.key);
    else if (step.do === "range") {
      remove((one) => one >= step.from && one < step.from + step.length);
    } else if (step.do === "flushVm") remove((one) => vmOf(one) === step.vm);
    else remove(() => true);
  }
  return misses;
}

function onePass(steps: readonly Step[], sets: number): AllWays {
  const all = new AllWays(sets, MAX_WAYS, VMS);
  for (const step of steps) {
    if (step.do === "access") all.access(step.key, vmOf(step.key));
    else if (step.do === "drop") all.drop(step.key);
    else if (step.do === "range") all.dropRange(step.from, step.length);
    else if (step.do === "flushVm") all.flushVm(step.vm);
    else all.flushAll();
  }
  return all;
}

describe("all ways of a number of sets in one pass", () => {
  it.each([1, 4, 8])("miss as often as lists of each length, %i sets", (sets) => {
    const ways = Array.from({ length: MAX_WAYS }, (_, i) => i + 1);
    const property = fc.property(fc.array(anyStep, { minLength: 50, maxLength: 500 }), (steps) => {
      const all = onePass(steps, sets);
      expect(ways.map((one) => all.misses(one))).toEqual(
        ways.map((one) => bruteForce(steps, sets, one)),
      );
    });
    fc.assert(property, { seed: 1, numRuns: 100 });
    expect.hasAssertions();
  });

  it("agree with the reference count of 256 sets by 5", () => {
    const stream = zipfPages(4_000_000, 16384, 0.99);
    const all = new AllWays(256, 8);
    for (const page of stream) all.access(page);
    expect(4_000_000 - all.misses(5)).toBe(2_548_998);
  });

  it("go on being right when the epochs begin anew", () => {
    const all = new AllWays(4, 3, VMS);
    const array = new SetAssociative(4, 3, VMS);
    const random = new Xorshift32(5);
    let misses = 0;
    for (let i = 0; i < 200_000; i += 1) {
      const one = random.next() % KEYS;
      all.access(one, vmOf(one));
      if (!array.use(one, vmOf(one))) misses += 1;
      const vm = random.next() % (VMS * 2);
      if (vm >= VMS) continue;
      all.flushVm(vm);
      array.flushVm(vm);
    }
    expect(all.misses(3)).toBe(misses);
  });

  it("have sets by a power of two, and say what a range took", () => {
    expect(() => new AllWays(3, 4)).toThrow(RangeError);
    const all = new AllWays(4, 4);
    for (let page = 0; page < 10; page += 1) all.access(page);
    expect([all.dropRange(8, 2), all.dropRange(0, 100), all.drop(3)]).toEqual([2, 8, false]);
  });
});
