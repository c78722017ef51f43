import type * as Parquet from "hyparquet-writer";
import { WholeFile } from "../../whole-file.ts";
import type { CellRow } from "../../result-tables.ts";
import { cellOf, type Column, SCHEMA_VERSION } from "../../schema.ts";
import type { DatasetFile, DatasetWriter } from "./dataset-writer.ts";

type ParquetModule = typeof Parquet;
type Element = ConstructorParameters<ParquetModule["ParquetWriter"]>[0]["schema"][number];

/**
 * A Parquet file, a row group a write, Snappy. Counts are INT64, texts UTF8, a column is OPTIONAL where it
 * may be null. Parquet has no place for the unit of a column: the file's key-value metadata hold, as in our
 * Arrow files, tool, schema version, table and row order, and under `columns` unit and meaning of each.
 */
export class ParquetDataset implements DatasetWriter {
  readonly #columns: readonly Column<CellRow>[];
  readonly #file: WholeFile;
  readonly #bytes: Parquet.ByteWriter;
  readonly #writer: Parquet.ParquetWriter;

  static async open(file: DatasetFile): Promise<ParquetDataset> {
    return new ParquetDataset(await import("hyparquet-writer"), file);
  }

  private constructor(library: ParquetModule, { path, schema, tool }: DatasetFile) {
    this.#columns = schema.columns;
    this.#file = new WholeFile(path);
    this.#bytes = new library.ByteWriter();
    const columns = schema.columns.map(({ name, unit, meaning }) => ({ name, unit, meaning }));
    this.#writer = new library.ParquetWriter({
      writer: this.#bytes,
      schema: [
        { name: schema.name, num_children: schema.columns.length },
        ...schema.columns.map(elementOf),
      ],
      // Whole values: a reader that prunes by cut ones would have to know that they are cut.
      statisticsTruncateLength: Number.POSITIVE_INFINITY,
      createdBy: `${tool.name} version ${tool.version}`,
      kvMetadata: [
        { key: "tool", value: `${tool.name} ${tool.version}` },
        { key: "schema_version", value: String(SCHEMA_VERSION) },
        { key: "table", value: schema.name },
        { key: "row_order", value: schema.order },
        { key: "columns", value: JSON.stringify(columns) },
      ],
    });
  }

  async write(rows: readonly CellRow[]): Promise<void> {
    if (rows.length === 0) return;
    const columnData = this.#columns.map((column) => ({
      name: column.name,
      data: rows.map((row) => valueOf(row, column)),
    }));
    await this.#writer.write({ columnData, rowGroupSize: rows.length });
    await this.#drain();
  }

  async finish(): Promise<void> {
    await this.#writer.finish();
    await this.#drain();
    this.#file.commit();
  }

  /** What is written so far goes to the file; the places in the footer are counted by `offset`. */
  async #drain(): Promise<void> {
    const { buffer, index } = this.#bytes;
    await this.#file.write([new Uint8Array(buffer, 0, index)]);
    this.#bytes.index = 0;
  }
}

function elementOf({ name, type, nullable }: Column<CellRow>): Element {
  const repetition_type = nullable ? "OPTIONAL" : "REQUIRED";
  if (type === "int64") return { name, type: "INT64", repetition_type };
  if (type === "float64") return { name, type: "DOUBLE", repetition_type };
  return {
    name,
    type: "BYTE_ARRAY",
    converted_type: "UTF8",
    logical_type: { type: "STRING" },
    repetition_type,
  };
}

function valueOf(row: CellRow, column: Column<CellRow>): string | number | bigint | null {
  const cell = cellOf(row, column);
  return column.type === "int64" && cell !== null ? BigInt(cell) : cell;
}
