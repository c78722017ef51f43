import type { EventBatch } from "../../events/columns.ts";
import type { EventTables } from "../../events/tables.ts";
import { UNKNOWN_CPU } from "../../events/kinds.ts";
import { HASH, literal, matchesAt, SPACE, textOf } from "../bytes.ts";
import { EventRows } from "../text/event-rows.ts";
import { addLostRow } from "../text/lost-row.ts";
import type { ProbePlaces } from "../text/probe-places.ts";
import type { LineProblems } from "../text/problems.ts";
import type { TextLines } from "../text/text-reader.ts";
import { type CommColumn, isOfGuest, readContextOf } from "./comm-column.ts";
import { endOfEventName, PerfContext } from "./perf-context.ts";

const TAB = 9;
/** perf's own records, which `--show-lost-events` and its kin print between the events. */
const RECORD = literal("PERF_RECORD_");
const LOST_RECORD = /^PERF_RECORD_LOST(?:_SAMPLES)?\b.*?\blost (\d+)/;
/** perf's last words, where its messages were saved with the text. */
const LOST_CHUNKS = /\blost (\d+) chunks\b/;
/** Other lines are decoded up to here; those that say something are far shorter. */
const MAX_OTHER_BYTES = 256;

/**
 * Reads one line of `perf script` after the other. Each is an event, a known other line, or a loss that
 * is counted with its place.
 */
export class PerfLines implements TextLines {
  readonly rows: EventRows;
  readonly entriesInBuffer = undefined;
  readonly entriesWritten = undefined;
  unparsed = 0;
  readonly #context = new PerfContext();
  readonly #batch: EventBatch;
  readonly #problems: LineProblems;
  readonly #column: CommColumn;

  constructor(
    tables: EventTables,
    problems: LineProblems,
    places: ProbePlaces,
    column: CommColumn,
  ) {
    this.#batch = tables.batch;
    this.#problems = problems;
    this.#column = column;
    this.rows = new EventRows(tables, problems, places);
  }

  /** Each line is read once its end is known. */
  readEvent(): number {
    return -1;
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    // A line of a call chain begins with a tab, and an empty one ends the chain.
    if (start === end || bytes[start] === TAB) return;
    if (this.#readEvent(bytes, start, end)) return;
    this.#readOther(bytes, start, end);
  }

  #readEvent(bytes: Uint8Array, start: number, end: number): boolean {
    const context = this.#context;
    if (!readContextOf(this.#column, context, bytes, start, end)) return false;
    const nameFrom = context.bodyStart;
    if (this.#readRecord(bytes, nameFrom, end)) return true;
    const nameEnd = endOfEventName(bytes, nameFrom, end);
    if (nameEnd < 0) return false;
    let hash = 0;
    for (let at = nameFrom; at < nameEnd; at += 1) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    const name = this.rows.names.intern(bytes, nameFrom, nameEnd, hash);
    let textFrom = nameEnd + 1;
    while (textFrom < end && bytes[textFrom] === SPACE) textFrom += 1;
    return this.rows.read(context, name, bytes, textFrom, end);
  }

  /** A record of perf's own in the place of an event. */
  #readRecord(bytes: Uint8Array, from: number, end: number): boolean {
    if (from + RECORD.length > end || !matchesAt(bytes, from, RECORD)) return false;
    const lost = LOST_RECORD.exec(textOf(bytes, from, Math.min(end, from + MAX_OTHER_BYTES)));
    if (lost !== null) this.#noteLoss(this.#context.cpu, Number(lost[1]));
    return true;
  }

  #readOther(bytes: Uint8Array, start: number, end: number): void {
    if (bytes[start] === HASH) return;
    const chunks = LOST_CHUNKS.exec(textOf(bytes, start, Math.min(end, start + MAX_OTHER_BYTES)));
    if (chunks !== null) {
      this.#noteLoss(undefined, Number.NaN);
      return;
    }
    if (this.rows.afterMarker || this.rows.afterOpenString) {
      this.#problems.add("MARKER_CONTINUED", "after a marker", bytes, start, end);
      return;
    }
    this.unparsed += 1;
    const reason = isOfGuest(bytes, start, end)
      ? "an event of a guest's own kernel"
      : "no event with task and time";
    this.#problems.add("UNPARSED_LINE", reason, bytes, start, end);
  }

  #noteLoss(cpu: number | undefined, count: number): void {
    const known = !Number.isNaN(count);
    const where = cpu === undefined || cpu === UNKNOWN_CPU ? "some CPU" : `CPU ${cpu}`;
    const detail = known ? `${count} events` : "it is not known how many";
    this.#problems.note("EVENTS_LOST", `${where}: ${detail}`, known ? count : 1);
    addLostRow(this.#batch, cpu ?? UNKNOWN_CPU, count, this.rows.timeNow(), this.#problems.line);
  }
}
