import type { EventBatch } from "../../events/columns.ts";
import type { EventTables } from "../../events/tables.ts";
import { COLON, NEWLINE, SPACE, textOf } from "../bytes.ts";
import { EventRows } from "../text/event-rows.ts";
import { addLostRow } from "../text/lost-row.ts";
import type { ProbePlaces } from "../text/probe-places.ts";
import type { LineProblems } from "../text/problems.ts";
import type { TextLines } from "../text/text-reader.ts";
import { RECORD_PLACE, type ReportSurvey } from "./layout.ts";
import { ReportContext } from "./report-context.ts";

/** `CPU:0 [EVENTS DROPPED]`, `CPU:1 [15051 EVENTS DROPPED]`. */
const DROPPED = /^CPU:(\d+) \[(?:(\d+) )?EVENTS DROPPED\]$/;
/** What a report says beside its events, and a line of a stack trace. */
const SAID =
  /^(?:cpus=\d+|version = \d+|CPU \d+ is empty|CPU:\d+ \[SUBBUFFER START\].*|TIME EXTEND: .*|=> .*)$/;
/** Other lines are decoded up to here; those that say something are far shorter. */
const MAX_OTHER_BYTES = 256;
/** The place of a record is shorter than this. */
const MAX_PLACE_BYTES = 48;

/**
 * Reads one line of a report after the other. Each is an event, a known other line, or a loss that is
 * counted with its place.
 */
export class ReportLines implements TextLines {
  readonly rows: EventRows;
  readonly entriesInBuffer = undefined;
  readonly entriesWritten = undefined;
  unparsed = 0;
  readonly #context = new ReportContext();
  readonly #batch: EventBatch;
  readonly #problems: LineProblems;
  readonly #columns: ReportSurvey;
  /** The line after a loss has no prefix: the loss has it. */
  #afterLoss = false;

  constructor(
    tables: EventTables,
    problems: LineProblems,
    places: ProbePlaces,
    columns: ReportSurvey,
  ) {
    this.#batch = tables.batch;
    this.#problems = problems;
    this.#columns = columns;
    this.rows = new EventRows(tables, problems, places);
  }

  /** Each line is read once its end is known. */
  readEvent(): number {
    return -1;
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    const place = this.#columns.hasPlaces ? beforePlace(bytes, start, end) : end;
    if (place === end) {
      this.#readLine(bytes, start, end);
      return;
    }
    // What reads a line relies on a line end behind it.
    const behind = bytes[place]!;
    bytes[place] = NEWLINE;
    this.#readLine(bytes, start, place);
    bytes[place] = behind;
  }

  #readLine(bytes: Uint8Array, start: number, end: number): void {
    const { dash, prefix } = this.#columns;
    const afterLoss = this.#afterLoss;
    this.#afterLoss = false;
    if (this.#readEventAt(bytes, start + dash, end)) return;
    if (afterLoss && prefix > 0 && this.#readEventAt(bytes, start + dash - prefix, end)) return;
    this.#readOther(bytes, start, end);
  }

  #readEventAt(bytes: Uint8Array, dash: number, end: number): boolean {
    const context = this.#context;
    if (!context.read(bytes, dash, end)) return false;
    const nameFrom = context.bodyStart;
    let at = nameFrom;
    let hash = 0;
    for (; at < end; at += 1) {
      const byte = bytes[at]!;
      if (byte === COLON || byte <= SPACE) break;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    if (at >= end || at === nameFrom || bytes[at] !== COLON) return false;
    const name = this.rows.names.intern(bytes, nameFrom, at, hash);
    let textFrom = at + 1;
    while (textFrom < end && bytes[textFrom] === SPACE) textFrom += 1;
    return this.rows.read(context, name, bytes, textFrom, end);
  }

  #readOther(bytes: Uint8Array, start: number, end: number): void {
    const whole = textOf(bytes, start, Math.min(end, start + MAX_OTHER_BYTES)).trimEnd();
    const { prefix } = this.#columns;
    for (const text of prefix > 0 ? [whole, whole.slice(prefix)] : [whole]) {
      const dropped = DROPPED.exec(text);
      if (dropped !== null) {
        this.#noteLoss(
          Number(dropped[1]),
          dropped[2] === undefined ? Number.NaN : Number(dropped[2]),
        );
        return;
      }
      if (SAID.test(text.trimStart())) return;
    }
    if (this.rows.afterMarker || this.rows.afterOpenString) {
      this.#problems.add("MARKER_CONTINUED", "after a marker", bytes, start, end);
      return;
    }
    this.unparsed += 1;
    this.#problems.add("UNPARSED_LINE", "no event at the report's columns", bytes, start, end);
  }

  #noteLoss(cpu: number, count: number): void {
    this.#afterLoss = true;
    const known = !Number.isNaN(count);
    const detail = known ? `${count} events` : "it is not known how many";
    this.#problems.note("EVENTS_LOST", `CPU ${cpu}: ${detail}`, known ? count : 1);
    addLostRow(this.#batch, cpu, count, this.rows.timeNow(), this.#problems.line);
  }
}

/** Where the text of a line ends that may end in the place of its record. */
function beforePlace(bytes: Uint8Array, start: number, end: number): number {
  const from = Math.max(start, end - MAX_PLACE_BYTES);
  const place = RECORD_PLACE.exec(textOf(bytes, from, end));
  return place === null ? end : from + place.index;
}
