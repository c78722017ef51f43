import fs from "node:fs";
import path from "node:path";
import type { CellRow } from "../../result-tables.ts";
import type { TableSchema } from "../../schema.ts";
import type { ToolIdentity } from "../../tool.ts";
import { type DatasetFormat, type DatasetWriter, openDataset } from "./dataset-writer.ts";
import { type PartitionColumn, partitionPath, refuseTooMany } from "./partition.ts";

/** Rows of a row group or record batch: what is held in memory of each file. */
export const ROWS_A_GROUP: number = 16_384;

export interface DatasetSetting {
  readonly formats: readonly DatasetFormat[];
  readonly partition: readonly PartitionColumn[];
  readonly tool: ToolIdentity;
}

/**
 * The datasets of a merge in a folder of their own: `flushes.parquet`, or with partitions
 * `flushes/host_model=a/data.parquet`. Rows keep the order in which they come; memory is bounded by the
 * number of open files.
 */
export class DatasetFolder {
  readonly #folder: string;
  readonly #setting: DatasetSetting;
  readonly #open = new Map<string, OpenPart>();
  readonly #partitions = new Set<string>();

  /** @param folder exists and is empty. */
  constructor(folder: string, setting: DatasetSetting) {
    this.#folder = folder;
    this.#setting = setting;
  }

  /** Rows of one trace, all of one partition. */
  async add(schema: TableSchema<CellRow>, rows: readonly CellRow[]): Promise<void> {
    const { partition } = this.#setting;
    const [first] = rows;
    // Without partitions a table without rows has a file too, so that readers find its columns.
    if (first === undefined && partition.length > 0) return;
    const part = await this.#partOf(schema, partitionPath(partition, first ?? {}));
    part.rows.push(...rows);
    if (part.rows.length >= ROWS_A_GROUP) await flush(part, ROWS_A_GROUP);
  }

  async finish(): Promise<void> {
    for (const part of this.#open.values()) {
      await flush(part, 1);
      for (const writer of part.writers) await writer.finish();
    }
    this.#open.clear();
  }

  async #partOf(schema: TableSchema<CellRow>, partition: string): Promise<OpenPart> {
    const stem = partition === "" ? schema.name : `${schema.name}/${partition}/data`;
    const known = this.#open.get(stem);
    if (known !== undefined) return known;
    this.#partitions.add(partition);
    refuseTooMany(this.#partitions.size);
    const { formats, tool } = this.#setting;
    const writers: DatasetWriter[] = [];
    for (const format of formats) {
      const file = path.join(this.#folder, `${stem}.${format}`);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      writers.push(await openDataset(format, { path: file, schema, tool }));
    }
    const part: OpenPart = { writers, rows: [] };
    this.#open.set(stem, part);
    return part;
  }
}

interface OpenPart {
  readonly writers: readonly DatasetWriter[];
  rows: CellRow[];
}

/** Writes groups of always the same size, and at the end, with `least` 1, the rest. */
async function flush(part: OpenPart, least: number): Promise<void> {
  let from = 0;
  while (part.rows.length - from >= least) {
    const group = part.rows.slice(from, from + ROWS_A_GROUP);
    for (const writer of part.writers) await writer.write(group);
    from += group.length;
  }
  part.rows = part.rows.slice(from);
}
