import { Diagnostics } from "../../diagnostics.ts";
import { TraceError } from "../../errors.ts";
import type { EventBatch } from "../../events/columns.ts";
import { NameTable } from "../../events/names.ts";
import { PointerTable } from "../../events/pointers.ts";
import { emptyBatch } from "../../events/rows.ts";
import type { TraceInfo, TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import { CsvRows } from "./csv-rows.ts";
import { PlainLines } from "./plain-lines.ts";
import { RecordSource } from "./record-source.ts";

const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);

/**
 * Reads an event CSV, see CSV_COLUMNS. csv-parse decides what a record is; as long as lines are plain the
 * same records are found without it, faster.
 */
export class CsvReader implements TraceReader {
  readonly pointers: PointerTable = new PointerTable();
  readonly names: NameTable = new NameTable();
  readonly diagnostics: Diagnostics;
  readonly #source: ByteSource;
  readonly #mayBePlain: boolean;
  readonly #plain: PlainLines;
  readonly #rows: CsvRows;
  #records: RecordSource | undefined;

  /** @param mayBePlain false: everything goes through the parser, which is the same but slow. */
  constructor(source: ByteSource, mayBePlain = true) {
    this.#source = source;
    this.#mayBePlain = mayBePlain;
    this.#plain = new PlainLines({
      hasRoom: () => this.#rows.hasRoom,
      record: (bytes, start, ends, count, line) =>
        this.#rows.readPlain(bytes, start, ends, count, line),
    });
    this.diagnostics = new Diagnostics(source.path);
    this.#rows = new CsvRows(this.diagnostics, this.pointers, this.names);
  }

  get baseNs(): bigint {
    return this.#rows.baseNs ?? 0n;
  }

  async *batches(): AsyncGenerator<EventBatch, void, undefined> {
    const { head } = this.#source;
    const marked = BYTE_ORDER_MARK.equals(head.subarray(0, BYTE_ORDER_MARK.length));
    const chunks = without(this.#source.chunks, marked ? BYTE_ORDER_MARK.length : 0);
    try {
      if (this.#mayBePlain) yield* this.#readPlain(chunks);
      yield* this.#readParsed(chunks);
    } finally {
      await chunks.return();
    }
    const comments = this.#plain.comments + (this.#records?.comments ?? 0);
    if (comments > 0) {
      const detail = `${comments} lines begin with #`;
      this.diagnostics.add("COMMENT_LINE", detail, 0, 0, comments);
    }
    const damage = this.#source.damage();
    if (damage !== undefined) {
      const { reason, byteOffset } = damage;
      this.diagnostics.add("DAMAGED_COMPRESSION", reason, 0, byteOffset);
    }
    yield* this.#handOver();
  }

  /** The lines in front of the first that takes more than looking for commas. */
  async *#readPlain(
    chunks: AsyncIterator<Uint8Array>,
  ): AsyncGenerator<EventBatch, void, undefined> {
    const lines = this.#plain;
    while (!lines.isOver) {
      const next = await chunks.next();
      if (next.done === true) return;
      lines.push(next.value);
      while (lines.read()) yield* this.#handOver();
    }
  }

  /** What is left, through the parser. */
  async *#readParsed(
    chunks: AsyncIterator<Uint8Array>,
  ): AsyncGenerator<EventBatch, void, undefined> {
    const broken = (reason: string, line: number): void => {
      const detail = `reading stopped where the text is no CSV: ${reason}`;
      this.diagnostics.add("TRUNCATED", detail, line);
    };
    this.#records = new RecordSource(this.#plain.lines);
    for await (const records of this.#records.read(joined(this.#plain.rest, chunks), broken)) {
      for (const record of records) {
        this.#rows.read(record);
        if (!this.#rows.hasRoom) yield* this.#handOver();
      }
    }
  }

  *#handOver(): Generator<EventBatch, void, undefined> {
    const { batch } = this.#rows;
    const rows = batch.length;
    if (rows === 0) return;
    yield batch;
    emptyBatch(batch, rows);
  }

  info(): TraceInfo {
    const { header, events, firstTsNs, lastTsNs } = this.#rows;
    return {
      path: this.#source.path,
      format: "csv",
      layout: header === undefined ? "no header" : `columns ${header.names.join(",")}`,
      compression: this.#source.compression,
      bytes: this.#source.stored.bytes,
      sha256: this.#source.stored.sha256(),
      lines: this.#records?.lines ?? this.#plain.lines,
      events,
      baseNs: this.baseNs,
      firstTsNs,
      lastTsNs,
      eventsByName: this.#rows.eventsByName(),
      entriesInBuffer: undefined,
      entriesWritten: undefined,
    };
  }
}

/** Chunks without the first bytes. */
async function* without(
  chunks: AsyncIterable<Uint8Array>,
  bytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = bytes;
  for await (const chunk of chunks) {
    const skipped = Math.min(left, chunk.length);
    left -= skipped;
    yield chunk.subarray(skipped);
  }
}

async function* joined(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (first.length > 0) yield first.slice();
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** @throws TraceError WRONG_FORMAT where the first record is no header of this format. */
export function requireCsv(source: ByteSource, reason: string, applies: boolean): void {
  if (!applies) throw new TraceError("WRONG_FORMAT", `not an event CSV: ${reason}`, source.path);
}
