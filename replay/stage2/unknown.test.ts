import { describe, expect, it } from "vitest";
import { FactLog } from "../testing/facts.ts";
import { EntryKind, EntryStore, LeafFlag } from "./entry-store.ts";
import { geometryOf } from "./geometry.ts";
import { mapRange } from "./map.ts";
import { splitBlocks } from "./split.ts";
import { Stage2Table } from "./table.ts";
import { unmapRange } from "./unmap.ts";

const RW = LeafFlag.read | LeafFlag.write | LeafFlag.young;
const MIB2 = 512;
const GIB = 512 * 512;

function newTable() {
  const geometry = geometryOf(12);
  const store = new EntryStore(geometry.entriesPerTable);
  const table = new Stage2Table(geometry, store, false);
  const log = new FactLog(geometry.spanPages);
  return { table, store, log };
}

describe("unknown state", () => {
  it("is cleared in the largest entries that fit, and is empty afterwards", () => {
    const { table, log } = newTable();
    unmapRange(table, GIB - MIB2 - 1, GIB + 1, log);
    expect(log.take().filter((line) => line.startsWith("unknown"))).toEqual([
      `unknown cleared at ${GIB - MIB2 - 1}, level 3: 1 pages`,
      `unknown cleared at ${GIB - MIB2}, level 2: ${MIB2} pages`,
      `unknown cleared at ${GIB}, level 3: 1 pages`,
    ]);
    expect(table.lookup(GIB).kind).toBe(EntryKind.invalid);
    expect(table.lookup(GIB + 1).kind).toBe(EntryKind.unknown);
  });

  it("lets every table on the way be freed, none for certain", () => {
    const { table, log } = newTable();
    unmapRange(table, GIB, GIB + 1, log);
    expect(log.take().filter((line) => line.startsWith("freed"))).toEqual([
      `freed table of level 3 at ${GIB}?`,
      `freed table of level 2 at ${GIB}?`,
      `freed table of level 1 at ${GIB}?`,
    ]);
  });

  it("does not take a table that may not be there for one that a block collapses", () => {
    // The 2 MiB entry was a table, a block or nothing; after the unmap of a page, a table or nothing.
    const { table, log } = newTable();
    unmapRange(table, GIB, GIB + 1, log);
    log.take();
    mapRange(table, GIB, MIB2, GIB, RW, true, log);
    const lines = log.take();
    expect(lines.filter((line) => line.startsWith("collapsed"))).toEqual([]);
    expect(lines).toContain(`mapped over unknown at ${GIB}, level 2`);
  });

  it("is counted apart in a collapse: what may have been there beside what was", () => {
    // 1 GiB of unknown state: page 0 unmapped, page 512 mapped, then one block over all of it.
    const { table, log } = newTable();
    unmapRange(table, GIB, GIB + 1, log);
    mapRange(table, GIB + MIB2, 1, 99, RW, true, log);
    log.take();
    mapRange(table, GIB, GIB, GIB, RW, true, log);
    // Certain: the leaf, its table and that of the GiB. Perhaps: the table of page 0 and 511 leaves in
    // it, 511 leaves beside page 512, and 510 entries of 512 leaves and a table.
    const uncertain = 1 + 511 + 511 + 510 * 513;
    expect(log.take()).toEqual([
      `collapsed to level 1 at ${GIB}: 1 + 2, ${uncertain} more unknown`,
    ]);
  });

  it("of a GiB may be split twice by one chunk: the block of 1 GiB, and one of 2 MiB", () => {
    const { table, log } = newTable();
    splitBlocks(table, GIB, GIB + MIB2, 2, true, log);
    expect(log.take()).toEqual([`split over unknown at ${GIB}: 2 blocks`]);
  });
});
