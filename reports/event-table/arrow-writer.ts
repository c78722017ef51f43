import type * as Arrow from "apache-arrow";
import type { EventBatch } from "../../ingest/events/columns.ts";
import type { RecordedTrace } from "../../ingest/events/event-table-metadata.ts";
import type { NameTable } from "../../ingest/events/names.ts";
import type { PointerTable } from "../../ingest/events/pointers.ts";
import {
  type ArrowModule,
  ArrowParts,
  type AssembledBatch,
  checksumMetadata,
} from "./arrow-parts.ts";
import { TableColumns } from "./columns.ts";
import type { ByteSink, EventTableWriter } from "./writer.ts";

/** Rows of a record batch: 7 MB of columns. */
export const BATCH_ROWS: number = 65_536;
/** Long names end a batch early. */
const MAX_NAME_BYTES: number = 8 * 1024 * 1024;

/**
 * Writes the event table as an Arrow IPC file (Feather V2), uncompressed, a record batch at a time.
 *
 * - The file begins with the stream that the format prescribes: schema, dictionary, batches. So a file
 *   that was cut can be read up to the cut; only a whole one has a footer.
 * - What is known of the trace is known behind its last event, and stands in the footer's schema.
 * - The only dictionary, that of the kinds, is complete before the first batch: the format knows no
 *   other, and names are plain texts.
 * - Each batch has its checksum in its metadata.
 */
export class ArrowEventWriter implements EventTableWriter {
  readonly #arrow: ArrowModule;
  readonly #sink: ByteSink;
  readonly #pointers: PointerTable;
  readonly #names: NameTable;
  readonly #columns: TableColumns;
  readonly #chunks: Uint8Array[] = [];
  #parts: ArrowParts | undefined;
  #schema: Arrow.Schema | undefined;
  #file: EventFileWriter | undefined;
  #baseNs = 0n;
  rows = 0;

  constructor(
    arrow: ArrowModule,
    sink: ByteSink,
    pointers: PointerTable,
    names: NameTable,
    batchRows: number = BATCH_ROWS,
  ) {
    this.#columns = new TableColumns(batchRows);
    this.#arrow = arrow;
    this.#sink = sink;
    this.#pointers = pointers;
    this.#names = names;
  }

  async append(batch: EventBatch, from: number, to: number, baseNs: bigint): Promise<void> {
    const columns = this.#columns;
    this.#baseNs = baseNs;
    let at = from;
    while (at < to) {
      const count = Math.min(to - at, columns.capacity - columns.length);
      columns.append(batch, at, at + count, baseNs, this.#pointers, this.#names);
      at += count;
      this.rows += count;
      if (columns.length === columns.capacity || columns.names.used > MAX_NAME_BYTES) {
        await this.#flush();
      }
    }
  }

  async finish(trace: RecordedTrace): Promise<void> {
    if (this.#columns.length > 0 || this.#file === undefined) await this.#flush();
    this.#file!.end(this.#parts!.schema(JSON.stringify(trace)));
    await this.#drain();
  }

  async #flush(): Promise<void> {
    if (this.#file === undefined) this.#begin();
    this.#file!.write(this.#parts!.batch(this.#schema!, this.#columns));
    await this.#drain();
    this.#columns.clear();
  }

  #begin(): void {
    this.#parts = new ArrowParts(this.#arrow, this.#baseNs);
    this.#schema = this.#parts.schema();
    this.#file = createFileWriter(this.#arrow, this.#chunks);
  }

  /** The chunks are views of the columns: they are out before the columns change. */
  async #drain(): Promise<void> {
    await this.#sink.write(this.#chunks);
    this.#chunks.length = 0;
  }
}

interface EventFileWriter {
  write(batch: Arrow.RecordBatch): void;
  end(schema: Arrow.Schema): void;
}

/* oxlint-disable no-underscore-dangle -- what the library's writer lets its heirs change is called so */
/** The library's file writer, which hands its chunks over as they are, in order. */
function createFileWriter(arrow: ArrowModule, chunks: Uint8Array[]): EventFileWriter {
  class FileWriter extends arrow.RecordBatchFileWriter {
    #final: Arrow.Schema | undefined;

    /** Ends the file with another schema of the same columns in the footer. */
    end(schema: Arrow.Schema): void {
      this.#final = schema;
      this.finish();
    }

    protected override _write(chunk: ArrayBufferView): this {
      const { buffer, byteOffset, byteLength } = chunk;
      if (byteLength === 0) return this;
      chunks.push(new Uint8Array(buffer, byteOffset, byteLength));
      this._position += byteLength;
      return this;
    }

    /** The library leaves the schema out in front of the batches; the format has it there. */
    protected override _writeSchema(schema: Arrow.Schema): this {
      super._writeSchema(schema);
      return this._writeMessage(arrow.Message.from(schema));
    }

    protected override _assembleRecordBatch(
      batch: Arrow.RecordBatch | Arrow.Vector,
    ): AssembledBatch {
      const assembled = super._assembleRecordBatch(batch);
      if (batch instanceof arrow.RecordBatch) {
        batch.metadata.set(...checksumMetadata(assembled));
      }
      return assembled;
    }

    protected override _writeFooter(schema: Arrow.Schema): this {
      return super._writeFooter(this.#final ?? schema);
    }
  }
  return new FileWriter();
}
