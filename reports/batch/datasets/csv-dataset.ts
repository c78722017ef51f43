import { WholeFile } from "../../whole-file.ts";
import { toCsv } from "../../csv.ts";
import type { CellRow } from "../../result-tables.ts";
import type { DatasetFile, DatasetWriter } from "./dataset-writer.ts";

/** RFC 4180; texts that a spreadsheet would take for formulas are guarded, as in every CSV of ours. */
export class CsvDataset implements DatasetWriter {
  readonly #file: WholeFile;
  readonly #schema: DatasetFile["schema"];
  #hasHeader = false;

  constructor({ path, schema }: DatasetFile) {
    this.#file = new WholeFile(path);
    this.#schema = schema;
  }

  async write(rows: readonly CellRow[]): Promise<void> {
    const text = toCsv(this.#schema, rows, { header: !this.#hasHeader });
    this.#hasHeader = true;
    await this.#file.write([Buffer.from(text, "utf8")]);
  }

  async finish(): Promise<void> {
    if (!this.#hasHeader) await this.write([]);
    this.#file.commit();
  }
}
