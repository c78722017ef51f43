import { crc32 } from "node:zlib";

import { Diagnostics } from "../../diagnostics.ts";
import { TraceError } from "../../errors.ts";
import { createEventBatch, type EventBatch } from "../../events/columns.ts";
import { CHECKSUM_KEY, layoutText, recallDiagnostics } from "../../events/event-table-metadata.ts";
import { NameTable } from "../../events/names.ts";
import { PointerTable } from "../../events/pointers.ts";
import { emptyBatch } from "../../events/rows.ts";
import type { TraceInfo, TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import { type RandomBytes, randomBytesOf } from "../../source/random-bytes.ts";
import { addLostRow } from "../text/lost-row.ts";
import { BatchColumns } from "./batch-columns.ts";
import { findBatch } from "./find-batch.ts";
import type { FlatTable } from "./flat-table.ts";
import { type Footer, readFooter } from "./footer.ts";
import { kindsOf, ownKinds } from "./kinds.ts";
import { ArrowDamage, type ArrowMessage, readMessage } from "./messages.ts";
import { NameColumn } from "./name-column.ts";
import { RowCounts } from "./row-counts.ts";
import { checkSchema } from "./table-schema.ts";

/** Bytes of the magic at the beginning, with its padding. */
const MAGIC_BYTES = 8;

/** Reads an event table of ours, one record batch at a time. */
export class ArrowEventReader implements TraceReader {
  readonly pointers: PointerTable = new PointerTable();
  readonly names: NameTable = new NameTable();
  readonly diagnostics: Diagnostics;
  readonly #source: ByteSource;
  readonly #batch: EventBatch = createEventBatch();
  readonly #counts = new RowCounts();
  #baseNs = 0n;
  #footer: Footer | undefined;
  #kinds: Uint8Array | undefined;
  #columns: BatchColumns | undefined;
  #body: Uint8Array = new Uint8Array(0);
  #damages = 0;

  constructor(source: ByteSource) {
    this.#source = source;
    this.diagnostics = new Diagnostics(source.path);
    emptyBatch(this.#batch, this.#batch.capacity);
  }

  get baseNs(): bigint {
    return this.#baseNs;
  }

  async *batches(): AsyncGenerator<EventBatch, void, undefined> {
    const file = await randomBytesOf(this.#source);
    try {
      yield* this.#readFrom(file);
    } finally {
      await file.close();
    }
  }

  info(): TraceInfo {
    const trace = this.#footer?.trace;
    const counts = this.#counts;
    return {
      path: this.#source.path,
      format: "arrow",
      layout: this.#layout(),
      compression: this.#source.compression,
      bytes: this.#source.stored.bytes,
      sha256: this.#source.stored.sha256(),
      lines: trace?.source.lines ?? counts.lastLine,
      events: counts.events,
      baseNs: this.#baseNs,
      firstTsNs: counts.firstTsNs,
      lastTsNs: counts.lastTsNs,
      eventsByName: counts.byName(this.names),
      entriesInBuffer: trace?.entries_in_buffer ?? undefined,
      entriesWritten: trace?.entries_written ?? undefined,
      statisticsCounted: trace?.statistics_counted ?? false,
    };
  }

  #layout(): string {
    const source = this.#footer?.trace?.source;
    if (source === undefined) return "event table, of an unknown trace";
    const { format, layout, path, sha256 } = source;
    return `event table of ${path}: ${format} (${layout}), sha256 ${sha256.slice(0, 12)}…`;
  }

  async *#readFrom(file: RandomBytes): AsyncGenerator<EventBatch, void, undefined> {
    const damage = this.#source.damage();
    if (damage !== undefined) {
      const { reason, byteOffset } = damage;
      this.diagnostics.add("DAMAGED_COMPRESSION", reason, 0, byteOffset);
    }
    const footer = await readFooter(file);
    this.#footer = footer;
    this.#baseNs = checkedBase(await schemaOf(file, footer, this.#source.path), this.#source.path);
    this.#columns = new BatchColumns(this.pointers, new NameColumn(this.names), this.#baseNs);
    yield* this.#walk(file, footer);
    this.#compareWithFooter(footer);
  }

  /** All messages in the order of the file; behind a damaged one the next whole batch. */
  async *#walk(file: RandomBytes, footer: Footer): AsyncGenerator<EventBatch, void, undefined> {
    const { limit } = footer;
    let offset = MAGIC_BYTES;
    while (offset < limit) {
      let reason: string;
      try {
        const message = await readMessage(file, offset, limit);
        if (message.type !== "end") {
          yield* this.#read(file, message);
          offset = message.endOffset;
          continue;
        }
        if (message.endOffset === limit) return;
        reason = "the end of the batches stands in the middle of the file";
      } catch (error) {
        if (!(error instanceof ArrowDamage)) throw error;
        reason = error.message;
      }
      const next = await findBatch(file, offset + 8, limit);
      if (next === undefined) {
        // Behind the last batch of a file without a footer there is nothing more to lose.
        if (footer.problem !== "cut") this.#noteDamage(reason, offset);
        else this.#noteCut(reason, offset);
        return;
      }
      yield* this.#lose(reason, offset, Number.NaN);
      offset = next;
    }
    if (footer.problem === "cut") this.#noteCut("there is nothing behind the last batch", offset);
  }

  async *#read(
    file: RandomBytes,
    message: ArrowMessage,
  ): AsyncGenerator<EventBatch, void, undefined> {
    const { type, layout, bodyOffset, bodyBytes, offset } = message;
    if (layout === undefined) return;
    if (this.#body.length < bodyBytes) this.#body = new Uint8Array(bodyBytes);
    const body = this.#body.subarray(0, bodyBytes);
    await file.readInto(body, bodyOffset);
    if (type === "dictionary") {
      this.#readKinds(body, message);
      return;
    }
    let done = 0;
    try {
      checkSum(message, body);
      const columns = this.#columns!;
      columns.open(body, layout, this.#kindsToUse(offset));
      const batch = this.#batch;
      while (done < layout.rows) {
        const count = Math.min(batch.capacity, layout.rows - done);
        columns.copy(done, count, batch, 0);
        batch.length = count;
        this.#counts.add(batch);
        done += count;
        yield batch;
      }
    } catch (error) {
      if (!(error instanceof ArrowDamage)) throw error;
      yield* this.#lose(error.message, offset, layout.rows - done);
    }
  }

  #readKinds(body: Uint8Array, { layout, offset }: ArrowMessage): void {
    try {
      this.#kinds = kindsOf(body, layout!, this.#source.path);
    } catch (error) {
      if (!(error instanceof ArrowDamage)) throw error;
      this.#kindsToUse(offset);
    }
  }

  /** The file's kinds; where they are damaged this version's, whose order never changes. */
  #kindsToUse(offset: number): Uint8Array {
    if (this.#kinds !== undefined) return this.#kinds;
    const detail = "the list of kinds cannot be read: that of this version was taken";
    this.diagnostics.add("DAMAGED_METADATA", detail, 0, offset);
    this.#kinds = ownKinds();
    return this.#kinds;
  }

  /** Counts a batch that cannot be read, and tells the consumer with a row that events are missing. */
  *#lose(reason: string, offset: number, rows: number): Generator<EventBatch, void, undefined> {
    this.#noteDamage(reason, offset);
    const batch = this.#batch;
    emptyBatch(batch, batch.capacity);
    const { lastRowTsNs, lastLine } = this.#counts;
    addLostRow(batch, 0xffff, rows, lastRowTsNs, lastLine);
    yield batch;
    emptyBatch(batch, 1);
  }

  #noteDamage(reason: string, offset: number): void {
    this.#damages += 1;
    this.diagnostics.add("DAMAGED_BATCH", reason, 0, offset);
  }

  #noteCut(reason: string, offset: number): void {
    const read = `${this.#counts.rows} rows in front of byte ${offset} were read`;
    const detail = `the file was not written to its end (${reason}): ${read}`;
    this.diagnostics.add("TRUNCATED", detail, 0, offset);
  }

  /** What the file says of the whole trace, once its rows are read. */
  #compareWithFooter({ trace, problem, limit }: Footer): void {
    const { diagnostics } = this;
    if (trace === undefined) {
      if (problem === "damaged") {
        const detail = "what the file says of the trace it was made from, and of its losses";
        diagnostics.add("DAMAGED_METADATA", detail, 0, limit);
      }
      this.#counts.reportLost(diagnostics);
      return;
    }
    recallDiagnostics(trace, diagnostics);
    const missing = trace.rows - this.#counts.rows;
    if (missing === 0) return;
    const detail = `${this.#counts.rows} rows read, ${trace.rows} announced`;
    if (missing < 0 || this.#damages === 0) diagnostics.add("DAMAGED_METADATA", detail, 0, limit);
    else diagnostics.add("EVENTS_LOST", `in damaged batches: ${detail}`, 0, 0, missing);
  }
}

/** @throws ArrowDamage for a batch that is not as it was written; one without a checksum is taken as it is. */
function checkSum({ metadata, layout }: ArrowMessage, body: Uint8Array): void {
  const checksum = metadata.get(CHECKSUM_KEY);
  if (checksum === undefined || layout === undefined) return;
  const { rows, nullCounts, buffers } = layout;
  const ofBody = body.length === 0 ? 0 : crc32(body);
  const sum = crc32(layoutText(rows, nullCounts, buffers), ofBody);
  if (Number.parseInt(checksum, 16) !== sum) throw new ArrowDamage("its checksum does not fit");
}

/** The schema in front of the batches, or where that is damaged the one behind them. */
async function schemaOf(file: RandomBytes, footer: Footer, path: string): Promise<FlatTable> {
  if (Buffer.from(await file.read(0, 6)).toString("latin1") !== "ARROW1") {
    throw new TraceError(
      "WRONG_FORMAT",
      "this is an Arrow stream, not an Arrow file: event tables are files",
      path,
      "write it again with convert",
    );
  }
  try {
    const { schema } = await readMessage(file, MAGIC_BYTES, footer.limit);
    if (schema !== undefined) return schema;
  } catch (error) {
    if (!(error instanceof ArrowDamage)) throw error;
  }
  if (footer.schema !== undefined) return footer.schema;
  throw damagedSchema(path);
}

function checkedBase(schema: FlatTable, path: string): bigint {
  try {
    return checkSchema(schema, path);
  } catch (error) {
    if (error instanceof RangeError) throw damagedSchema(path);
    throw error;
  }
}

function damagedSchema(path: string): TraceError {
  return new TraceError("WRONG_FORMAT", "the schema of this Arrow file is damaged or cut", path);
}
