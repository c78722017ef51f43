import type * as Arrow from "apache-arrow";
import { type Cell, type Column, SCHEMA_VERSION, type TableSchema, cellOf } from "./schema.ts";
import type { ToolIdentity } from "./tool.ts";

/**
 * Arrow IPC file bytes of a result table: the file format, both in files and on stdout, so that what
 * is piped away can be kept and opened like any other `.arrow` file.
 *
 * What is done here on purpose:
 * - The schema is explicit; nothing is inferred. Counts are Int64. Names are dictionaries, their values in the
 *   order of the rows; the id is the column's place, because the library would take it from a
 *   process-wide counter and the bytes would change from run to run.
 * - Every column gets buffers of its own. The library's `tableToIPC` merges typed arrays that share an
 *   ArrayBuffer and so writes wrong values; only the writer's own chunks are used.
 * - Field metadata name the unit and the meaning; schema metadata the tool and the schema version.
 *
 * The library takes long to load and is loaded on the first call only.
 */
export async function toArrow<Row>(
  schema: TableSchema<Row>,
  rows: readonly Row[],
  tool: ToolIdentity,
): Promise<Uint8Array> {
  const arrow = await import("apache-arrow");
  return await fileBytes(arrow, recordBatchOf(arrow, schema, rows, tool, "dictionary"));
}

/**
 * A table's rows as a record batch with the schema described above. Names are plain Utf8 unless asked for
 * otherwise: the batches of one file would have to share their dictionaries.
 */
export function recordBatchOf<Row>(
  arrow: typeof Arrow,
  schema: TableSchema<Row>,
  rows: readonly Row[],
  tool: ToolIdentity,
  texts: "dictionary" | "plain" = "plain",
): Arrow.RecordBatch {
  const fields: Arrow.Field[] = [];
  const children: Arrow.Data[] = [];
  for (const [place, column] of schema.columns.entries()) {
    const data =
      column.type === "utf8" && texts === "dictionary"
        ? dictionaryData(arrow, column, rows, place)
        : columnData(arrow, column, rows);
    fields.push(fieldOf(arrow, column, data.type));
    children.push(data);
  }
  const metadata = new Map([
    ["tool", `${tool.name} ${tool.version}`],
    ["schema_version", String(SCHEMA_VERSION)],
    ["table", schema.name],
    ["row_order", schema.order],
  ]);
  const type = new arrow.Struct(fields);
  const data = arrow.makeData({ type, length: rows.length, nullCount: 0, children });
  return new arrow.RecordBatch(new arrow.Schema(fields, metadata), data);
}

async function fileBytes(arrow: typeof Arrow, batch: Arrow.RecordBatch): Promise<Uint8Array> {
  const writer = new arrow.RecordBatchFileWriter();
  writer.write(batch);
  writer.finish();
  const chunks: Uint8Array[] = [];
  for await (const chunk of writer) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function fieldOf<Row>(arrow: typeof Arrow, column: Column<Row>, type: Arrow.DataType): Arrow.Field {
  const metadata = new Map([
    ["unit", column.unit],
    ["meaning", column.meaning],
  ]);
  return new arrow.Field(column.name, type, column.nullable, metadata);
}

function columnData<Row>(
  arrow: typeof Arrow,
  column: Column<Row>,
  rows: readonly Row[],
): Arrow.Data {
  const cells = rows.map((row) => cellOf(row, column));
  const shape = { length: cells.length, ...nullsOf(cells) };
  if (column.type === "utf8") {
    return arrow.makeData({ type: new arrow.Utf8(), ...shape, ...utf8Buffers(cells) });
  }
  if (column.type === "int64") {
    const data = BigInt64Array.from(cells, (cell) => BigInt(cell ?? 0));
    return arrow.makeData({ type: new arrow.Int64(), ...shape, data });
  }
  const data = Float64Array.from(cells, (cell) => Number(cell ?? 0));
  return arrow.makeData({ type: new arrow.Float64(), ...shape, data });
}

/** Names as places in a list of the different ones, in the order in which they occur. */
function dictionaryData<Row>(
  arrow: typeof Arrow,
  column: Column<Row>,
  rows: readonly Row[],
  id: number,
): Arrow.Data {
  const cells = rows.map((row) => cellOf(row, column));
  const places = new Map<Cell, number>();
  const data = Int32Array.from(cells, (cell) => {
    if (cell === null) return 0;
    const place = places.get(cell) ?? places.size;
    places.set(cell, place);
    return place;
  });
  const names = [...places.keys()];
  const values = arrow.makeData({
    type: new arrow.Utf8(),
    length: names.length,
    nullCount: 0,
    ...utf8Buffers(names),
  });
  return arrow.makeData({
    type: new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), id, false),
    length: cells.length,
    ...nullsOf(cells),
    data,
    dictionary: arrow.makeVector(values),
  });
}

/** One bit a row, least significant first, set where there is a value; padded to 8 bytes. */
function nullsOf(cells: readonly Cell[]): { nullBitmap?: Uint8Array; nullCount: number } {
  const nullCount = cells.reduce<number>((n, cell) => n + (cell === null ? 1 : 0), 0);
  if (nullCount === 0) return { nullCount };
  const nullBitmap = new Uint8Array(Math.ceil(cells.length / 64) * 8);
  cells.forEach((cell, row) => {
    if (cell !== null) nullBitmap[row >> 3] = (nullBitmap[row >> 3] ?? 0) | (1 << (row & 7));
  });
  return { nullBitmap, nullCount };
}

function utf8Buffers(cells: readonly Cell[]): { valueOffsets: Int32Array; data: Uint8Array } {
  const texts = cells.map((cell) => Buffer.from(String(cell ?? ""), "utf8"));
  const valueOffsets = new Int32Array(cells.length + 1);
  texts.forEach((text, row) => {
    valueOffsets[row + 1] = (valueOffsets[row] ?? 0) + text.byteLength;
  });
  // A copy: small Buffers share one pool, and columns must not share an ArrayBuffer.
  return { valueOffsets, data: Uint8Array.from(Buffer.concat(texts)) };
}
