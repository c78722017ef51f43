import { describe, expect, it } from "vitest";
import { FactLog } from "../testing/facts.ts";
import { dumpTable } from "../testing/table-dump.ts";
import { clearYoung, relaxPermissions, setYoung, writeProtect } from "./attributes.ts";
import { EntryStore, LeafFlag, leafMeta, physPageOf } from "./entry-store.ts";
import { geometryOf } from "./geometry.ts";
import { mapRange } from "./map.ts";
import { splitBlocks, splitCachePages } from "./split.ts";
import { Stage2Table } from "./table.ts";
import { unmapRange } from "./unmap.ts";

const RW = LeafFlag.read | LeafFlag.write | LeafFlag.young;
const R = LeafFlag.read | LeafFlag.young;
const MIB2 = 512;
const GIB = 512 * 512;

function newTable() {
  const geometry = geometryOf(12);
  const store = new EntryStore(geometry.entriesPerTable);
  const table = new Stage2Table(geometry, store, true);
  const log = new FactLog(geometry.spanPages);
  return { table, store, log };
}

describe("unmap", () => {
  it("clears a block as a whole and reports the address asked for", () => {
    // │ 2 MiB block │ 2 MiB block │      unmap of one page in the first
    const { table, log } = newTable();
    mapRange(table, GIB, 2 * MIB2, GIB, RW, true, log);
    unmapRange(table, GIB + 5, GIB + 6, log);
    expect(log.take()).toEqual([`cleared leaf of level 2 at ${GIB + 5}`, "cacheable 1"]);
    expect(dumpTable(table, 0, 1).leaves).toEqual([`2/${GIB + MIB2} → ${GIB + MIB2}, ${RW}`]);
  });

  it("reports the first leaf where the walk enters it, the next ones at their start", () => {
    const { table, log } = newTable();
    mapRange(table, GIB, 4 * MIB2, GIB, RW, true, log);
    unmapRange(table, GIB + 100, GIB + 3 * MIB2 + 1, log);
    expect(log.take().filter((line) => line.startsWith("cleared"))).toEqual([
      `cleared leaf of level 2 at ${GIB + 100}`,
      `cleared leaf of level 2 at ${GIB + MIB2}`,
      `cleared leaf of level 2 at ${GIB + 2 * MIB2}`,
      `cleared leaf of level 2 at ${GIB + 3 * MIB2}`,
    ]);
  });

  it("frees tables innermost first, after what was in them", () => {
    const { table, log } = newTable();
    mapRange(table, GIB + 7, 1, 99, RW, true, log);
    unmapRange(table, GIB, 2 * GIB, log);
    expect(log.take()).toEqual([
      `cleared leaf of level 3 at ${GIB + 7}`,
      "cacheable 1",
      `freed table of level 3 at ${GIB}`,
      `freed table of level 2 at ${GIB}`,
      `freed table of level 1 at ${GIB}`,
    ]);
  });

  it("keeps a table in which something is left", () => {
    const { table, log } = newTable();
    mapRange(table, GIB, 2, 99, RW, true, log);
    unmapRange(table, GIB, GIB + 1, log);
    expect(log.take()).toEqual([`cleared leaf of level 3 at ${GIB}`, "cacheable 1"]);
  });

  it("frees a table that was left empty before", () => {
    // A map call that failed after making its table (-ENOMEM, or a lost race) leaves one behind.
    const { table, log } = newTable();
    const top = table.rootTableFor(0);
    const middle = table.descendCertain(top, 0);
    table.descendCertain(middle, 0);
    unmapRange(table, 0, 1, log);
    expect(log.take()).toEqual(["freed table of level 2 at 0", "freed table of level 1 at 0"]);
  });

  it("counts cacheable leaves apart from device leaves", () => {
    const { table, log } = newTable();
    mapRange(table, 0, 1, 99, RW, true, log);
    mapRange(table, 1, 1, 100, RW | LeafFlag.uncached, true, log);
    mapRange(table, 2, 1, 99, RW, true, log);
    unmapRange(table, 0, 3, log);
    expect(log.take()).toContain("cacheable 2");
  });

  it("crosses the tables of the root: a hole of 2^52 bytes is walked", () => {
    const { table, log } = newTable();
    mapRange(table, 2 ** 40 - 1, 1, 1, RW, true, log);
    unmapRange(table, 0, 2 ** 40, log);
    expect(log.take()[0]).toBe(`cleared leaf of level 3 at ${2 ** 40 - 1}`);
  });
});

describe("map", () => {
  it("uses blocks only where address, output and length allow them", () => {
    // 1 page │ … │ 2 MiB aligned … │ rest      both addresses equal modulo 2 MiB
    const { table, log } = newTable();
    mapRange(table, MIB2 - 1, MIB2 + 2, GIB + MIB2 - 1, RW, true, log);
    expect(dumpTable(table, 0, 1).leaves).toEqual(
      [
        `2/${MIB2} → ${GIB + MIB2}, ${RW}`,
        `3/${2 * MIB2} → ${GIB + 2 * MIB2}, ${RW}`,
        `3/${MIB2 - 1} → ${GIB + MIB2 - 1}, ${RW}`,
      ].sort(),
    );
  });

  it("breaks a block for a page and maps only that page", () => {
    const { table, log } = newTable();
    mapRange(table, 0, MIB2, GIB, RW, true, log);
    mapRange(table, 5, 1, GIB + 5, RW, true, log);
    expect(log.take()).toEqual(["broke block of level 2 at 5"]);
    expect(dumpTable(table, 0, 1).leaves).toEqual([`3/5 → ${GIB + 5}, ${RW}`]);
  });

  it("collapses a table of pages and says what was in it", () => {
    const { table, log } = newTable();
    mapRange(table, 3, 4, GIB, RW, true, log);
    mapRange(table, 0, MIB2, GIB, RW, true, log);
    expect(log.take()).toEqual(["collapsed to level 2 at 0: 4 + 1"]);
  });

  it("keeps an equal leaf unless the trace says that it was installed", () => {
    const { table, log } = newTable();
    mapRange(table, 3, 1, 7, RW, true, log);
    mapRange(table, 3, 1, 7, RW, false, log);
    mapRange(table, 3, 1, 7, R, false, log);
    mapRange(table, 3, 1, 7, RW, true, log);
    expect(log.take()).toEqual([
      "kept leaf of level 3 at 3",
      "kept leaf of level 3 at 3*",
      "replaced leaf of level 3 at 3",
    ]);
  });

  it("keeps all 52 bits of an output address", () => {
    const page = 2 ** 40 - 1;
    expect(physPageOf(leafMeta(RW, page), page % 2 ** 32)).toBe(page);
    const { table, log } = newTable();
    mapRange(table, 0, 1, page, RW, true, log);
    expect(dumpTable(table, 0, 1).leaves).toEqual([`3/0 → ${page}, ${RW}`]);
  });

  it("reuses freed tables", () => {
    const { table, store, log } = newTable();
    mapRange(table, 0, MIB2, 1, RW, true, log);
    const bytes = store.allocatedBytes;
    for (let round = 1; round <= 200; round += 1) {
      unmapRange(table, 0, GIB, log);
      mapRange(table, round * MIB2, MIB2, 1, RW, true, log);
      unmapRange(table, round * MIB2, (round + 1) * MIB2, log);
      mapRange(table, 0, MIB2, 1, RW, true, log);
    }
    expect(store.allocatedBytes).toBe(bytes);
    expect(store.liveTables).toBe(4);
  });
});

describe("permissions and access flags", () => {
  it("write-protects a block as a whole, and a protected leaf not again", () => {
    const { table, log } = newTable();
    mapRange(table, 0, 2 * MIB2, GIB, RW, true, log);
    writeProtect(table, 5, 6, log);
    writeProtect(table, 0, 2 * MIB2, log);
    expect(log.take()).toEqual([
      "protected leaf of level 2 at 0",
      `protected leaf of level 2 at ${MIB2}`,
    ]);
  });

  it("relaxes the leaf that covers the page, and tells its level", () => {
    const { table, log } = newTable();
    mapRange(table, 0, MIB2, GIB, R, true, log);
    expect(relaxPermissions(table, 9, RW)).toBe(2);
    expect(relaxPermissions(table, MIB2, RW)).toBe(-1);
    expect(dumpTable(table, 0, 1).leaves).toEqual([`2/0 → ${GIB}, ${RW}`]);
  });

  it("sets and clears the access flag alone", () => {
    const { table, log } = newTable();
    mapRange(table, 0, 2, 10, RW, true, log);
    clearYoung(table, 0, 2);
    setYoung(table, 1);
    expect(dumpTable(table, 0, 1).leaves).toEqual([`3/0 → 10, 12`, `3/1 → 11, ${RW}`]);
  });
});

describe("split", () => {
  it("needs 513 page-table pages to take a 1 GiB block apart at once", () => {
    const { table, log } = newTable();
    mapRange(table, GIB, GIB, GIB, RW, true, log);
    splitBlocks(table, GIB, 2 * GIB, 513, true, log);
    expect(log.take()).toEqual([`split block of level 1 at ${GIB}`]);
    expect(dumpTable(table, 0, 1).leaves).toHaveLength(GIB);
  });

  it("goes by 2 MiB blocks with fewer, and splits those that the range covers", () => {
    const { table, log } = newTable();
    mapRange(table, GIB, GIB, GIB, RW, true, log);
    splitBlocks(table, GIB + MIB2, GIB + 2 * MIB2, 512, true, log);
    expect(log.take()).toEqual([
      `split block of level 1 at ${GIB + MIB2}`,
      `split block of level 2 at ${GIB + MIB2}`,
    ]);
  });

  it("stops where the cache is empty", () => {
    const { table, log } = newTable();
    mapRange(table, 0, 4 * MIB2, GIB, RW, true, log);
    splitBlocks(table, 0, 4 * MIB2, 2, true, log);
    expect(log.take()).toEqual([
      "split block of level 2 at 0",
      `split block of level 2 at ${MIB2}`,
    ]);
  });

  it.each([
    [12, MIB2, 2],
    [12, GIB, 513],
    [12, 2 * GIB, 1026],
    [14, 2048, 1],
    [16, 8192, 1],
  ] as const)(
    "has, with page shift %i and chunks of %i pages, a cache of %i",
    (shift, chunk, pages) => {
      const geometry = geometryOf(shift);
      const table = new Stage2Table(geometry, new EntryStore(geometry.entriesPerTable), true);
      expect(splitCachePages(table, chunk)).toBe(pages);
    },
  );
});
