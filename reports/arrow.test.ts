import { execFileSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Dictionary, Int32, type Table, Utf8, tableFromIPC, vectorFromArray } from "apache-arrow";
import { describe, expect, it } from "vitest";
import { toArrow } from "./arrow.ts";
import { FLUSH_ROWS, INSTRUCTION_ROWS, ODD, ODD_ROWS, TOOL } from "./sample-rows.test.data.ts";
import { FLUSHES, INSTRUCTION_COUNTS, type TableSchema } from "./schema.ts";

/** Every value of a table, numbers of Int64 columns as bigints. */
function valuesOf(table: Table): unknown[][] {
  return table.schema.fields.map(({ name }) => [...(table.getChild(name) ?? [])]);
}

function expectedOf<Row>(schema: TableSchema<Row>, rows: readonly Row[]): unknown[][] {
  return schema.columns.map(({ name, type }) =>
    rows.map((row) => {
      const value: unknown = row[name];
      return type === "int64" && typeof value === "number" ? BigInt(value) : value;
    }),
  );
}

describe("toArrow", () => {
  it("gives every value back, nulls included", async () => {
    const flushes = tableFromIPC(await toArrow(FLUSHES, FLUSH_ROWS, TOOL));
    expect(valuesOf(flushes)).toEqual(expectedOf(FLUSHES, FLUSH_ROWS));
    const instructions = tableFromIPC(await toArrow(INSTRUCTION_COUNTS, INSTRUCTION_ROWS, TOOL));
    expect(valuesOf(instructions)).toEqual(expectedOf(INSTRUCTION_COUNTS, INSTRUCTION_ROWS));
    const odd = tableFromIPC(await toArrow(ODD, ODD_ROWS, TOOL));
    expect(valuesOf(odd)).toEqual(expectedOf(ODD, ODD_ROWS));
  });

  it("gives every value back when columns are alike and the rows many", async () => {
    const rows = Array.from({ length: 10_000 }, (_, i) => ({
      policy: `p${i % 7}`,
      path: "unmap" as const,
      primitive: "IPA" as const,
      calls: i,
      tlbi: i,
      dsb: i,
      pages: i % 3 === 0 ? null : i,
      unknown_calls: i,
    }));
    const table = tableFromIPC(await toArrow(FLUSHES, rows, TOOL));
    expect(valuesOf(table)).toEqual(expectedOf(FLUSHES, rows));
  });

  it("writes a schema without rows", async () => {
    const table = tableFromIPC(await toArrow(FLUSHES, [], TOOL));
    expect(table.numRows).toBe(0);
    expect(table.schema.fields.map(String)).toEqual([
      "policy: Dictionary<Int32, Utf8>",
      "path: Dictionary<Int32, Utf8>",
      "primitive: Dictionary<Int32, Utf8>",
      "calls: Int64",
      "tlbi: Int64",
      "dsb: Int64",
      "pages: Int64",
      "unknown_calls: Int64",
    ]);
  });

  it("says in the file what the columns mean and who wrote them", async () => {
    const { schema } = tableFromIPC(await toArrow(FLUSHES, FLUSH_ROWS, TOOL));
    expect(Object.fromEntries(schema.metadata)).toMatchObject({
      tool: "tlbi-replay 1.2.3",
      schema_version: "1",
      table: "flushes",
    });
    const pages = schema.fields.find((field) => field.name === "pages");
    expect(pages?.nullable).toBe(true);
    expect(schema.fields.filter((field) => field.nullable)).toHaveLength(1);
    expect(pages?.metadata.get("unit")).toBe("page");
    expect(pages?.metadata.get("meaning")).toContain("whole VMID");
  });

  it("is an Arrow file: magic at both ends", async () => {
    const bytes = Buffer.from(await toArrow(FLUSHES, FLUSH_ROWS, TOOL));
    expect(bytes.subarray(0, 6).toString("latin1")).toBe("ARROW1");
    expect(bytes.subarray(-6).toString("latin1")).toBe("ARROW1");
  });

  it("writes the same bytes again, whatever else the process did in between", async () => {
    const first = await toArrow(ODD, ODD_ROWS, TOOL);
    vectorFromArray(["a", "b"], new Dictionary(new Utf8(), new Int32()));
    await toArrow(FLUSHES, FLUSH_ROWS, TOOL);
    const second = await toArrow(ODD, ODD_ROWS, TOOL);
    expect(Buffer.compare(first, second)).toBe(0);
  });

  it("writes the same bytes in another process", async () => {
    const here = await toArrow(FLUSHES, FLUSH_ROWS, TOOL);
    const built = path.resolve(fileURLToPath(import.meta.url), "../../dist/reports");
    const url = (file: string): string => JSON.stringify(pathToFileURL(path.join(built, file)));
    const script = `
      const { toArrow } = await import(${url("arrow.js")});
      const { FLUSHES } = await import(${url("schema.js")});
      const { FLUSH_ROWS, TOOL } = await import(${url("sample-rows.test.data.js")});
      process.stdout.write(await toArrow(FLUSHES, FLUSH_ROWS, TOOL));`;
    const there = execFileSync(process.execPath, ["--input-type=module", "-e", script]);
    expect(Buffer.compare(here, there)).toBe(0);
  });
});
