import type { EventBatch } from "../../events/columns.ts";
import type { PointerTable } from "../../events/pointers.ts";
import { DASH, HASH, isDigit, literal, matchesAt, NEWLINE, SPACE, textOf } from "../bytes.ts";
import { CommentLines } from "./comment-lines.ts";
import { EventLines } from "./event-lines.ts";
import { findPidDash, LineContext, PID_DASH_COLUMN } from "./line-context.ts";
import type { EventRows } from "../text/event-rows.ts";
import type { LineProblems } from "../text/problems.ts";
import type { TextLines } from "../text/text-reader.ts";

const CPU_COLON = literal("CPU:");
/** One line of a stack trace, after its blank: ` => symbol`. */
const STACK_ARROW = literal("=> ");
/** A comment is decoded up to here; those that say something are far shorter. */
const MAX_COMMENT_BYTES = 256;

/**
 * Reads one line after the other. Each line is an event, a known comment, or a loss that is counted
 * with its place: there is no fourth case.
 */
export class LineReader implements TextLines {
  readonly #comments: CommentLines;
  readonly #events: EventLines;
  /** Lines that were neither event nor comment. */
  unparsed = 0;
  readonly #context = new LineContext();
  readonly #problems: LineProblems;
  readonly #leftTrimmed: boolean;
  #afterMarker = false;

  /**
   * @param leftTrimmed leading blanks were stripped from the whole file, so the pid has no fixed column.
   * In any other file a line whose pid stands elsewhere is not the kernel's (a marker may hold text that
   * imitates an event) and is not taken for one.
   */
  constructor(
    batch: EventBatch,
    pointers: PointerTable,
    problems: LineProblems,
    leftTrimmed: boolean,
  ) {
    this.#problems = problems;
    this.#leftTrimmed = leftTrimmed;
    this.#comments = new CommentLines(batch, problems);
    this.#events = new EventLines(batch, pointers, problems);
  }

  get rows(): EventRows {
    return this.#events.rows;
  }

  get entriesInBuffer(): number | undefined {
    return this.#comments.entriesInBuffer;
  }

  get entriesWritten(): number | undefined {
    return this.#comments.entriesWritten;
  }

  /**
   * Reads the line at `start` if it is a plain event, without searching its end first. Gives the line
   * end, or -1: nothing has been read then, and `read` is to be used once the end is known.
   * @param fill where the bytes end; a line end stands there as a guard.
   */
  readEvent(bytes: Uint8Array, start: number, fill: number): number {
    const column = start + PID_DASH_COLUMN;
    if (column + 1 >= fill || bytes[column] !== DASH || bytes[start] === HASH) return -1;
    // A line that ends before the column must not lend its place to the next line's event.
    for (let at = start; at < column; at += 1) {
      if (bytes[at] === NEWLINE) return -1;
    }
    if (!this.#context.read(bytes, column, fill)) return -1;
    const end = this.#events.readToLineEnd(this.#context, bytes, start, fill);
    if (end >= 0) this.#afterMarker = this.#events.afterMarker;
    return end;
  }

  /** Reads the line at `start`…`end` (line end excluded); its place is already in `problems`. */
  read(bytes: Uint8Array, start: number, end: number): void {
    const column = start + PID_DASH_COLUMN;
    if (
      column + 1 < end &&
      bytes[column] === DASH &&
      isDigit(bytes[column + 1]!) &&
      bytes[start] !== HASH
    ) {
      if (this.#context.read(bytes, column, end) && this.#events.read(this.#context, bytes, end)) {
        this.#afterMarker = this.#events.afterMarker;
        return;
      }
    }
    this.#readOther(bytes, start, end);
  }

  #readOther(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    const first = bytes[start]!;
    if (first === HASH) {
      const text = textOf(bytes, start, Math.min(end, start + MAX_COMMENT_BYTES));
      this.#comments.readHash(text, this.#timeNow());
      return;
    }
    if (matchesAt(bytes, start, CPU_COLON)) {
      const text = textOf(bytes, start, Math.min(end, start + MAX_COMMENT_BYTES));
      if (this.#comments.readCpu(text.trimEnd(), this.#timeNow())) return;
    }
    if (matchesAt(bytes, first === SPACE ? start + 1 : start, STACK_ARROW)) return;
    const reason = this.#leftTrimmed
      ? this.#readLeftTrimmed(bytes, start, end)
      : "no event at the kernel's columns";
    if (reason === undefined) return;
    if (this.#afterMarker) {
      this.#problems.add("MARKER_CONTINUED", "after a marker", bytes, start, end);
      return;
    }
    this.unparsed += 1;
    this.#problems.add("UNPARSED_LINE", reason, bytes, start, end);
  }

  /** Undefined: it was an event; otherwise why not. */
  #readLeftTrimmed(bytes: Uint8Array, start: number, end: number): string | undefined {
    const dash = findPidDash(this.#context, bytes, start, end);
    if (dash === -1) return "no pid, CPU and time";
    if (dash === -2) return "pid, CPU and time could be read at more than one place";
    // The search went on behind the place it found.
    this.#context.read(bytes, dash, end);
    if (!this.#events.read(this.#context, bytes, end)) return "no event after the time";
    this.#afterMarker = this.#events.afterMarker;
    return undefined;
  }

  #timeNow(): number {
    return this.rows.timeNow();
  }
}
