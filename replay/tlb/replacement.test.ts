import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { REFERENCE_SEED, uniformPages, Xorshift32 } from "../accesses/reference-streams.ts";
import { FullyAssociative } from "./fully-associative.ts";
import { makeArray } from "./make-array.ts";
import { SetAssociative } from "./set-associative.ts";
import type { Replacement } from "./tlb-array.ts";

type Step =
  | { readonly do: "use" | "drop"; readonly key: number }
  | { readonly do: "range"; readonly from: number; readonly length: number }
  | { readonly do: "flushVm"; readonly vm: number }
  | { readonly do: "flushAll" };

const VMS = 3;
const KEYS = 60;
const key = fc.integer({ min: 0, max: KEYS - 1 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 40, arbitrary: fc.record({ do: fc.constant("use" as const), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("drop" as const), key }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("range" as const),
      from: key,
      length: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("flushVm" as const), vm: fc.nat({ max: VMS - 1 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("flushAll" as const) }) },
);

function vmOf(one: number): number {
  return one % VMS;
}

/** What is in a way, and when it was filled. */
interface Held {
  readonly key: number;
  readonly filledAt: number;
}

/** A node of a PLRU tree over the ways from…from + span − 1. */
interface Node {
  readonly from: number;
  readonly span: number;
  readonly halves: readonly [Node, Node] | undefined;
  pointsRight: boolean;
}

function treeOver(from: number, span: number): Node {
  const half = span / 2;
  const halves =
    span === 1 ? undefined : ([treeOver(from, half), treeOver(from + half, half)] as const);
  return { from, span, halves, pointsRight: false };
}

/** One set as text-books have it: ways as a list with gaps, a tree of objects. */
class Model {
  readonly #ways: (Held | undefined)[];
  readonly #replacement: Replacement;
  readonly #tree: Node;
  readonly #random: Xorshift32;
  #fills = 0;

  constructor(ways: number, replacement: Replacement, random: Xorshift32) {
    this.#ways = Array.from({ length: ways }, () => undefined);
    this.#replacement = replacement;
    let span = 1;
    while (span < ways) span *= 2;
    this.#tree = treeOver(0, span);
    this.#random = random;
  }

  use(one: number): boolean {
    const there = this.#ways.findIndex((held) => held?.key === one);
    if (there >= 0) {
      this.#pointAway(there);
      return true;
    }
    const free = this.#ways.indexOf(undefined);
    const way = free >= 0 ? free : this.#victim();
    this.#fills += 1;
    this.#ways[way] = { key: one, filledAt: this.#fills };
    this.#pointAway(way);
    return false;
  }

  remove(matches: (one: number) => boolean): number {
    let removed = 0;
    for (const [way, held] of this.#ways.entries()) {
      if (held === undefined || !matches(held.key)) continue;
      this.#ways[way] = undefined;
      removed += 1;
    }
    return removed;
  }

  #victim(): number {
    if (this.#replacement === "random") return this.#random.next() % this.#ways.length;
    if (this.#replacement === "fifo") {
      const ages = this.#ways.map((held) => held?.filledAt ?? 0);
      return ages.indexOf(Math.min(...ages));
    }
    let node = this.#tree;
    while (node.halves !== undefined) {
      const [left, right] = node.halves;
      node = node.pointsRight && right.from < this.#ways.length ? right : left;
    }
    return node.from;
  }

  #pointAway(way: number): void {
    let node = this.#tree;
    while (node.halves !== undefined) {
      const [left, right] = node.halves;
      node.pointsRight = way < right.from;
      node = node.pointsRight ? left : right;
    }
  }
}

function answers(
  replacement: Replacement,
  sets: number,
  ways: number,
  steps: readonly Step[],
): readonly (readonly (number | boolean)[])[] {
  const array = makeArray({ sets, ways, replacement }, VMS);
  const random = new Xorshift32(REFERENCE_SEED);
  const models = Array.from({ length: sets }, () => new Model(ways, replacement, random));
  const remove = (matches: (one: number) => boolean): number =>
    models.reduce((sum, model) => sum + model.remove(matches), 0);
  return steps.map((step) => {
    if (step.do === "use") {
      return [array.use(step.key, vmOf(step.key)), models[step.key % sets]!.use(step.key)];
    }
    if (step.do === "drop") {
      return [array.drop(step.key) ? 1 : 0, remove((one) => one === step.key)];
    }
    if (step.do === "range") {
      const { from, length } = step;
      return [array.dropRange(from, length), remove((one) => one >= from && one < from + length)];
    }
    if (step.do === "flushVm") {
      return [array.flushVm(step.vm), remove((one) => vmOf(one) === step.vm)];
    }
    return [array.flushAll(), remove(() => true)];
  });
}

/** Hits of 16 sets by 4 ways, half of what is used. */
function hits(replacement: Replacement): number {
  const array = makeArray({ sets: 16, ways: 4, replacement }, 1);
  let sum = 0;
  for (const page of uniformPages(200_000, 128)) if (array.use(page, 0)) sum += 1;
  return sum;
}

describe.each(["fifo", "tree-plru", "random"] as const)("replacement by %s", (replacement) => {
  it.each([
    [1, 1],
    [1, 6],
    [1, 48],
    [4, 5],
    [8, 4],
  ])("%i sets by %i ways answer as the text-book's sets do", (sets, ways) => {
    const property = fc.property(fc.array(anyStep, { maxLength: 400 }), (steps) => {
      for (const [got, expected] of answers(replacement, sets, ways, steps)) {
        expect(got).toBe(expected);
      }
    });
    fc.assert(property, { seed: 3, numRuns: 80 });
    expect.hasAssertions();
  });

  it("is not LRU, and hits about as often where every page is as likely", () => {
    // Half of the pages fit, whoever gives way.
    expect(hits(replacement)).not.toBe(hits("lru"));
    expect(hits(replacement) / 200_000).toBeCloseTo(0.5, 2);
  });
});

it("a tree over four ways evicts as text-books draw it", () => {
  const array = makeArray({ sets: 1, ways: 4, replacement: "tree-plru" }, 1);
  for (const page of [10, 11, 12, 13]) array.use(page, 0);
  // 13 was used last, so the root points left, and there to 10, the older half's older way.
  array.touch(10);
  // Now the root points right, to 12: LRU would evict 11.
  array.use(14, 0);
  expect([10, 11, 12, 13, 14].filter((page) => array.has(page))).toEqual([10, 11, 13, 14]);
});

it("a shape that says nothing is LRU, in the structure that is quickest", () => {
  expect(makeArray({ sets: 256, ways: 5 }, 1)).toBeInstanceOf(SetAssociative);
  expect(makeArray({ sets: 1, ways: 48 }, 1)).toBeInstanceOf(FullyAssociative);
  expect(makeArray({ sets: 1, ways: 4 }, 1)).toBeInstanceOf(SetAssociative);
  const nothing = makeArray({ sets: 1, ways: 0, replacement: "fifo" }, 1);
  expect([nothing.use(3, 0), nothing.has(3), nothing.entries]).toEqual([false, false, 0]);
});
