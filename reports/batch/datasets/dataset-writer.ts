import type { CellRow } from "../../result-tables.ts";
import type { TableSchema } from "../../schema.ts";
import type { ToolIdentity } from "../../tool.ts";

/** Writes the rows of one table to one file, some thousand rows at a time. */
export interface DatasetWriter {
  write(rows: readonly CellRow[]): Promise<void>;
  /** Ends the file; without it the file is not whole. */
  finish(): Promise<void>;
}

export const DATASET_FORMATS = ["parquet", "arrow", "csv"] as const;
export type DatasetFormat = (typeof DATASET_FORMATS)[number];

/** What every writer is told. */
export interface DatasetFile {
  /** Path of a file that is not there yet. */
  readonly path: string;
  readonly schema: TableSchema<CellRow>;
  readonly tool: ToolIdentity;
}

export async function openDataset(
  format: DatasetFormat,
  file: DatasetFile,
): Promise<DatasetWriter> {
  if (format === "parquet") {
    const { ParquetDataset } = await import("./parquet-dataset.ts");
    return ParquetDataset.open(file);
  }
  if (format === "arrow") {
    const { ArrowDataset } = await import("./arrow-dataset.ts");
    return ArrowDataset.open(file);
  }
  const { CsvDataset } = await import("./csv-dataset.ts");
  return new CsvDataset(file);
}
