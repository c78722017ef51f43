import type { DurationSummary } from "../../durations.ts";
import { Diagnostics } from "../../diagnostics.ts";
import { createEventBatch, type EventBatch } from "../../events/columns.ts";
import { NameTable } from "../../events/names.ts";
import { PointerTable } from "../../events/pointers.ts";
import { emptyBatch } from "../../events/rows.ts";
import type { EventTables } from "../../events/tables.ts";
import type { TraceInfo, TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import type { FormatId } from "../format.ts";
import type { EventRows } from "./event-rows.ts";
import { type LineSink, LineSplitter, MAX_LINE_BYTES } from "./line-splitter.ts";
import { LineProblems } from "./problems.ts";

/** A line can hold several events (some kernels print one behind the other); none is shorter than this. */
const SHORTEST_EVENT_BYTES = 30;
const ROWS_PER_LINE = Math.ceil(MAX_LINE_BYTES / SHORTEST_EVENT_BYTES);

/** The lines of one text format, as they become rows. */
export interface TextLines extends LineSink {
  readonly rows: EventRows;
  /** What a header says of the ring buffer; undefined where there is none. */
  readonly entriesInBuffer: number | undefined;
  readonly entriesWritten: number | undefined;
  /** Events that stand right behind a marker's line, where the format's markers may print such lines. */
  readonly eventsBehindMarker?: number;
  /** All lines have been read. */
  finish?(): void;
  /** False: the lines have no times, and those of the rows mean nothing. */
  readonly hasTimes?: boolean;
  /** How long calls took, by function; where the format says that. */
  durations?(): ReadonlyMap<string, DurationSummary>;
  /** What turned out to be missing and was assumed, as sentences. */
  assumptions?(): readonly string[];
}

export interface TextFormat {
  readonly id: FormatId;
  /** What was detected inside the format, in words. */
  readonly layout: string;
  /** What the lines do not state and was assumed, as sentences. */
  readonly assumed?: readonly string[];
  lines(tables: EventTables, problems: LineProblems): TextLines;
}

/** Reads a text line by line; which lines mean what is the format's. */
export class TextReader implements TraceReader {
  readonly pointers: PointerTable = new PointerTable();
  readonly names: NameTable = new NameTable();
  readonly diagnostics: Diagnostics;
  readonly #source: ByteSource;
  readonly #format: TextFormat;
  readonly #batch: EventBatch;
  readonly #problems: LineProblems;
  readonly #lines: TextLines;
  readonly #splitter: LineSplitter;

  constructor(source: ByteSource, format: TextFormat, batch: EventBatch = createEventBatch()) {
    this.#source = source;
    this.#format = format;
    this.#batch = batch;
    this.diagnostics = new Diagnostics(source.path);
    this.#problems = new LineProblems(this.diagnostics);
    this.#lines = format.lines(
      { batch, pointers: this.pointers, names: this.names },
      this.#problems,
    );
    this.#splitter = new LineSplitter(this.#lines, this.#problems);
    emptyBatch(batch, batch.capacity);
  }

  get baseNs(): bigint {
    return this.#lines.rows.clock.baseNs;
  }

  async *batches(): AsyncGenerator<EventBatch, void, undefined> {
    const batch = this.#batch;
    const fullAt = batch.capacity - ROWS_PER_LINE;
    const hasRoom = (): boolean => batch.length < fullAt;
    for await (const chunk of this.#source.chunks) {
      this.#splitter.push(chunk);
      while (this.#splitter.readLines(hasRoom)) yield* this.#handOver();
    }
    this.#readEnd();
    yield* this.#handOver();
  }

  info(): TraceInfo {
    const { rows, entriesInBuffer, entriesWritten, hasTimes = true } = this.#lines;
    const durations = this.#lines.durations?.();
    return {
      ...(durations === undefined ? {} : { durations }),
      path: this.#source.path,
      format: this.#format.id,
      layout: this.#format.layout,
      compression: this.#source.compression,
      bytes: this.#source.stored.bytes,
      sha256: this.#source.stored.sha256(),
      lines: this.#splitter.lines,
      events: rows.events,
      isTicks: rows.clock.isTicks === true,
      baseNs: this.baseNs,
      firstTsNs: hasTimes ? rows.clock.firstNs : Number.NaN,
      lastTsNs: hasTimes ? rows.clock.lastNs : Number.NaN,
      eventsByName: rows.names.counts(),
      entriesInBuffer,
      entriesWritten,
    };
  }

  *#handOver(): Generator<EventBatch, void, undefined> {
    const batch = this.#batch;
    const rows = batch.length;
    if (rows === 0) return;
    yield batch;
    emptyBatch(batch, rows);
  }

  /** The last line, and what the whole file says about itself. */
  #readEnd(): void {
    const damage = this.#source.damage();
    if (damage !== undefined || this.#missingEntries() > 1) this.#splitter.dropUnterminated();
    else this.#readLastLine();
    this.#lines.finish?.();
    this.#problems.line = 0;
    this.#problems.byteOffset = 0;
    if (damage !== undefined) {
      const { reason, byteOffset } = damage;
      this.diagnostics.add("DAMAGED_COMPRESSION", reason, 0, byteOffset);
    }
    this.#compareWithHeader();
    this.#noteTicks();
    const assumed = [...(this.#format.assumed ?? []), ...(this.#lines.assumptions?.() ?? [])];
    for (const sentence of assumed) this.#problems.note("ASSUMED", sentence);
  }

  #readLastLine(): void {
    const before = this.#lines.unparsed;
    if (!this.#splitter.readUnterminated()) return;
    const lastLine = "the last line has no newline";
    if (this.#lines.unparsed === before) this.#problems.note("UNTERMINATED_LINE", lastLine);
    else this.#problems.note("TRUNCATED", `${lastLine} and is not whole`);
  }

  /** Entries that the header announces and that no line accounted for. */
  #missingEntries(): number {
    const { entriesInBuffer } = this.#lines;
    // Lines that could not be read are a loss of their own, already counted.
    return (entriesInBuffer ?? 0) - this.#lines.rows.events - this.#lines.unparsed;
  }

  #compareWithHeader(): void {
    const { entriesInBuffer } = this.#lines;
    if (entriesInBuffer === undefined) return;
    const { events } = this.#lines.rows;
    const counts = `${events} events read, ${entriesInBuffer} in the header`;
    const eventsBehindMarker = this.#lines.eventsBehindMarker ?? 0;
    const surplus = events - entriesInBuffer;
    if (surplus > 0 && eventsBehindMarker > 0) {
      const where = `${eventsBehindMarker} right behind a marker`;
      this.#problems.note("FORGED_EVENTS", `${counts}; ${where}`, surplus);
    } else if (surplus > 0) this.#problems.note("HEADER_DISAGREES", counts);
    if (this.#missingEntries() > 0) this.#problems.note("TRUNCATED", counts);
  }

  #noteTicks(): void {
    if (this.#lines.rows.clock.isTicks !== true) return;
    this.#problems.note(
      "ASSUMED",
      "the trace clock prints bare integers: 1 tick is taken for 1 ns",
    );
  }
}
