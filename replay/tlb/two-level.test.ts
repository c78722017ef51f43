import { describe, expect, it } from "vitest";
import { sequentialPages, uniformPages, zipfPages } from "../accesses/reference-streams.ts";
import { FullyAssociative } from "./fully-associative.ts";
import { SetAssociative } from "./set-associative.ts";
import type { TlbArray } from "./tlb-array.ts";
import { Found, TwoLevelTlb } from "./two-level.ts";

const LENGTH = 4_000_000;

/** Hits in the first level, hits in the second, misses. */
function counts(tlb: TwoLevelTlb, stream: Int32Array): readonly number[] {
  const found = [0, 0, 0];
  for (const page of stream) found[tlb.access(page, 0)]! += 1;
  return found;
}

/** First level of 48, second of 256 sets by 5 ways: the shape of a Cortex-A76. */
function cortexA76(): TwoLevelTlb {
  return new TwoLevelTlb(new FullyAssociative(48, 1), new SetAssociative(256, 5, 1));
}

// Counts of three independent simulators on the same streams: a naive one and a tuned one in C, and
// drcachesim's TLB simulator (DynamoRIO) with LRU 48 and 1280 by 5.
describe("the reference counts", () => {
  it.each([
    ["uniform16k", uniformPages(LENGTH, 16384), [11_713, 300_401, 3_687_886]],
    ["zipf16k", zipfPages(LENGTH, 16384, 0.99), [1_080_336, 1_467_662, 1_452_002]],
    ["seq16k", sequentialPages(LENGTH, 16384, 8), [3_500_000, 0, 500_000]],
    ["hot40", uniformPages(LENGTH, 40), [3_999_960, 0, 40]],
  ] as const)("%s", (_, stream, expected) => {
    expect(counts(cortexA76(), stream)).toEqual(expected);
  });

  it.each([
    ["uniform16k", uniformPages(LENGTH, 16384), [11_713, 312_089], 312_117],
    ["zipf16k", zipfPages(LENGTH, 16384, 0.99), [1_080_336, 2_592_366], 2_548_998],
  ] as const)(
    "%s: one level of 48 and of 1280, and 256 sets by 5 alone",
    (_, stream, full, sets) => {
      const hits = (array: FullyAssociative | SetAssociative): number => {
        let sum = 0;
        for (const page of stream) {
          if (array.touch(page)) sum += 1;
          else array.fill(page, 0);
        }
        return sum;
      };
      expect([48, 1280].map((entries) => hits(new FullyAssociative(entries, 1)))).toEqual(full);
      expect(hits(new SetAssociative(256, 5, 1))).toBe(sets);
    },
  );
});

/** Misses of VM 1, whose neighbour's entries are taken away every 1000 accesses. */
function neighbourMisses(flush: (tlb: readonly TlbArray[]) => void): number {
  const arrays = [new FullyAssociative(48, 2), new SetAssociative(256, 5, 2)];
  const tlb = new TwoLevelTlb(arrays[0]!, arrays[1]!);
  const stream = zipfPages(400_000, 4096, 0.99);
  let misses = 0;
  for (const [i, page] of stream.entries()) {
    const vm = i & 1;
    if (tlb.access(page + vm * 2 ** 20, vm) === Found.nowhere && vm === 1) misses += 1;
    if (i % 1000 === 999) flush(arrays);
  }
  return misses;
}

describe("two VMs in one TLB", () => {
  it("the dead entries of one go first: its flushes cost the neighbour no extra miss", () => {
    const byGeneration = neighbourMisses((arrays) => {
      for (const array of arrays) array.flushVm(0);
    });
    // As hardware does it: each entry is taken away there and then.
    const physical = neighbourMisses((arrays) => {
      for (const array of arrays) array.dropWhere((key) => key < 2 ** 20);
    });
    expect(byGeneration).toBe(physical);
    const without = neighbourMisses(() => {});
    expect(byGeneration).toBeLessThan(without);
  });
});
