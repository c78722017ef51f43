import type { EventBatch } from "../../events/columns.ts";
import { EventKind } from "../../events/kinds.ts";
import { clearRow } from "../../events/rows.ts";
import type { EventTables } from "../../events/tables.ts";
import { CARRIAGE_RETURN, COLON, LESS, PAREN_OPEN, SPACE } from "../bytes.ts";
import { lineEndFrom } from "../words.ts";
import type { EventName } from "../text/event-names.ts";
import { EventRows } from "../text/event-rows.ts";
import { MAX_LINE_BYTES } from "../text/line-splitter.ts";
import type { ProbePlaces } from "../text/probe-places.ts";
import type { LineProblems } from "../text/problems.ts";
import type { LineColumns } from "./line-columns.ts";
import type { LineContext } from "./line-context.ts";

const GREATER = 62;
const MAX_NAME_BYTES = 512;

/** Turns event lines into rows: the context, then the name, then the event's own text. */
export class EventLines {
  readonly rows: EventRows;
  readonly #batch: EventBatch;
  readonly #columns: LineColumns;

  constructor(
    tables: EventTables,
    problems: LineProblems,
    columns: LineColumns,
    places: ProbePlaces,
  ) {
    this.#batch = tables.batch;
    this.#columns = columns;
    this.rows = new EventRows(tables, problems, undefined, places);
  }

  /** Whether the last event was free text, which the next line may continue. */
  get afterMarker(): boolean {
    return this.rows.afterMarker;
  }

  /**
   * Reads the event whose context has just been read. False: there is no event here, and nothing
   * has been counted or written.
   */
  read(context: LineContext, bytes: Uint8Array, end: number): boolean {
    const nameFrom = context.bodyStart;
    let at = nameFrom;
    let hash = 0;
    for (; at < end; at += 1) {
      const byte = bytes[at]!;
      if (byte === COLON || byte <= SPACE) break;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    if (at >= end || bytes[at] !== COLON) {
      return bytes[nameFrom] === LESS && this.#readPseudoEvent(context, bytes, nameFrom, end);
    }
    if (at === nameFrom || at - nameFrom > MAX_NAME_BYTES) return false;
    const textFrom = at + 1 < end && bytes[at + 1] === SPACE ? at + 2 : at + 1;
    // Names are interned before the row is sure: only rows count them.
    const name = this.rows.names.intern(bytes, nameFrom, at, hash);
    return this.#readText(context, name, bytes, textFrom, end);
  }

  /**
   * Reads the event whose context has just been read, in a line that begins at `start` and whose end is
   * not yet known; the bytes end at `fill`, where a line end stands guard. Gives the line end, or -1
   * where that is not in the bytes or this is no plain event: nothing has been counted or written then.
   */
  readToLineEnd(context: LineContext, bytes: Uint8Array, start: number, fill: number): number {
    const nameFrom = context.bodyStart;
    const name = this.rows.names.recall(bytes, nameFrom) ?? this.#readName(bytes, nameFrom);
    if (name === undefined) return -1;
    const from = nameFrom + name.label.length;
    if (bytes[from] === PAREN_OPEN) {
      const end = this.#readLikeLast(context, name, bytes, from, start, fill);
      if (end >= 0) return end;
    }
    const newline = lineEndFrom(bytes, from);
    if (newline >= fill || newline - start > MAX_LINE_BYTES) return -1;
    const end = bytes[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    return this.#readText(context, name, bytes, from, end) ? newline : -1;
  }

  /** The name at `from`, behind which a colon and a blank stand; undefined where there is none. */
  #readName(bytes: Uint8Array, from: number): EventName | undefined {
    let at = from;
    let hash = 0;
    let byte = bytes[at]!;
    while (byte !== COLON && byte > SPACE) {
      hash = (Math.imul(hash, 31) + byte) | 0;
      at += 1;
      byte = bytes[at]!;
    }
    if (byte !== COLON || bytes[at + 1] !== SPACE || at === from) return undefined;
    if (at - from > MAX_NAME_BYTES) return undefined;
    const { names } = this.rows;
    const name = names.intern(bytes, from, at, hash);
    names.remember(bytes, from, name);
    return name;
  }

  #readLikeLast(
    context: LineContext,
    name: EventName,
    bytes: Uint8Array,
    from: number,
    start: number,
    fill: number,
  ): number {
    const { rows } = this;
    const row = rows.begin(context);
    if (row < 0) return -1;
    const end = rows.probes.readLikeLast(name, bytes, from, fill, this.#batch, row);
    if (end < 0) return -1;
    if (end >= fill || end - start > MAX_LINE_BYTES) {
      clearRow(this.#batch, row);
      return -1;
    }
    rows.end(name);
    return end;
  }

  /** `<stack trace>`: an entry of the ring buffer without a colon. */
  #readPseudoEvent(context: LineContext, bytes: Uint8Array, from: number, end: number): boolean {
    if (bytes[end - 1] !== GREATER || end - from > MAX_NAME_BYTES) return false;
    let hash = 0;
    for (let at = from; at < end; at += 1) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    if (this.rows.begin(context) < 0) return false;
    this.rows.end(this.rows.names.intern(bytes, from, end, hash));
    return true;
  }

  #readText(
    context: LineContext,
    name: EventName,
    bytes: Uint8Array,
    from: number,
    end: number,
  ): boolean {
    const row = this.#batch.length;
    if (!this.rows.read(context, name, bytes, from, end)) return false;
    const isStock = this.#batch.length > row && name.stockKind === EventKind.other;
    if (isStock && bytes[from] !== PAREN_OPEN) this.#readChained(context, bytes, from, end);
    return true;
  }

  /**
   * Some kernels print an event with no text and no newline, so that the next event stands in the same
   * line: there a whole context begins where the text should.
   */
  #readChained(context: LineContext, bytes: Uint8Array, from: number, end: number): void {
    if (from < end && this.#columns.read(context, bytes, from, end)) this.read(context, bytes, end);
  }
}
