/** What one library writes, others read: DuckDB reads Parquet and CSV, flechette Arrow. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { tableFromIPC } from "@uwdata/flechette";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CellRow } from "../../result-tables.ts";
import type { TableSchema } from "../../schema.ts";
import { DatasetFolder, ROWS_A_GROUP } from "./dataset-folder.ts";
import { DATASET_FORMATS } from "./dataset-writer.ts";
import type { PartitionColumn } from "./partition.ts";

const TOOL = { name: "tlbi-replay", version: "1.2.3" };

const SCHEMA: TableSchema<CellRow> = {
  name: "flushes",
  order: "as they come",
  columns: [
    { name: "trace", type: "utf8", nullable: false, unit: "", meaning: "The trace." },
    { name: "host_model", type: "utf8", nullable: true, unit: "", meaning: "The host." },
    { name: "pages", type: "int64", nullable: true, unit: "page", meaning: "Pages." },
    { name: "span_s", type: "float64", nullable: true, unit: "s", meaning: "The span." },
  ],
};

/** More than one row group; nulls, numbers beyond 2^53, texts that want quoting and guarding. */
const ROWS: readonly CellRow[] = [
  { trace: 'a,b\n"c"', host_model: null, pages: 9_223_372_036_854_775_807n, span_s: 0.1 },
  { trace: "ünïcode \u{1F4A3}", host_model: "", pages: -1, span_s: null },
  { trace: "=cmd|' /C calc'!A0", host_model: "@SUM(1)", pages: null, span_s: -1e-300 },
  ...Array.from({ length: ROWS_A_GROUP + 500 }, (_, i) => ({
    trace: `t${i}`,
    host_model: i % 3 === 0 ? null : `host ${i % 7}`,
    pages: i % 5 === 0 ? null : i * 1_000_003,
    span_s: i / 7,
  })),
];

let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-datasets-"));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

async function write(into: string, partition: readonly PartitionColumn[] = []): Promise<void> {
  fs.mkdirSync(into, { recursive: true });
  const datasets = new DatasetFolder(into, { formats: DATASET_FORMATS, partition, tool: TOOL });
  // In pieces, as traces come, none of the size of a row group.
  for (let from = 0; from < ROWS.length; from += 777) {
    const piece = ROWS.slice(from, from + 777);
    if (partition.length === 0) await datasets.add(SCHEMA, piece);
    else for (const row of piece) await datasets.add(SCHEMA, [row]);
  }
  await datasets.finish();
}

async function query(sql: string): Promise<readonly Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRowObjects();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** A row as every reader should give it: int64 as bigint. */
function exact(row: CellRow): CellRow {
  const { pages } = row;
  return { ...row, pages: pages === null ? null : BigInt(pages ?? 0) };
}

describe("datasets", () => {
  it("read back from Parquet by DuckDB with values, types, units and row groups", async () => {
    await write(folder);
    const file = path.join(folder, "flushes.parquet");
    expect(await query(`SELECT * FROM '${file}'`)).toStrictEqual(ROWS.map(exact));
    const types = await query(`DESCRIBE SELECT * FROM '${file}'`);
    expect(types.map(({ column_name, column_type }) => [column_name, column_type])).toStrictEqual([
      ["trace", "VARCHAR"],
      ["host_model", "VARCHAR"],
      ["pages", "BIGINT"],
      ["span_s", "DOUBLE"],
    ]);
    const metadata = await query(
      `SELECT decode(key) AS k, decode(value) AS v FROM parquet_kv_metadata('${file}')`,
    );
    const about = new Map(metadata.map(({ k, v }) => [String(k), String(v)]));
    expect(about.get("tool")).toBe("tlbi-replay 1.2.3");
    expect(about.get("row_order")).toBe("as they come");
    const columns = JSON.parse(about.get("columns") ?? "") as readonly { unit: string }[];
    expect(columns.map(({ unit }) => unit)).toStrictEqual(["", "", "page", "s"]);
    const groups = await query(
      `SELECT DISTINCT row_group_id AS g, row_group_num_rows AS n FROM parquet_metadata('${file}') ORDER BY g`,
    );
    expect(groups.map(({ n }) => n)).toStrictEqual([BigInt(ROWS_A_GROUP), 503n]);
    const required = await query(
      `SELECT name, repetition_type AS r FROM parquet_schema('${file}') WHERE num_children IS NULL`,
    );
    expect(required.map(({ r }) => r)).toStrictEqual([
      "REQUIRED",
      "OPTIONAL",
      "OPTIONAL",
      "OPTIONAL",
    ]);
  });

  it("aggregate in DuckDB to what the rows add up to", async () => {
    await write(folder);
    const file = path.join(folder, "flushes.parquet");
    const [found] = await query(
      `SELECT count(*) AS n, count(pages) AS with_pages, sum(pages) FILTER (trace LIKE 't%') AS pages FROM '${file}'`,
    );
    let pages = 0n;
    let withPages = 0n;
    for (const row of ROWS) {
      if (row["pages"] === null) continue;
      withPages += 1n;
      if (String(row["trace"]).startsWith("t")) pages += BigInt(row["pages"] ?? 0);
    }
    expect(found).toStrictEqual({ n: BigInt(ROWS.length), with_pages: withPages, pages });
  });

  it("read back from Arrow by flechette with values, types and units", async () => {
    await write(folder);
    const bytes = fs.readFileSync(path.join(folder, "flushes.arrow"));
    const table = tableFromIPC(bytes, { useBigInt: true });
    expect(table.numRows).toBe(ROWS.length);
    expect(table.toArray()).toStrictEqual(ROWS.map(exact));
    const units = table.schema.fields.map(({ name, metadata }) => [name, metadata?.get("unit")]);
    expect(units).toStrictEqual([
      ["trace", ""],
      ["host_model", ""],
      ["pages", "page"],
      ["span_s", "s"],
    ]);
    expect(table.schema.metadata?.get("table")).toBe("flushes");
  });

  it("read back from CSV by DuckDB, formulas guarded", async () => {
    await write(folder);
    const file = path.join(folder, "flushes.csv");
    const found = await query(
      `SELECT * FROM read_csv('${file}', header = true, quote = '"', escape = '"', delim = ',',
        new_line = '\\n', allow_quoted_nulls = false,
        columns = {trace: 'VARCHAR', host_model: 'VARCHAR', pages: 'BIGINT', span_s: 'DOUBLE'})`,
    );
    const expected = ROWS.map(exact);
    const guarded = expected.map((row) =>
      row === expected[2] ? { ...row, trace: "'=cmd|' /C calc'!A0", host_model: "'@SUM(1)" } : row,
    );
    expect(found).toStrictEqual(guarded);
    expect(/(^|,)"?[=+@]/m.test(fs.readFileSync(file, "utf8"))).toBe(false);
  });

  it("are the same bytes again, and divided hold the same rows in Hive's folders", async () => {
    const one = path.join(folder, "one");
    const two = path.join(folder, "two");
    await write(one);
    await write(two);
    for (const format of DATASET_FORMATS) {
      const name = `flushes.${format}`;
      expect(
        fs.readFileSync(path.join(two, name)).equals(fs.readFileSync(path.join(one, name))),
      ).toBe(true);
    }
    const divided = path.join(folder, "divided");
    await write(divided, ["host_model"]);
    const parts = fs.readdirSync(path.join(divided, "flushes")).sort();
    expect(parts).toStrictEqual([
      "host_model=%40SUM%281%29",
      "host_model=__HIVE_DEFAULT_PARTITION__",
      ...Array.from({ length: 7 }, (_, i) => `host_model=host%20${i}`),
    ]);
    // The folders say the same as the column, so a reader may take either.
    const hive = `read_parquet('${divided}/flushes/*/data.parquet', hive_partitioning = true)`;
    const counts = await query(
      `SELECT host_model AS h, count(*) AS n FROM ${hive} GROUP BY h ORDER BY h`,
    );
    const wanted = await query(
      `SELECT nullif(host_model, '') AS h, count(*) AS n FROM '${one}/flushes.parquet' GROUP BY h ORDER BY h`,
    );
    expect(counts).toStrictEqual(wanted);
  });

  it("of a table without rows have its columns", async () => {
    const datasets = new DatasetFolder(folder, {
      formats: DATASET_FORMATS,
      partition: [],
      tool: TOOL,
    });
    await datasets.add(SCHEMA, []);
    await datasets.finish();
    expect(await query(`SELECT * FROM '${folder}/flushes.parquet'`)).toStrictEqual([]);
    const table = tableFromIPC(fs.readFileSync(path.join(folder, "flushes.arrow")));
    expect(table.numCols).toBe(4);
    const csv = fs.readFileSync(path.join(folder, "flushes.csv"), "utf8");
    expect(csv).toBe("trace,host_model,pages,span_s\n");
  });
});
