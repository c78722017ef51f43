/** The table against a slow obvious one: same facts in the same order, same leaves, same tables. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FactLog } from "../testing/facts.ts";
import { SlowTable } from "../testing/slow-table.ts";
import { dumpTable } from "../testing/table-dump.ts";
import { clearYoung, relaxPermissions, writeProtect } from "./attributes.ts";
import { EntryStore, LeafFlag } from "./entry-store.ts";
import { type Geometry, geometryOf, type PageShift } from "./geometry.ts";
import { mapRange } from "./map.ts";
import { splitBlocks } from "./split.ts";
import { Stage2Table } from "./table.ts";
import { unmapRange } from "./unmap.ts";

const { read, write, execute, uncached, young } = LeafFlag;

type Operation =
  | {
      readonly op: "map";
      readonly page: number;
      readonly pages: number;
      readonly phys: number;
      readonly flags: number;
      readonly mustInstall: boolean;
    }
  | { readonly op: "unmap" | "wrprotect" | "age"; readonly page: number; readonly pages: number }
  | { readonly op: "relax"; readonly page: number; readonly flags: number }
  | { readonly op: "split"; readonly page: number; readonly pages: number; readonly cache: number };

/**
 * Operations over a few coarse entries, so that they meet: at and around the borders of pages, blocks
 * and tables. Lengths are a few units of one level.
 */
function anyOperation(geometry: Geometry, base: number): fc.Arbitrary<Operation> {
  const { spanPages, entriesPerTable } = geometry;
  const [, , block] = spanPages as [number, number, number];
  const window = 2 * block * 2;
  const page = fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(0, 0, 1, 5, entriesPerTable - 1))
    .map(([blocks, offset]) => base + blocks * block + offset);
  const pages = fc.oneof(
    fc.constantFrom(1, 2, 7, block - 1, block, block + 1, 2 * block, window),
    fc.integer({ min: 1, max: 40 }),
  );
  const flags = fc.constantFrom(
    read | young,
    read | write | young,
    read | write | execute | young,
    read | write | uncached | young,
  );
  const mapped = fc
    .record({
      at: page,
      // One page at the border of a block, a whole block, or a stretch of pages.
      shape: fc.constantFrom("page", "block", "block", "stretch"),
      length: fc.integer({ min: 1, max: 40 }),
      physOffset: fc.constantFrom(0, 0, 0, 1, block),
      flags,
      mustInstall: fc.boolean(),
    })
    .map(({ at, shape, length, physOffset, flags: leafFlags, mustInstall }): Operation => {
      const start = shape === "block" ? at - (at % block) : at;
      const size = { page: 1, block, stretch: length }[shape] ?? 1;
      const phys = 2 ** 33 + (start % 2 ** 32) + physOffset;
      return { op: "map", page: start, pages: size, phys, flags: leafFlags, mustInstall };
    });
  return fc.oneof(
    { arbitrary: mapped, weight: 5 },
    {
      arbitrary: fc.record({ op: fc.constantFrom("unmap", "wrprotect", "age"), page, pages }),
      weight: 4,
    },
    { arbitrary: fc.record({ op: fc.constant("relax"), page, flags }), weight: 1 },
    {
      arbitrary: fc.record({
        op: fc.constant("split"),
        page,
        pages,
        cache: fc.integer({ min: 0, max: 3 }),
      }),
      weight: 1,
    },
  );
}

class Pair {
  readonly #table: Stage2Table;
  readonly #slow: SlowTable;
  readonly #log: FactLog;
  readonly #base: number;

  constructor(geometry: Geometry, base: number) {
    this.#table = new Stage2Table(geometry, new EntryStore(geometry.entriesPerTable), true);
    this.#slow = new SlowTable(geometry);
    this.#log = new FactLog(geometry.spanPages);
    this.#base = base;
  }

  perform(operation: Operation): void {
    this.#onTable(operation);
    this.#onSlow(operation);
    expect(this.#log.take().filter((line) => !line.startsWith("cacheable"))).toEqual(
      this.#slow.takeFacts(),
    );
  }

  compare(): void {
    const dump = dumpTable(this.#table, this.#base, this.#base + 1);
    const leaves = [...this.#slow.leaves].map(
      ([name, leaf]) => `${name} → ${leaf.phys}, ${leaf.flags}`,
    );
    expect(dump).toEqual({ leaves: leaves.sort(), tables: [...this.#slow.tables].sort() });
  }

  get liveTables(): number {
    return this.#table.store.liveTables;
  }

  /** Tables of the slow model, with the root. */
  get wantedTables(): number {
    return this.#slow.tables.size + 1;
  }

  #onTable(operation: Operation): void {
    const { page } = operation;
    if (operation.op === "map") {
      const { pages, phys, flags, mustInstall } = operation;
      mapRange(this.#table, page, pages, phys, flags, mustInstall, this.#log);
    } else if (operation.op === "unmap") {
      unmapRange(this.#table, page, page + operation.pages, this.#log);
    } else if (operation.op === "wrprotect") {
      writeProtect(this.#table, page, page + operation.pages, this.#log);
    } else if (operation.op === "age") clearYoung(this.#table, page, page + operation.pages);
    else if (operation.op === "relax") {
      const level = relaxPermissions(this.#table, page, operation.flags);
      expect(level).toBe(this.#slow.relax(page, operation.flags));
    } else if (operation.op === "split") {
      splitBlocks(this.#table, page, page + operation.pages, operation.cache, true, this.#log);
    }
  }

  #onSlow(operation: Operation): void {
    const { page } = operation;
    if (operation.op === "map") {
      const { pages, phys, flags, mustInstall } = operation;
      this.#slow.map(page, pages, phys, flags, mustInstall);
    } else if (operation.op === "unmap") this.#slow.unmap(page, page + operation.pages);
    else if (operation.op === "wrprotect") this.#slow.wrprotect(page, page + operation.pages);
    else if (operation.op === "age") this.#slow.clearYoung(page, page + operation.pages);
    else if (operation.op === "split") {
      this.#slow.split(page, page + operation.pages, operation.cache);
    }
  }
}

describe.each([
  ["4 KiB", 12, 200],
  ["16 KiB", 14, 120],
  ["64 KiB", 16, 40],
] as const)("random operations with pages of %s", (_, pageShift: PageShift, numRuns) => {
  const geometry = geometryOf(pageShift);
  const [, coarse] = geometry.spanPages as [number, number];
  const block = geometry.spanPages[2] as number;

  it.each([
    ["at 0", 0],
    ["across the border of a table of blocks", coarse - 2 * block],
    ["at the end of 52 bits of IPA", 2 ** (52 - pageShift) - 8 * block],
  ])("find and leave what the slow table does, %s", (__, base) => {
    const property = fc.property(
      fc.array(anyOperation(geometry, base), { minLength: 1, maxLength: 25 }),
      (operations) => {
        const pair = new Pair(geometry, base);
        for (const operation of operations) pair.perform(operation);
        pair.compare();
        expect(pair.liveTables).toBe(pair.wantedTables);
      },
    );
    fc.assert(property, { seed: 20_201_109 + pageShift, numRuns });
  });
});

describe("blocks of 1 GiB", () => {
  const geometry = geometryOf(12);
  const GIB_PAGES = 2 ** 18;
  const anyGib = fc.integer({ min: 0, max: 3 });
  const onGib: fc.Arbitrary<Operation> = fc.oneof(
    anyGib.map(
      (gib): Operation => ({
        op: "map",
        page: gib * GIB_PAGES,
        pages: GIB_PAGES,
        phys: 2 ** 33 + gib * GIB_PAGES,
        flags: read | write | young,
        mustInstall: true,
      }),
    ),
    fc.tuple(anyGib, fc.integer({ min: 0, max: 511 })).map(
      ([gib, block]): Operation => ({
        op: "map",
        page: gib * GIB_PAGES + block * 512,
        pages: 512,
        phys: 2 ** 33 + block * 512,
        flags: read | young,
        mustInstall: true,
      }),
    ),
    fc.record({
      op: fc.constantFrom("unmap", "wrprotect"),
      page: fc.integer({ min: 0, max: 3 * GIB_PAGES }),
      pages: fc.constantFrom(1, 512, GIB_PAGES, 2 * GIB_PAGES),
    }),
    anyGib.map((gib): Operation => ({ op: "split", page: gib * GIB_PAGES, pages: 512, cache: 2 })),
  );

  it("are broken, split, collapsed and unmapped in part as in the slow table", () => {
    const property = fc.property(fc.array(onGib, { minLength: 1, maxLength: 12 }), (operations) => {
      const pair = new Pair(geometry, 0);
      for (const operation of operations) pair.perform(operation);
      pair.compare();
    });
    fc.assert(property, { seed: 510, numRuns: 150 });
    expect.hasAssertions();
  });
});
