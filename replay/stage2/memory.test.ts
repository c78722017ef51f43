import { describe, expect, it } from "vitest";
import { FactLog } from "../testing/facts.ts";
import { EntryStore, LeafFlag } from "./entry-store.ts";
import { geometryOf } from "./geometry.ts";
import { mapRange } from "./map.ts";
import { Stage2Table } from "./table.ts";
import { unmapRange } from "./unmap.ts";

const RW = LeafFlag.read | LeafFlag.write | LeafFlag.young;
const MIB2 = 512;
const GIB = 512 * 512;
const TIB = 1024 * GIB;

function newTable() {
  const geometry = geometryOf(12);
  const store = new EntryStore(geometry.entriesPerTable);
  const table = new Stage2Table(geometry, store, true);
  const log = new FactLog(geometry.spanPages);
  return { table, store, log };
}

describe("memory", () => {
  it("is at most 4 MiB for each GiB of 4 KiB pages", () => {
    const { table, store, log } = newTable();
    mapRange(table, GIB, 8 * GIB, 1, RW, true, log);
    expect(store.liveTables).toBe(8 * 513 + 2);
    expect(store.allocatedBytes).toBeLessThanOrEqual(8 * 4 * 2 ** 20);
  });

  it.each([
    ["2 MiB", MIB2, 1024 * 512, 2 + 2 + 1024],
    ["1 GiB", GIB, 1024, 2 + 2],
  ])("holds a VM of 1 TiB in blocks of %s", (_, block, leaves, tables) => {
    const { table, store, log } = newTable();
    // Of one TiB from 1 TiB on: 2 tables of GiB (512 GiB each), beside the root.
    for (let page = TIB; page < 2 * TIB; page += block) {
      mapRange(table, page, block, page, RW, true, log);
    }
    expect(store.liveTables).toBe(tables - 1);
    unmapRange(table, TIB, 2 * TIB, log);
    const lines = log.take();
    expect(lines.filter((line) => line.startsWith("cleared"))).toHaveLength(leaves);
    expect(store.liveTables).toBe(1);
  });
});
