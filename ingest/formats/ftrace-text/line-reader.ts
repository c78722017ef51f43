import type { EventTables } from "../../events/tables.ts";
import { HASH, literal, matchesAt, SPACE, textOf } from "../bytes.ts";
import { CommentLines } from "./comment-lines.ts";
import { ContinuedText } from "./continued-text.ts";
import { EventLines } from "./event-lines.ts";
import type { EventRows } from "../text/event-rows.ts";
import { kernelPlacesWith } from "../text/probe-places.ts";
import type { LineProblems } from "../text/problems.ts";
import type { TextLines } from "../text/text-reader.ts";
import { FieldLines, FieldText } from "./field-lines.ts";
import type { TextLayout } from "./layout.ts";
import type { LineColumns } from "./line-columns.ts";
import { findPidDash, LineContext } from "./line-context.ts";
import { SplitComm } from "./split-comm.ts";

const BUFFER_STARTED = "##### CPU ";
const CPU_COLON = literal("CPU:");
/** One line of a stack trace, after its blank: ` => symbol`. */
const STACK_ARROW = literal("=> ");
/** A comment is decoded up to here; those that say something are far shorter. */
const MAX_COMMENT_BYTES = 256;
const NO_EVENT = "no event at the kernel's columns";

/**
 * Reads one line after the other. Each line is an event, a known comment, or a loss that is counted
 * with its place: there is no fourth case.
 */
export class LineReader implements TextLines {
  readonly #comments: CommentLines;
  readonly #events: EventLines;
  /** Lines that were neither event nor comment. */
  unparsed = 0;
  /** Events that stand right behind a marker's line, or another text of users: it may have printed them. */
  eventsBehindMarker = 0;
  readonly #context = new LineContext();
  readonly #problems: LineProblems;
  readonly #columns: LineColumns;
  readonly #leftTrimmed: boolean;
  readonly #quote: Uint8Array;
  readonly #fields: FieldLines | undefined;
  readonly #continued = new ContinuedText();
  readonly #splitComm: SplitComm;
  #afterMarker = false;
  /** Line of the last event. */
  #eventLine = 0;
  /** The next line is to be looked at more closely than a plain event's. */
  #isWatchful = false;

  /**
   * @param layout where it says that leading blanks were stripped from the whole file, the pid has no
   * fixed column. In any other file a line whose pid stands elsewhere is not the kernel's (a marker may
   * hold text that imitates an event) and is not taken for one.
   */
  constructor(tables: EventTables, problems: LineProblems, layout: TextLayout) {
    this.#problems = problems;
    this.#columns = layout.columns;
    this.#leftTrimmed = layout.leftTrimmed;
    this.#quote = layout.quote;
    this.#fields = layout.fields && new FieldLines(layout.fields);
    this.#splitComm = new SplitComm(layout.columns.commColumns);
    this.#comments = new CommentLines(tables.batch, problems);
    this.#events = new EventLines(
      tables,
      problems,
      layout.columns,
      kernelPlacesWith(layout.definitions),
    );
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
    if (this.#fields !== undefined || this.#quote.length > 0) return -1;
    if (!this.#columns.read(this.#context, bytes, start, fill)) return -1;
    if (this.#afterMarker || this.#isWatchful) return -1;
    const end = this.#events.readToLineEnd(this.#context, bytes, start, fill);
    if (end >= 0) {
      this.#afterMarker = this.#events.afterMarker;
      this.#eventLine = this.#problems.line;
    }
    return end;
  }

  /** Reads the line at `start`…`end` (line end excluded); its place is already in `problems`. */
  read(bytes: Uint8Array, start: number, end: number): void {
    const from = this.#behindQuote(bytes, start, end);
    if (this.#splitComm.isPending && this.#endSplitComm(bytes, from, end)) return;
    if (from < 0) {
      this.#giveUp("a line without the quote mark of the others", bytes, start, end);
    } else if (!this.#columns.read(this.#context, bytes, from, end)) {
      this.#readOther(bytes, from, end);
    } else if (this.#isBehindText() && this.#isTooOld()) {
      this.#giveUp("an event that is older than the text before it", bytes, from, end);
    } else if (!this.#readBody(bytes, end)) this.#readOther(bytes, from, end);
  }

  finish(): void {
    this.#giveUpSplitComm();
  }

  #noteEvent(): void {
    this.#afterMarker = this.#events.afterMarker;
    this.#isWatchful = false;
    this.#eventLine = this.#problems.line;
  }

  /** Whether this line stands behind text that a user wrote. */
  #isBehindText(): boolean {
    return this.#afterMarker || this.#continued.isBehind(this.#problems.line);
  }

  /**
   * Reads the line if it is the rest of an event whose comm holds a line end, or a further piece of that comm;
   * otherwise what was held is a loss.
   */
  #endSplitComm(bytes: Uint8Array, from: number, end: number): boolean {
    const split = this.#splitComm;
    if (from >= 0) {
      const place = split.placeIn(from);
      if (this.#columns.readBehindComm(this.#context, bytes, place, end)) {
        split.clear();
        if (this.#readBody(bytes, end)) return true;
      } else if (this.#hold(bytes, from, end)) return true;
    }
    this.#giveUpSplitComm();
    return false;
  }

  #hold(bytes: Uint8Array, from: number, end: number): boolean {
    const { line, byteOffset } = this.#problems;
    if (!this.#splitComm.hold(line, byteOffset, bytes, from, end)) return false;
    this.#isWatchful = true;
    return true;
  }

  #giveUpSplitComm(): void {
    const { line, byteOffset } = this.#problems;
    for (const held of this.#splitComm.held) {
      this.#problems.line = held.line;
      this.#problems.byteOffset = held.byteOffset;
      this.#giveUp(NO_EVENT, held.bytes, 0, held.bytes.length);
    }
    this.#splitComm.clear();
    this.#problems.line = line;
    this.#problems.byteOffset = byteOffset;
  }

  /**
   * A saved buffer is in the order of time (a pipe need not be): what stands behind a user's text and is
   * older was printed by it.
   */
  #isTooOld(): boolean {
    if (this.#comments.entriesInBuffer === undefined) return false;
    return this.rows.clock.relativeNs(this.#context) < this.rows.clock.lastNs;
  }

  /** Behind the mark that a mail program put before each line; -1 where a line has none. */
  #behindQuote(bytes: Uint8Array, start: number, end: number): number {
    const { length } = this.#quote;
    if (length === 0 || start === end) return start;
    // A mail program strips the blanks of an empty line.
    if (end - start < length) return matchesAt(bytes, start, this.#quote.subarray(0, 1)) ? end : -1;
    return matchesAt(bytes, start, this.#quote) ? start + length : -1;
  }

  /** Reads the event behind the context that has just been read; false: there is none. */
  #readBody(bytes: Uint8Array, end: number): boolean {
    const fields = this.#fields;
    if (fields === undefined) {
      if (!this.#events.read(this.#context, bytes, end)) return false;
      if (this.#isBehindText()) this.eventsBehindMarker += 1;
      this.#noteEvent();
      return true;
    }
    this.#afterMarker = false;
    this.#isWatchful = false;
    const outcome = fields.translate(bytes, this.#context.bodyStart, end);
    if (outcome === FieldText.asItIs) return this.#events.read(this.#context, bytes, end);
    if (outcome === FieldText.unusable) {
      this.#giveUp(fields.reason, bytes, this.#context.bodyStart, end);
      return true;
    }
    this.#context.bodyStart = 0;
    return this.#events.read(this.#context, fields.text, fields.length);
  }

  #readOther(bytes: Uint8Array, start: number, end: number): void {
    const isEmpty = start === end;
    const isHash = !isEmpty && bytes[start] === HASH;
    if (matchesAt(bytes, start, CPU_COLON)) {
      const text = textOf(bytes, start, Math.min(end, start + MAX_COMMENT_BYTES));
      if (this.#comments.readCpu(text.trimEnd(), this.#timeNow())) return;
    }
    const { line } = this.#problems;
    const isOpen = this.rows.afterOpenString;
    const isText =
      !this.#afterMarker && this.#continued.takes(line, this.#eventLine, isOpen, bytes, start, end);
    if (isHash) {
      const text = textOf(bytes, start, Math.min(end, start + MAX_COMMENT_BYTES));
      // A header stands before the events: behind a user's text it is part of it.
      if (text.startsWith(BUFFER_STARTED) || !(isText || this.#afterMarker)) {
        this.#comments.readHash(text, this.#timeNow());
        return;
      }
    }
    if (isText) {
      this.#isWatchful = true;
      if (!isEmpty) this.#problems.add("TEXT_CONTINUED", "after an event", bytes, start, end);
      return;
    }
    if (isEmpty) return;
    if (matchesAt(bytes, bytes[start] === SPACE ? start + 1 : start, STACK_ARROW)) return;
    const reason = this.#leftTrimmed ? this.#readLeftTrimmed(bytes, start, end) : NO_EVENT;
    if (reason === undefined) return;
    if (this.#afterMarker) {
      this.#problems.add("MARKER_CONTINUED", "after a marker", bytes, start, end);
      return;
    }
    if (this.#leftTrimmed || !this.#hold(bytes, start, end)) {
      this.#giveUp(reason, bytes, start, end);
    }
  }

  #giveUp(reason: string, bytes: Uint8Array, start: number, end: number): void {
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
    return this.#readBody(bytes, end) ? undefined : "no event after the time";
  }

  #timeNow(): number {
    return this.rows.timeNow();
  }
}
