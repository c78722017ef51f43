import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Xorshift32 } from "../accesses/reference-streams.ts";
import { FullyAssociative } from "./fully-associative.ts";
import { SetAssociative } from "./set-associative.ts";
import type { TlbArray } from "./tlb-array.ts";

type Step =
  | { readonly do: "use" | "useAtOnce" | "drop"; readonly key: number }
  | { readonly do: "range"; readonly from: number; readonly length: number }
  | { readonly do: "flushVm"; readonly vm: number }
  | { readonly do: "flushAll" };

const VMS = 3;
const key = fc.integer({ min: 0, max: 59 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: fc.record({ do: fc.constant("use" as const), key }) },
  { weight: 20, arbitrary: fc.record({ do: fc.constant("useAtOnce" as const), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("drop" as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("range" as const),
      from: key,
      length: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("flushVm" as const), vm: fc.nat({ max: VMS - 1 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("flushAll" as const) }) },
);

function vmOf(of: number): number {
  return of % VMS;
}

/** Invalidation takes entries out, set by set: the slow and obvious model. The first of a set is the youngest. */
class Lists {
  readonly #sets: number[][];
  readonly #ways: number;

  constructor(sets: number, ways: number) {
    this.#sets = Array.from({ length: sets }, () => []);
    this.#ways = ways;
  }

  use(one: number): boolean {
    const set = one & (this.#sets.length - 1);
    const list = this.#sets[set]!;
    this.#sets[set] = [one, ...list.filter((other) => other !== one)].slice(0, this.#ways);
    return list.includes(one);
  }

  remove(matches: (one: number) => boolean): number {
    const before = this.#sets.flat().length;
    for (const [i, list] of this.#sets.entries()) {
      this.#sets[i] = list.filter((one) => !matches(one));
    }
    return before - this.#sets.flat().length;
  }
}

function useIn(array: TlbArray, one: number): boolean {
  if (array.touch(one)) return true;
  array.fill(one, vmOf(one));
  return false;
}

/** What each step answers. */
function answers(array: TlbArray, steps: readonly Step[]): readonly (number | boolean)[] {
  return steps.map((step) => {
    if (step.do === "use") return useIn(array, step.key);
    if (step.do === "useAtOnce") return array.use(step.key, vmOf(step.key));
    if (step.do === "drop") return array.drop(step.key) ? 1 : 0;
    if (step.do === "range") return array.dropRange(step.from, step.length);
    return step.do === "flushVm" ? array.flushVm(step.vm) : array.flushAll();
  });
}

function listAnswers(lists: Lists, steps: readonly Step[]): readonly (number | boolean)[] {
  return steps.map((step) => {
    if (step.do === "use" || step.do === "useAtOnce") return lists.use(step.key);
    if (step.do === "drop") return lists.remove((one) => one === step.key);
    if (step.do === "range") {
      return lists.remove((one) => one >= step.from && one < step.from + step.length);
    }
    if (step.do === "flushVm") return lists.remove((one) => vmOf(one) === step.vm);
    return lists.remove(() => true);
  });
}

describe.each([
  ["fully associative, 1", () => new FullyAssociative(1, VMS), 1, 1],
  ["fully associative, 7", () => new FullyAssociative(7, VMS), 1, 7],
  ["fully associative, 48", () => new FullyAssociative(48, VMS), 1, 48],
  ["4 sets by 3", () => new SetAssociative(4, 3, VMS), 4, 3],
  ["8 sets by 5", () => new SetAssociative(8, 5, VMS), 8, 5],
  ["1 set by 6", () => new SetAssociative(1, 6, VMS), 1, 6],
] as const)("an array that is %s", (_, make, sets, ways) => {
  it("answers as lists do from which invalidated entries are taken out", () => {
    const property = fc.property(fc.array(anyStep, { maxLength: 400 }), (steps) => {
      expect(answers(make(), steps)).toEqual(listAnswers(new Lists(sets, ways), steps));
    });
    fc.assert(property, { seed: 1, numRuns: 200 });
    expect.hasAssertions();
  });

  it("knows what it holds, and of whom", () => {
    const property = fc.property(fc.array(anyStep, { maxLength: 100 }), (steps) => {
      const array = make();
      answers(array, steps);
      const held = Array.from({ length: 60 }, (_unused, one) => one).filter((one) =>
        array.has(one),
      );
      for (let vm = 0; vm < VMS; vm += 1) {
        expect(array.liveOf(vm)).toBe(held.filter((one) => vmOf(one) === vm).length);
      }
    });
    fc.assert(property, { seed: 2, numRuns: 100 });
    expect.hasAssertions();
  });
});

it("goes on being right when the epochs begin anew", () => {
  const array = new SetAssociative(4, 3, VMS);
  const lists = new Lists(4, 3);
  const random = new Xorshift32(7);
  let differences = 0;
  for (let i = 0; i < 400_000; i += 1) {
    const one = random.next() % 60;
    if (useIn(array, one) !== lists.use(one)) differences += 1;
    if (i % 4 !== 0) continue;
    const vm = random.next() % VMS;
    if (array.flushVm(vm) !== lists.remove((other) => vmOf(other) === vm)) differences += 1;
  }
  expect(differences).toBe(0);
});

it("an array without ways never holds anything; sets are a power of two", () => {
  const none = new SetAssociative(1, 0, 1);
  none.fill(5, 0);
  expect([none.touch(5), none.has(5), none.flushVm(0)]).toEqual([false, false, 0]);
  expect(() => new SetAssociative(3, 2, 1)).toThrow(RangeError);
});
