import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ByteWriter } from "../../testing/byte-writer.ts";
import { payloads, TestEvent, TestSymbol } from "../../testing/dat-events.ts";
import { buildDat } from "../../testing/dat-file.ts";
import { DatPage } from "../../testing/dat-page.ts";
import { type ReadTrace, readText } from "../../testing/read-text.ts";

const T0 = 1_000_000_000n;

/** Values that are ordinary, and values that are not: NULL, too large for a quantity, negative. */
const WORDS = [
  0n,
  1n,
  0x4000n,
  0xffff_0000_1111_0000n,
  0xffff_0000_2222_0000n,
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 64n) - 1n,
  TestSymbol.map,
  TestSymbol.unmap,
] as const;
const word = fc.constantFrom(...WORDS);
const delta = fc.nat(300);

/** One entry of a page, written in either byte order. */
type Entry = (page: DatPage, littleEndian: boolean) => unknown;

function begin(id: number, littleEndian: boolean, pid: number): ByteWriter {
  return new ByteWriter(littleEndian).u16(id).u8(0).u8(0).u32(pid);
}

/** Probes at their functions, mostly, and at others. */
const place = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      [TestEvent.map, TestSymbol.map],
      [TestEvent.applyRange, TestSymbol.applyRange],
      [TestEvent.mapRet, TestSymbol.map],
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      fc.constantFrom(TestEvent.map, TestEvent.applyRange, TestEvent.mapRet),
      fc.constantFrom(TestSymbol.map, TestSymbol.unmap, TestSymbol.applyRange, 0n, 0x40_0000n),
    ),
  },
);
const probe = fc.tuple(place, fc.array(word, { minLength: 5, maxLength: 5 }), delta, fc.nat(3)).map(
  ([[id, address], values, after, pid]): Entry =>
    (page, littleEndian) => {
      const out = begin(id, littleEndian, pid).u64(address);
      if (id === TestEvent.mapRet)
        out
          .u64(values[0]!)
          .u32(Number(values[1]! & 0xffff_ffffn))
          .u32(0);
      else for (const value of values) out.u64(value);
      return page.record(after, out.build());
    },
);
const ordinary = fc.tuple(fc.constantFrom(0x4000, 0x8000), delta).map(
  ([addr, after]): Entry =>
    (page, littleEndian) =>
      page.record(after, payloads.map(addr, littleEndian)),
);
const entry = delta.map(
  (after): Entry =>
    (page, littleEndian) =>
      page.record(after, payloads.entry(littleEndian)),
);
const odd: fc.Arbitrary<Entry> = fc.oneof(
  delta.map(
    (after): Entry =>
      (page, little) =>
        page.record(after, payloads.print("x", little)),
  ),
  // Too short for its event, and of an event that is not described.
  delta.map(
    (after): Entry =>
      (page, little) =>
        page.record(after, begin(101, little, 1).u64(TestSymbol.map).build()),
  ),
  delta.map(
    (after): Entry =>
      (page, little) =>
        page.record(after, begin(900, little, 1).build()),
  ),
  delta.map(
    (after): Entry =>
      (page) =>
        page.discarded(after, 24),
  ),
  delta.map(
    (after): Entry =>
      (page) =>
        page.timeExtend(BigInt(after) << 27n),
  ),
  delta.map(
    (after): Entry =>
      (page, little) =>
        page.longRecord(after, payloads.map(1, little)),
  ),
);
const pageOf = fc.record({
  at: fc.nat(2000),
  missed: fc.boolean(),
  entries: fc.array(
    fc.oneof(
      { weight: 4, arbitrary: ordinary },
      { weight: 4, arbitrary: entry },
      { weight: 3, arbitrary: probe },
      { weight: 1, arbitrary: odd },
    ),
    { maxLength: 30 },
  ),
});
type PageSpec = typeof pageOf extends fc.Arbitrary<infer Spec> ? Spec : never;

async function readIn(
  littleEndian: boolean,
  cpus: readonly (readonly PageSpec[])[],
): Promise<ReadTrace> {
  const built = cpus.map((pages) => {
    let at = T0;
    return pages.map((spec) => {
      at += BigInt(spec.at);
      const page = new DatPage(at, littleEndian);
      for (const add of spec.entries) add(page, littleEndian);
      if (spec.missed) page.missed(3);
      return page.build();
    });
  });
  return readText(buildDat({ littleEndian, cpus: built }), [1 << 20]);
}

describe("the short way of ordinary records", () => {
  // Only little-endian files have it: the same records in the other order go the long way.
  it("gives every column, count and message that the long way gives", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(pageOf, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 }),
        async (cpus) => {
          const short = await readIn(true, cpus);
          const long = await readIn(false, cpus);
          expect(short).toEqual({
            ...long,
            info: { ...long.info, sha256: short.info.sha256, layout: short.info.layout },
          });
        },
      ),
      { numRuns: 80 },
    );
  });
});
