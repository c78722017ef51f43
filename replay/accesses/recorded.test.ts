import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { createAccessBatch } from "../../ingest/accesses/access-batch.ts";
import { rateTable } from "../../ingest/accesses/statistics/rate-table.ts";
import type { AccessSource, PagesInUse } from "./access-source.ts";
import { PlacedPages } from "./page-placing.ts";
import { PlacedRegions, RateStream } from "./rate-stream.ts";
import { type RecordedSequence, SequenceRecorder } from "./recorded-sequence.ts";
import { PacedSequence, TimedSequence } from "./sequence-stream.ts";

interface Row {
  readonly page: number;
  readonly isWrite?: boolean;
  readonly repeat?: number;
  readonly thread?: number;
  readonly space?: number;
  readonly tsNs?: number;
}

function record(rows: readonly Row[], withTimes = false): RecordedSequence {
  const recorder = new SequenceRecorder(withTimes);
  const batch = createAccessBatch(3);
  for (const { page, isWrite = false, repeat = 1, thread = 0, space = 0, tsNs = NaN } of rows) {
    const at = batch.length;
    batch.page[at] = page;
    batch.kind[at] = isWrite ? 1 : 0;
    batch.repeat[at] = repeat;
    batch.thread[at] = thread;
    batch.space[at] = space;
    batch.tsNs[at] = tsNs;
    batch.length = at + 1;
    if (batch.length === 3) {
      recorder.add(batch);
      batch.length = 0;
    }
  }
  recorder.add(batch);
  return recorder.finish();
}

/** A footprint of consecutive pages from `first` on. */
function footprint(length: number, first = 0): PagesInUse {
  const isIn = (page: number): boolean => page >= first && page < first + length;
  return { length, indexOf: (page) => (isIn(page) ? page - first : -1) };
}

/** The next visits, as `index` with `w` for a write, times its accesses. */
function played(source: AccessSource, pages: PagesInUse, count: number): readonly string[] {
  return Array.from({ length: count }, () => {
    source.left = 0;
    source.draw(pages);
    return `${source.index}${source.isWrite ? "w" : ""}×${source.left}`;
  });
}

const PACKED = { mode: "packed" } as const;

describe("a recorded sequence", () => {
  it("is visits by thread: neighbours on a page are one, which writes if one of them does", () => {
    const sequence = record([
      { page: 9, repeat: 3 },
      { page: 9, isWrite: true },
      { page: 7, thread: 5 },
      { page: 9, thread: 5 },
      { page: 8 },
      { page: 9, space: 1 },
    ]);
    expect(sequence).toMatchObject({ visits: 5, leftOut: 0, withoutTime: 6 });
    const placed = new PlacedPages(sequence.pageKeys, 1, PACKED);
    expect(placed.count).toBe(4);
    const stream = new PacedSequence(sequence, placed, 0, 125);
    // By space and address: 7, 8, 9, and 9 of the other space.
    expect(played(stream.source(0), footprint(9), 4)).toEqual(["2w×4", "1×1", "3×1", "2w×4"]);
    expect(played(stream.source(1), footprint(9), 3)).toEqual(["0×1", "2×1", "0×1"]);
    // vCPU 2 plays thread 0 again, and what the trace does not map yet lies outside.
    expect(played(stream.source(2), footprint(2), 2)).toEqual(["-1w×4", "1×1"]);
    expect(stream.due(0, 1, 0, 2000)).toBe(250 * 2);
  });

  it("begins anywhere, and goes round", () => {
    const sequence = record([1, 2, 3, 4].map((page) => ({ page })));
    const placed = new PlacedPages(sequence.pageKeys, 1, PACKED);
    const stream = new PacedSequence(sequence, placed, 0.5, 1);
    expect(played(stream.source(0), footprint(4), 5)).toEqual(["2×1", "3×1", "0×1", "1×1", "2×1"]);
  });

  it("lies at an offset, in pages of the trace's size", () => {
    const sequence = record([{ page: 0x105 }, { page: 0x107 }, { page: 0x10c }]);
    const small = new PlacedPages(sequence.pageKeys, 1, { mode: "offset", offsetPages: -0x100 });
    const pages = footprint(8);
    expect([0, 1, 2].map((number) => small.indexOf(number, pages))).toEqual([5, 7, -1]);
    const large = new PlacedPages(sequence.pageKeys, 4, { mode: "offset", offsetPages: -0x100 });
    expect([0, 1, 2].map((number) => large.indexOf(number, pages))).toEqual([1, 1, 3]);
    const packed = new PlacedPages(sequence.pageKeys, 4, PACKED);
    expect(packed.count).toBe(2);
    expect([0, 1, 2].map((number) => packed.indexOf(number, pages))).toEqual([0, 0, 1]);
  });

  it("keeps every access, whatever the order of rows", () => {
    const row = fc.record({
      page: fc.nat(5),
      isWrite: fc.boolean(),
      repeat: fc.integer({ min: 1, max: 9 }),
      thread: fc.nat(2),
      space: fc.nat(1),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 60 }), (rows) => {
        const { threads, pageKeys, visits } = record(rows);
        expect(pageKeys.length).toBe(new Set(rows.map((one) => one.space * 10 + one.page)).size);
        expect(threads.reduce((sum, { length }) => sum + length, 0)).toBe(visits);
        for (const { name, accesses, run, length } of threads) {
          const own = rows.filter(({ thread }) => thread === name);
          const expected = own.reduce((sum, { repeat }) => sum + repeat, 0);
          expect(accesses).toBe(expected);
          expect(run.subarray(0, length).reduce((a, b) => a + b, 0)).toBe(expected);
        }
      }),
    );
  });

  it("is due by its times where they are the trace's, each access once", () => {
    const times = [100, 200, 200, 350, 900];
    const rows = times.map((tsNs, page) => ({ page, tsNs, repeat: page + 1 }));
    const sequence = record(rows, true);
    const placed = new PlacedPages(sequence.pageKeys, 1, PACKED);
    const stream = new TimedSequence(sequence, placed, () => 1000);
    // [1100, 1350): the first three; then the fourth; nothing; the fifth.
    expect(stream.due(0, 1, 1100, 1350)).toBe(1 + 2 + 3);
    expect(played(stream.source(0), footprint(9), 3)).toEqual(["0×1", "1×2", "2×3"]);
    expect(stream.due(0, 1, 1350, 1351)).toBe(4);
    expect(played(stream.source(0), footprint(9), 1)).toEqual(["3×4"]);
    expect(stream.due(0, 1, 1351, 1900)).toBe(0);
    expect(stream.due(0, 1, 1900, 5000)).toBe(5);
    expect(played(stream.source(0), footprint(9), 1)).toEqual(["4×5"]);
  });
});

describe("a stream of rates", () => {
  const table = rateTable(
    [
      { space: 0, firstPage: 100, lenPages: 2, ratePerPage: 1e6 },
      { space: 1, firstPage: 100, lenPages: 1, ratePerPage: 2e6 },
    ],
    { unit: "accesses/s", address: "va", spaces: ["a", "b"], notes: [] },
  );

  it("draws pages by their rates, each place of its own", () => {
    const stream = new RateStream(new PlacedRegions(table, 1, PACKED), 1, 0, undefined);
    const counts = [0, 0, 0];
    const source = stream.source(0);
    for (let i = 0; i < 40_000; i += 1) {
      source.draw(footprint(3));
      counts[source.index]! += 1;
    }
    // Standard error of a half: 100.
    expect(Math.abs(counts[2]! - 20_000)).toBeLessThan(400);
    expect(Math.abs(counts[0]! - 10_000)).toBeLessThan(400);
    expect(counts[0]! + counts[1]! + counts[2]!).toBe(40_000);
  });

  it("is due at its absolute rate, which vCPUs share, or at the pace that is given", () => {
    const placed = new PlacedRegions(table, 1, PACKED);
    expect(new RateStream(placed, 1, 0, undefined).due(0, 2, 0, 1e6)).toBeCloseTo(2000, 6);
    expect(new RateStream(placed, 1, 0, 5).due(0, 2, 0, 1e6)).toBe(5000);
  });

  it("counts what lies outside", () => {
    const placed = new PlacedRegions(table, 1, { mode: "offset", offsetPages: 0 });
    expect(placed.indexOf(0, 101, footprint(1, 101))).toBe(0);
    expect(placed.indexOf(0, 100, footprint(1, 101))).toBe(-1);
    expect(new PlacedRegions(table, 1, PACKED).indexOf(1, 100, footprint(2))).toBe(-1);
  });
});
