import type * as Arrow from "apache-arrow";
import { WholeFile } from "../../whole-file.ts";
import { recordBatchOf } from "../../arrow.ts";
import type { CellRow } from "../../result-tables.ts";
import type { DatasetFile, DatasetWriter } from "./dataset-writer.ts";

type ArrowModule = typeof Arrow;

/** An Arrow IPC file of several record batches; types, units and bytes as in every Arrow file of ours. */
export class ArrowDataset implements DatasetWriter {
  readonly #arrow: ArrowModule;
  readonly #about: DatasetFile;
  readonly #file: WholeFile;
  readonly #chunks: Uint8Array[] = [];
  readonly #writer: Arrow.RecordBatchFileWriter;
  #isEmpty = true;

  /** The library takes long to load and is loaded here only. */
  static async open(file: DatasetFile): Promise<ArrowDataset> {
    return new ArrowDataset(await import("apache-arrow"), file);
  }

  private constructor(arrow: ArrowModule, file: DatasetFile) {
    this.#arrow = arrow;
    this.#about = file;
    this.#file = new WholeFile(file.path);
    this.#writer = chunkWriter(arrow, this.#chunks);
  }

  async write(rows: readonly CellRow[]): Promise<void> {
    const { schema, tool } = this.#about;
    this.#writer.write(recordBatchOf(this.#arrow, schema, rows, tool));
    this.#isEmpty = false;
    await this.#drain();
  }

  async finish(): Promise<void> {
    if (this.#isEmpty) await this.write([]);
    this.#writer.finish();
    await this.#drain();
    this.#file.commit();
  }

  async #drain(): Promise<void> {
    await this.#file.write(this.#chunks);
    this.#chunks.length = 0;
  }
}

/* oxlint-disable no-underscore-dangle -- what the library's writer lets its heirs change is called so */
/** The library's file writer, which hands its chunks over as they are, in order. */
function chunkWriter(arrow: ArrowModule, chunks: Uint8Array[]): Arrow.RecordBatchFileWriter {
  class FileWriter extends arrow.RecordBatchFileWriter {
    protected override _write(chunk: ArrayBufferView): this {
      const { buffer, byteOffset, byteLength } = chunk;
      if (byteLength === 0) return this;
      chunks.push(new Uint8Array(buffer, byteOffset, byteLength));
      this._position += byteLength;
      return this;
    }
  }
  return new FileWriter();
}
