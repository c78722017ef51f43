import type { EventIds } from "../../beside/event-ids.ts";
import { EventKind } from "../../events/kinds.ts";
import type { EventTables } from "../../events/tables.ts";
import { HASH, literal, textOf } from "../bytes.ts";
import { MAX_CPU, MAX_PID } from "../text/context-fields.ts";
import type { EventName } from "../text/event-names.ts";
import { EventRows } from "../text/event-rows.ts";
import type { LineProblems } from "../text/problems.ts";
import type { TextLines } from "../text/text-reader.ts";
import { CommentLines } from "./comment-lines.ts";

/** How the options `raw` and `hex` print an event: pid, CPU, time and the number of its type. */
export interface RawLayout {
  readonly name: "raw" | "hex";
  /** Pid, CPU, time; then the type, or the text of a marker. */
  readonly line: RegExp;
  readonly radix: 10 | 16;
}

export const RAW_LAYOUT: RawLayout = {
  name: "raw",
  line: /^(\d{1,10}) (\d{1,5}) (\d{1,20}) (?:type: (\d{1,5})|# [0-9a-f]+ [^]*)$/,
  radix: 10,
};

export const HEX_LAYOUT: RawLayout = {
  name: "hex",
  line: /^([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{16}) type: (\d{1,5})$/,
  radix: 16,
};

const BUFFER_STARTED = "##### CPU ";
const MAX_COMMENT_BYTES = 256;
const NS_PER_SECOND = 1_000_000_000n;
/** The number of a marker is the same in every kernel. */
const PRINT_TYPE = 5;
const MARKER = "tracing_mark_write";

/** What is known of the events of one number. */
interface RawEvent {
  readonly name: EventName;
  readonly kind: number;
  /** Why its lines are losses: what they should say and do not. */
  readonly loss: string | undefined;
}

/**
 * Reads a trace that was saved with the option `raw` or `hex`. Its lines have no arguments: an event that
 * the replay would need them of is counted as a loss, and is a row of kind `other`.
 */
export class RawLines implements TextLines {
  readonly rows: EventRows;
  unparsed = 0;
  eventsBehindMarker = 0;
  readonly #comments: CommentLines;
  readonly #tables: EventTables;
  readonly #problems: LineProblems;
  readonly #layout: RawLayout;
  readonly #ids: EventIds;
  readonly #events = new Map<number, RawEvent>();
  readonly #marker: RawEvent;
  #isBehindMarker = false;

  constructor(tables: EventTables, problems: LineProblems, layout: RawLayout, ids: EventIds) {
    this.#tables = tables;
    this.#problems = problems;
    this.#layout = layout;
    this.#ids = ids;
    this.rows = new EventRows(tables, problems);
    this.#comments = new CommentLines(tables.batch, problems);
    const name = this.#nameOf(MARKER);
    this.#marker = { name, kind: EventKind.marker, loss: undefined };
  }

  get entriesInBuffer(): number | undefined {
    return this.#comments.entriesInBuffer;
  }

  get entriesWritten(): number | undefined {
    return this.#comments.entriesWritten;
  }

  /** Each line is read once its end is known. */
  readEvent(): number {
    return -1;
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    const text = textOf(bytes, start, end);
    const found = this.#layout.line.exec(text);
    if (found !== null && this.#readEvent(found, bytes, start, end)) return;
    if (bytes[start] === HASH && (!this.#isBehindMarker || text.startsWith(BUFFER_STARTED))) {
      this.#comments.readHash(text.slice(0, MAX_COMMENT_BYTES), this.rows.timeNow());
    } else if (text.startsWith("CPU:") && this.#comments.readCpu(text, this.rows.timeNow())) {
      return;
    } else if (this.#isBehindMarker) {
      this.#problems.add("MARKER_CONTINUED", "after a marker", bytes, start, end);
    } else {
      this.unparsed += 1;
      this.#problems.add("UNPARSED_LINE", "no pid, CPU, time and type", bytes, start, end);
    }
  }

  /** False: a number is too large to be one. */
  #readEvent(found: RegExpExecArray, bytes: Uint8Array, start: number, end: number): boolean {
    const { radix } = this.#layout;
    const [, pidText = "", cpuText = "", time = "", type] = found;
    const pid = Number.parseInt(pidText, radix);
    const cpu = Number.parseInt(cpuText, radix);
    if (pid > MAX_PID || cpu > MAX_CPU) return false;
    const ns = BigInt(radix === 16 ? `0x${time}` : time);
    const row = this.rows.begin({
      pid,
      cpu,
      whole: Number(ns / NS_PER_SECOND),
      fractionNs: Number(ns % NS_PER_SECOND),
      isTicks: false,
      bodyStart: 0,
    });
    if (row < 0) return false;
    const event = type === undefined ? this.#marker : this.#eventOf(Number(type));
    this.#tables.batch.kind[row] = event.kind;
    if (event.loss !== undefined) {
      this.#problems.add("MISSING_ARGUMENT", event.loss, bytes, start, end);
    }
    if (this.#isBehindMarker) this.eventsBehindMarker += 1;
    this.rows.end(event.name);
    this.#isBehindMarker = type === undefined;
    return true;
  }

  #eventOf(type: number): RawEvent {
    const known = this.#events.get(type) ?? this.#describe(type);
    this.#events.set(type, known);
    return known;
  }

  #describe(type: number): RawEvent {
    const format = this.#ids.get(type);
    if (format === undefined) {
      if (type === PRINT_TYPE) return this.#marker;
      const loss = `the event type ${type} is not in ${this.#ids.origin}`;
      return { name: this.#nameOf(`type ${type}`), kind: EventKind.other, loss };
    }
    const name = this.#nameOf(format.name);
    if (format.fields.some((field) => field.name.startsWith("__probe_"))) {
      return { name, kind: EventKind.other, loss: `${format.name}: a probe without its arguments` };
    }
    if (name.stockText === "none") return { name, kind: name.stockKind, loss: undefined };
    return { name, kind: EventKind.other, loss: `${format.name}: without its arguments` };
  }

  #nameOf(text: string): EventName {
    const bytes = literal(text);
    let hash = 0;
    for (const byte of bytes) hash = (Math.imul(hash, 31) + byte) | 0;
    return this.rows.names.intern(bytes, 0, bytes.length, hash);
  }
}
