import { expect, it } from "vitest";
import { Xorshift32 } from "../accesses/reference-streams.ts";
import { AllSizes } from "./all-sizes.ts";
import { AllWays } from "./all-ways.ts";
import { FullyAssociative } from "./fully-associative.ts";
import { missCurveRows, PairedDepths } from "./miss-curve.ts";
import { SetAssociative } from "./set-associative.ts";
import type { TlbArray } from "./tlb-array.ts";

const LENGTH = 20_000;
const FLUSH_EVERY = 50;

/** Pages, some far more often than others. */
function pages(): readonly number[] {
  const random = new Xorshift32(11);
  return Array.from({ length: LENGTH }, () => Math.floor(60 * (random.next() / 2 ** 32) ** 2));
}

/** Misses, refills and avoided misses of one array, two copies of which run side by side. */
function side(make: () => TlbArray): readonly number[] {
  const paired = make();
  const policy = make();
  let [misses, refills, avoided] = [0, 0, 0];
  for (const [i, page] of pages().entries()) {
    const inPaired = paired.use(page, 0);
    const inPolicy = policy.use(page, 0);
    if (!inPolicy) misses += 1;
    if (inPaired && !inPolicy) refills += 1;
    if (!inPaired && inPolicy) avoided += 1;
    if (i % FLUSH_EVERY === 0) policy.dropRange(0, 12);
  }
  return [misses, refills, avoided];
}

function curve(make: () => AllSizes | AllWays, max: number, sets: number): readonly number[][] {
  const paired = make();
  const policy = make();
  const pairs = new PairedDepths(max);
  for (const [i, page] of pages().entries()) {
    pairs.add(paired.access(page), policy.access(page));
    if (i % FLUSH_EVERY === 0) policy.dropRange(0, 12);
  }
  const of = { policy: "range-6.9", hypothesis: "combined", sets } as const;
  const rows = missCurveRows(of, policy, pairs);
  expect(rows.every((row) => row.accesses === LENGTH)).toBe(true);
  expect(rows.map((row) => row.entries)).toEqual(
    Array.from({ length: max }, (_, i) => (i + 1) * sets),
  );
  for (const row of rows) {
    const without = paired.misses(row.entries / sets);
    expect(row.misses).toBe(without + row.refills - row.avoided);
  }
  return rows.map(({ misses, refills, avoided }) => [misses, refills, avoided]);
}

it("counts for every size the refills that two arrays of that size show", () => {
  const rows = curve(() => new AllSizes(70), 70, 1);
  for (const size of [1, 2, 7, 16, 40, 59, 70]) {
    expect(rows[size - 1]).toEqual(side(() => new FullyAssociative(size, 1)));
  }
  // Not every size is the same, and some misses are avoided.
  expect(rows[39]![1]).toBeGreaterThan(rows[6]![1]!);
  expect(rows[15]![2]).toBeGreaterThan(0);
});

it("and for all ways of a number of sets", () => {
  const rows = curve(() => new AllWays(4, 12), 12, 4);
  for (const ways of [1, 3, 5, 12]) {
    expect(rows[ways - 1]).toEqual(side(() => new SetAssociative(4, ways, 1)));
  }
});
