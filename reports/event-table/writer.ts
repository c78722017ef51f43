import type { Diagnostics } from "../../ingest/diagnostics.ts";
import { createEventBatch, type EventBatch } from "../../ingest/events/columns.ts";
import type { RecordedTrace } from "../../ingest/events/event-table-metadata.ts";
import { EventKind, UNKNOWN_CPU } from "../../ingest/events/kinds.ts";
import { clearRow } from "../../ingest/events/rows.ts";

/** Where the bytes of a file go, in order. The chunks may be used again once the promise is fulfilled. */
export interface ByteSink {
  write(chunks: readonly Uint8Array[]): Promise<void>;
}

/** Writes the rows of an event table in one of its forms. */
export interface EventTableWriter {
  /** Rows so far. */
  readonly rows: number;
  /** @param baseNs clock value that the batch's times count from. */
  append(batch: EventBatch, from: number, to: number, baseNs: bigint): Promise<void>;
  finish(trace: RecordedTrace): Promise<void>;
}

/**
 * Hands the batches of a reader to a writer, and makes each place where an event may be missing a row of
 * kind `lost`: whoever reads the table has a hole there as the reader of the trace had, at the same event.
 */
export class GapRows {
  readonly #writer: EventTableWriter;
  readonly #diagnostics: Diagnostics;
  readonly #gap: EventBatch = createEventBatch(1);
  #lastTsNs = Number.NaN;

  constructor(writer: EventTableWriter, diagnostics: Diagnostics) {
    this.#writer = writer;
    this.#diagnostics = diagnostics;
    clearRow(this.#gap, 0);
    this.#gap.kind[0] = EventKind.lost;
    this.#gap.cpu[0] = UNKNOWN_CPU;
    this.#gap.pid[0] = -1;
    this.#gap.length = 1;
  }

  async append(batch: EventBatch, baseNs: bigint): Promise<void> {
    const { length, line, tsNs } = batch;
    let from = 0;
    let gapLine = this.#diagnostics.nextGapLine;
    for (let row = 0; row < length && gapLine < Number.POSITIVE_INFINITY; row += 1) {
      if (line[row]! <= gapLine) continue;
      await this.#writer.append(batch, from, row, baseNs);
      from = row;
      const before = row === 0 ? this.#lastTsNs : tsNs[row - 1]!;
      this.#gap.tsNs[0] = Number.isNaN(before) ? tsNs[row]! : before;
      this.#gap.line[0] = gapLine;
      await this.#writer.append(this.#gap, 0, 1, baseNs);
      this.#diagnostics.passGaps(line[row]!);
      gapLine = this.#diagnostics.nextGapLine;
    }
    await this.#writer.append(batch, from, length, baseNs);
    if (length > 0) this.#lastTsNs = tsNs[length - 1]!;
  }
}
