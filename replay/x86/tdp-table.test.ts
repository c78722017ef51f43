import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Entry, entryOf, formShownBy, isSameFrame, spanOf } from "./spte.ts";
import { TdpTable } from "./tdp-table.ts";

describe("an entry", () => {
  // Values of the captures' README and traces.
  it.each([
    ["5.10, nothing", 0, 0, 1, "permissions", Entry.empty],
    ["5.10, a page", 0x019d_ec67, 1, 1, "permissions", Entry.leaf],
    ["5.10, 2 MiB", 0x0440_0ce7, 1, 2, "permissions", Entry.leaf],
    ["5.10, a table", 0x06c5_2027, 1, 4, "permissions", Entry.table],
    ["5.10, MMIO of EPT: bits 53:52", 0xf006 | 0, 0x0030_0000, 1, "permissions", Entry.empty],
    ["6.1, frozen", 0x5a0, 0, 2, "bit-11", Entry.empty],
    ["6.12, nothing", 0, 0x8000_0000 | 0, 2, "bit-11", Entry.empty],
    ["6.12, frozen", 0x5a0, 0x8000_0000 | 0, 2, "bit-11", Entry.empty],
    ["7.2, frozen", 0x1a0, 0x8000_0000 | 0, 2, "bit-11", Entry.empty],
    ["6.1, a table", 0x0299_5827, 1, 5, "bit-11", Entry.table],
    ["6.1, 2 MiB", 0x0540_0ee7, 1, 2, "bit-11", Entry.leaf],
    [
      "6.1, MMIO of nested paging: bit 0 and no bit 11",
      0x1001,
      0x0008_0000,
      1,
      "bit-11",
      Entry.empty,
    ],
  ] as const)("%s", (_, low, high, level, form, entry) => {
    expect(entryOf(low, high, level, form)).toBe(entry);
  });

  it("of a table shows how the kernel marks entries; no other does", () => {
    expect(formShownBy(0x06c5_2027, 4)).toBe("permissions");
    expect(formShownBy(0x0299_5827, 5)).toBe("bit-11");
    for (const low of [0, 0x0540_0ee7, 0x5a0]) expect(formShownBy(low, 2)).toBeUndefined();
    expect(formShownBy(0x0299_5827, 1)).toBeUndefined();
  });

  it("has the same frame whatever its permissions", () => {
    expect(isSameFrame(0x1000_08e7, 1, 0x1000_08e5, 1)).toBe(true);
    expect(isSameFrame(0x1000_08e7, 1, 0x1000_18e7, 1)).toBe(false);
    expect(isSameFrame(0x1000_08e7, 1, 0x1000_08e7, 2)).toBe(false);
  });
});

describe("the table", () => {
  it("knows nothing at first, and learns from both sides of a change", () => {
    const table = new TdpTable();
    expect(table.at(5, 1)).toBe(Entry.unknown);
    expect(table.leafLevel(5, 5)).toBe(-1);
    table.change(5, 1, Entry.empty, Entry.leaf);
    expect(table.at(5, 1)).toBe(Entry.leaf);
    expect(table.at(6, 1)).toBe(Entry.unknown);
    expect(table.leafLevel(5, 5)).toBe(1);
  });

  it("has an empty table behind a new link, and a full one behind a split", () => {
    const table = new TdpTable();
    table.change(0, 2, Entry.empty, Entry.table);
    table.change(512, 2, Entry.leaf, Entry.table);
    expect([table.at(0, 1), table.at(512, 1), table.at(1023, 1)]).toEqual([
      Entry.empty,
      Entry.leaf,
      Entry.leaf,
    ]);
    expect(table.below(512, 2)).toEqual({ tables: 1, leaves: 512, unknown: 0 });
    expect(table.below(0, 2)).toEqual({ tables: 1, leaves: 0, unknown: 0 });
  });

  it("counts 513 tables below a full 1 GiB entry, and what it does not know", () => {
    const table = new TdpTable();
    table.change(0, 3, Entry.leaf, Entry.table);
    for (let i = 0; i < 512; i += 1) table.change(i * 512, 2, Entry.leaf, Entry.table);
    expect(table.below(0, 3)).toEqual({ tables: 513, leaves: 262_144, unknown: 0 });
    expect(table.below(262_144, 3)).toEqual({ tables: 1, leaves: 0, unknown: 512 });
  });

  it("says where the trace contradicts it, and forgets what lay below", () => {
    const table = new TdpTable();
    table.change(0, 2, Entry.empty, Entry.table);
    table.change(3, 1, Entry.empty, Entry.leaf);
    expect(table.change(0, 2, Entry.leaf, Entry.empty)).toBe(true);
    expect(table.disagreements).toBe(1);
    expect(table.at(3, 1)).toBe(Entry.unknown);
  });

  it("knows the largest page that a frame was ever mapped by", () => {
    const table = new TdpTable();
    expect(table.joinableLevel(700)).toBe(2);
    table.change(0, 3, Entry.leaf, Entry.empty);
    expect(table.joinableLevel(700)).toBe(3);
    expect(table.joinableLevel(262_144)).toBe(2);
  });
});

/** A map of pages: what each 4 KiB frame is mapped by, and which entries are tables. */
class SlowTable {
  readonly leafOf = new Map<number, number>();
  readonly tables = new Set<string>();

  set(gfn: number, level: number, to: "none" | "leaf" | "table", wasLeaf: boolean): void {
    const span = spanOf(level);
    for (let frame = gfn; frame < gfn + span; frame += 1) {
      if (to === "leaf") this.leafOf.set(frame, level);
      else if (to === "none") this.leafOf.delete(frame);
      else if (wasLeaf) this.leafOf.set(frame, level - 1);
    }
    for (const key of this.tables) {
      const [at = 0, first = 0] = key.split(":").map(Number);
      if (at < level && first >= gfn && first < gfn + span) this.tables.delete(key);
    }
    if (to === "table") this.tables.add(`${level}:${gfn}`);
    else this.tables.delete(`${level}:${gfn}`);
  }
}

describe("any course of changes", () => {
  const CODE = { none: Entry.empty, leaf: Entry.leaf, table: Entry.table } as const;
  /** Eight frames of one table of 4 KiB pages, its entry, and the entry above: enough to meet. */
  const step = fc.record({
    level: fc.constantFrom(1, 2),
    index: fc.nat({ max: 3 }),
    to: fc.constantFrom("none" as const, "leaf" as const, "table" as const),
  });

  it("gives what a map of pages gives", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const table = new TdpTable();
        const slow = new SlowTable();
        const entries = new Map<string, "none" | "leaf" | "table">();
        table.change(0, 3, Entry.empty, Entry.table);
        slow.set(0, 3, "table", false);
        for (const { level, index, to } of steps) {
          const gfn = level === 1 ? index : index * 512;
          // A table of pages exists only below an entry that is one; a page has no table below it.
          if (level === 1 && entries.get("2:0") !== "table") continue;
          const goal = level === 1 && to === "table" ? "leaf" : to;
          const key = `${level}:${gfn}`;
          const had = entries.get(key) ?? (level === 1 && slow.leafOf.has(gfn) ? "leaf" : "none");
          if (had === goal) continue;
          expect(table.change(gfn, level, CODE[had], CODE[goal])).toBe(false);
          slow.set(gfn, level, goal, had === "leaf");
          entries.set(key, goal);
          if (level === 2) for (const below of [0, 1, 2, 3]) entries.delete(`1:${gfn + below}`);
        }
        for (const frame of [0, 1, 2, 3, 4, 512, 1024, 1536, 2047]) {
          expect(table.leafLevel(frame, 3)).toBe(slow.leafOf.get(frame) ?? 0);
        }
        const { tables, leaves } = table.below(0, 3);
        expect(tables).toBe(slow.tables.size);
        const perFrame = [...slow.leafOf.values()].reduce((sum, at) => sum + 1 / spanOf(at), 0);
        expect(leaves).toBeCloseTo(perFrame, 6);
        expect(table.disagreements).toBe(0);
      }),
    );
  });
});
