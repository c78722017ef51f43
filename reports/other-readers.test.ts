import { tableFromIPC } from "@uwdata/flechette";
import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import { toArrow } from "./arrow.ts";
import { toCsv } from "./csv.ts";
import { DIFF, type DiffRow } from "./diff.ts";
import { FLUSH_ROWS, INSTRUCTION_ROWS, ODD, ODD_ROWS, TOOL } from "./sample-rows.test.data.ts";
import { FLUSHES, INSTRUCTION_COUNTS, SCHEMA_VERSION, type TableSchema } from "./schema.ts";
import { STALL_EVENTS, STALLS } from "./schema-timeline.ts";

/** Cells as another implementation of Arrow reads them; exact integers as bigints. */
async function readBack<Row>(
  schema: TableSchema<Row>,
  rows: readonly Row[],
): Promise<ReturnType<typeof tableFromIPC>> {
  return tableFromIPC(await toArrow(schema, rows, TOOL), { useBigInt: true });
}

async function expectSame<Row>(schema: TableSchema<Row>, rows: readonly Row[]): Promise<void> {
  const table = await readBack(schema, rows);
  expect(table.numRows).toBe(rows.length);
  for (const { name, type } of schema.columns) {
    const found: unknown[] = [];
    for (const cell of table.getChild(name)) found.push(cell);
    const wanted = rows.map((row) => {
      const cell: unknown = row[name];
      return type === "int64" && typeof cell === "number" ? BigInt(cell) : cell;
    });
    expect(found, name).toEqual(wanted);
  }
}

describe("Arrow files in another implementation (flechette)", () => {
  it("have equal values: integers exact, nulls, dictionaries, odd texts", async () => {
    await expectSame(FLUSHES, FLUSH_ROWS);
    await expectSame(INSTRUCTION_COUNTS, INSTRUCTION_ROWS);
    await expectSame(ODD, ODD_ROWS);
    await expectSame(FLUSHES, []);
  });

  it("say units, meanings and the schema's version", async () => {
    const { schema } = await readBack(FLUSHES, FLUSH_ROWS);
    expect(schema.metadata?.get("schema_version")).toBe(String(SCHEMA_VERSION));
    expect(schema.metadata?.get("table")).toBe("flushes");
    for (const column of FLUSHES.columns) {
      const field = schema.fields.find(({ name }) => name === column.name);
      expect(field?.metadata?.get("unit"), column.name).toBe(column.unit);
      expect(field?.metadata?.get("meaning"), column.name).toBe(column.meaning);
      expect(field?.nullable, column.name).toBe(column.nullable);
    }
  });

  it("keep a name once, whatever the number of rows", async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => ({ ...FLUSH_ROWS[i % 2]!, calls: i }));
    const bytes = await toArrow(FLUSHES, rows, TOOL);
    const name = Buffer.from(FLUSH_ROWS[0]!.policy);
    let found = 0;
    for (let at = bytes.indexOf(name[0]!); at >= 0; at = bytes.indexOf(name[0]!, at + 1)) {
      if (Buffer.from(bytes.subarray(at, at + name.length)).equals(name)) found += 1;
    }
    expect(found).toBe(1);
    await expectSame(FLUSHES, rows);
  });
});

describe("CSV in a reader of RFC 4180", () => {
  const formulas = ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\tx", 'a"b,c', "two\nlines"];

  it.each(formulas)("a text cannot become a formula: %j", (text) => {
    const row: DiffRow = {
      kind: "input",
      name: text,
      before: text,
      after: "1",
      difference: -5,
      unit: "",
    };
    const csv = toCsv(DIFF, [row]);
    const [record]: string[][] = parse(csv, { from_line: 2 });
    expect(record?.[1]?.replace(/^'/, "")).toBe(text);
    expect(record?.[1]).not.toMatch(/^[=+\-@\t\r]/);
    // A number stays one.
    expect(record?.[4]).toBe("-5");
  });

  it("names the unit of a quantity in the column, or says it is a count", () => {
    for (const { columns } of [STALLS, STALL_EVENTS] as readonly TableSchema<never>[]) {
      for (const { name, unit } of columns as readonly { name: string; unit: string }[]) {
        if (unit === "ns") expect(name).toMatch(/_ns$/);
        if (unit === "byte") expect(name).toMatch(/_bytes$|^byte_offset$/);
      }
    }
  });
});
