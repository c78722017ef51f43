import { describe, expect, it } from "vitest";
import {
  FLUSHES,
  INSTRUCTION_COUNTS,
  MISS_CURVE,
  REFILLS,
  type TableSchema,
  cellOf,
} from "./schema.ts";
import {
  FLUSH_ROWS,
  INSTRUCTION_ROWS,
  ODD,
  REFILL_ROWS,
  type OddRow,
} from "./sample-rows.test.data.ts";

const names = <Row>(schema: TableSchema<Row>): string[] => schema.columns.map((c) => c.name);

const ALL = [...FLUSHES.columns, ...INSTRUCTION_COUNTS.columns, ...MISS_CURVE.columns];

describe("result schemas", () => {
  it("have the contracted columns in the contracted order, one for each key of a row", () => {
    expect(names(FLUSHES)).toEqual(
      "policy path primitive calls tlbi dsb pages unknown_calls".split(" "),
    );
    expect(names(INSTRUCTION_COUNTS)).toEqual(["policy", "instruction", "count"]);
    expect(names(MISS_CURVE)).toEqual(
      "policy hypothesis sets entries accesses misses refills avoided".split(" "),
    );
    expect(names(FLUSHES)).toEqual(Object.keys(FLUSH_ROWS[0] ?? {}));
    expect(names(INSTRUCTION_COUNTS)).toEqual(Object.keys(INSTRUCTION_ROWS[0] ?? {}));
  });

  it("describe every column, and give every number a unit", () => {
    for (const column of ALL) {
      expect(column.meaning, column.name).toMatch(/^[A-Z`].*\.$/);
      expect(column.unit === "", column.name).toBe(column.type === "utf8");
    }
  });

  it("have the contracted columns of refills first", () => {
    const contracted =
      "policy tlb stream combined_refills stage2_refills walk_references stale_hits".split(" ");
    expect(names(REFILLS).slice(0, contracted.length)).toEqual(contracted);
    expect(names(REFILLS)).toEqual(Object.keys(REFILL_ROWS[0] ?? {}));
    for (const column of REFILLS.columns) {
      expect(column.meaning, column.name).toMatch(/^[A-Z`].*\.$/);
      expect(column.unit === "", column.name).toBe(column.type === "utf8");
    }
  });

  it("let only pages be null", () => {
    const nullable = ALL.filter((c) => c.nullable);
    expect(nullable.map((c) => c.name)).toEqual(["pages"]);
  });
});

describe("cellOf", () => {
  const good: OddRow = { text: "a", note: null, count: 1, ratio: 0.5 };
  it.each<[string, Partial<OddRow>]>([
    ["count", { count: 2 ** 53 }],
    ["count", { count: 1.5 }],
    ["count", { count: Number.NaN }],
    ["count", { count: 2n ** 63n }],
    ["ratio", { ratio: Number.POSITIVE_INFINITY }],
    ["ratio", { ratio: Number.NaN }],
  ])("refuses a %s of %o", (name, change) => {
    const column = ODD.columns.find((c) => c.name === name);
    expect(() => column && cellOf({ ...good, ...change }, column)).toThrow(`column ${name} is`);
  });

  it("refuses a null where the column has none", () => {
    const pages = FLUSHES.columns.find((c) => c.name === "pages");
    const calls = FLUSHES.columns.find((c) => c.name === "calls");
    const broken = JSON.parse('{"calls":null,"pages":null}');
    expect(pages && cellOf(broken, pages)).toBeNull();
    expect(() => calls && cellOf(broken, calls)).toThrow("column calls is int64: cannot hold null");
  });
});
