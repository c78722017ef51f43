import { Diagnostics } from "../../diagnostics.ts";
import { createEventBatch, type EventBatch } from "../../events/columns.ts";
import { PointerTable } from "../../events/pointers.ts";
import { emptyBatch } from "../../events/rows.ts";
import type { TraceInfo, TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import { LineReader } from "./line-reader.ts";
import { MAX_LINE_BYTES } from "./event-lines.ts";
import { LineSplitter } from "./line-splitter.ts";
import type { TextLayout } from "./layout.ts";
import { LineProblems } from "./problems.ts";

/** A line can hold several events (see EventLines); none is shorter than this. */
const SHORTEST_EVENT_BYTES = 30;
const ROWS_PER_LINE = Math.ceil(MAX_LINE_BYTES / SHORTEST_EVENT_BYTES);

/** Reads the kernel's own text: the `trace` and `trace_pipe` files in their default layout. */
export class FtraceTextReader implements TraceReader {
  readonly pointers: PointerTable = new PointerTable();
  readonly diagnostics: Diagnostics;
  readonly #source: ByteSource;
  readonly #layout: TextLayout;
  readonly #batch: EventBatch;
  readonly #problems: LineProblems;
  readonly #reader: LineReader;
  readonly #splitter: LineSplitter;

  constructor(source: ByteSource, layout: TextLayout, batch: EventBatch = createEventBatch()) {
    this.#source = source;
    this.#layout = layout;
    this.#batch = batch;
    this.diagnostics = new Diagnostics(source.path);
    this.#problems = new LineProblems(this.diagnostics);
    this.#reader = new LineReader(batch, this.pointers, this.#problems, layout);
    this.#splitter = new LineSplitter(this.#reader, this.#problems);
    emptyBatch(batch, batch.capacity);
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
    const { events, comments } = this.#reader;
    return {
      path: this.#source.path,
      format: "ftrace-text",
      layout: this.#layout.description,
      compression: this.#source.compression,
      bytes: this.#source.stored.bytes,
      sha256: this.#source.stored.sha256(),
      lines: this.#splitter.lines,
      events: events.events,
      baseNs: events.clock.baseNs,
      firstTsNs: events.clock.firstNs,
      lastTsNs: events.clock.lastNs,
      eventsByName: events.eventsByName,
      entriesInBuffer: comments.entriesInBuffer,
      entriesWritten: comments.entriesWritten,
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
    this.#problems.line = 0;
    this.#problems.byteOffset = 0;
    if (damage !== undefined) this.#problems.note("DAMAGED_COMPRESSION", damage);
    this.#compareWithHeader();
    this.#noteTicks();
  }

  #readLastLine(): void {
    const before = this.#reader.unparsed;
    if (!this.#splitter.readUnterminated()) return;
    const lastLine = "the last line has no newline";
    if (this.#reader.unparsed === before) this.#problems.note("UNTERMINATED_LINE", lastLine);
    else this.#problems.note("TRUNCATED", `${lastLine} and is not whole`);
  }

  /** Entries that the header announces and that no line accounted for. */
  #missingEntries(): number {
    const { entriesInBuffer } = this.#reader.comments;
    // Lines that could not be read are a loss of their own, already counted.
    return (entriesInBuffer ?? 0) - this.#reader.events.events - this.#reader.unparsed;
  }

  #compareWithHeader(): void {
    const { entriesInBuffer } = this.#reader.comments;
    if (entriesInBuffer === undefined) return;
    const { events } = this.#reader.events;
    const counts = `${events} events read, ${entriesInBuffer} in the header`;
    const { eventsBehindMarker } = this.#reader;
    const surplus = events - entriesInBuffer;
    if (surplus > 0 && eventsBehindMarker > 0) {
      const where = `${eventsBehindMarker} right behind a marker`;
      this.#problems.note("FORGED_EVENTS", `${counts}; ${where}`, surplus);
    } else if (surplus > 0) this.#problems.note("HEADER_DISAGREES", counts);
    if (this.#missingEntries() > 0) this.#problems.note("TRUNCATED", counts);
  }

  #noteTicks(): void {
    if (this.#reader.events.clock.isTicks !== true) return;
    this.#problems.note(
      "ASSUMED",
      "the trace clock prints bare integers: 1 tick is taken for 1 ns",
    );
  }
}
