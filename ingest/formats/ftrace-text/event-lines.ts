import type { EventBatch } from "../../events/columns.ts";
import { EventKind } from "../../events/kinds.ts";
import type { PointerTable } from "../../events/pointers.ts";
import { clearRow } from "../../events/rows.ts";
import { CARRIAGE_RETURN, COLON, LESS, literal, NEWLINE, PAREN_OPEN, SPACE } from "../bytes.ts";
import { type EventName, EventNames } from "./event-names.ts";
import type { LineColumns } from "./line-columns.ts";
import type { LineContext } from "./line-context.ts";
import { ProbeLine, ProbeLines } from "./probe-lines.ts";
import type { LineProblems } from "./problems.ts";
import { StockText } from "./stock-text.ts";
import { TraceClock } from "./trace-clock.ts";

const GREATER = 62;
const UNDERSCORE = 95;
const MAX_NAME_BYTES = 512;
/** Longest line that is read, in bytes without its end. */
export const MAX_LINE_BYTES: number = 64 * 1024;
/** What the `fields` option prints in place of a probe's location. */
const PROBE_FIELDS = literal("__probe_");

/** Turns event lines into rows: the context, then the name, then the event's own text. */
export class EventLines {
  readonly clock: TraceClock;
  /** Event lines so far. */
  events = 0;
  /** Whether the last event was free text, which the next line may continue. */
  afterMarker = false;
  readonly #names = new EventNames();
  readonly #probes: ProbeLines;
  readonly #stock = new StockText();
  readonly #batch: EventBatch;
  readonly #problems: LineProblems;
  readonly #columns: LineColumns;

  constructor(
    batch: EventBatch,
    pointers: PointerTable,
    problems: LineProblems,
    columns: LineColumns,
  ) {
    this.#batch = batch;
    this.#columns = columns;
    this.#problems = problems;
    this.#probes = new ProbeLines(pointers, problems);
    this.clock = new TraceClock(problems);
  }

  get eventsByName(): ReadonlyMap<string, number> {
    return this.#names.counts();
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
    const name = this.#names.intern(bytes, nameFrom, at, hash);
    return this.#readText(context, name, bytes, textFrom, end);
  }

  /**
   * Reads the event whose context has just been read, in a line that begins at `start` and whose end is
   * not yet known; the bytes end at `fill`, where a line end stands guard. Gives the line end, or -1
   * where that is not in the bytes or this is no plain event: nothing has been counted or written then.
   */
  readToLineEnd(context: LineContext, bytes: Uint8Array, start: number, fill: number): number {
    const nameFrom = context.bodyStart;
    let at = nameFrom;
    let hash = 0;
    let byte = bytes[at]!;
    while (byte !== COLON && byte > SPACE) {
      hash = (Math.imul(hash, 31) + byte) | 0;
      at += 1;
      byte = bytes[at]!;
    }
    if (byte !== COLON || bytes[at + 1] !== SPACE || at === nameFrom) return -1;
    if (at - nameFrom > MAX_NAME_BYTES) return -1;
    const from = at + 2;
    const name = this.#names.intern(bytes, nameFrom, at, hash);
    if (bytes[from] === PAREN_OPEN) {
      const end = this.#readLikeLast(context, name, bytes, from, start, fill);
      if (end >= 0) return end;
    }
    const newline = bytes.indexOf(NEWLINE, from);
    if (newline >= fill || newline - start > MAX_LINE_BYTES) return -1;
    const end = bytes[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    return this.#readText(context, name, bytes, from, end) ? newline : -1;
  }

  #readLikeLast(
    context: LineContext,
    name: EventName,
    bytes: Uint8Array,
    from: number,
    start: number,
    fill: number,
  ): number {
    const row = this.#beginRow(context);
    if (row < 0) return -1;
    const end = this.#probes.readLikeLast(name, bytes, from, fill, this.#batch, row);
    if (end < 0) return -1;
    if (end >= fill || end - start > MAX_LINE_BYTES) {
      clearRow(this.#batch, row);
      return -1;
    }
    this.#endRow(name);
    return end;
  }

  /** `<stack trace>`: an entry of the ring buffer without a colon. */
  #readPseudoEvent(context: LineContext, bytes: Uint8Array, from: number, end: number): boolean {
    if (bytes[end - 1] !== GREATER || end - from > MAX_NAME_BYTES) return false;
    let hash = 0;
    for (let at = from; at < end; at += 1) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    const row = this.#beginRow(context);
    if (row < 0) return false;
    this.#endRow(this.#names.intern(bytes, from, end, hash));
    return true;
  }

  #readText(
    context: LineContext,
    name: EventName,
    bytes: Uint8Array,
    from: number,
    end: number,
  ): boolean {
    const row = this.#beginRow(context);
    if (row < 0) return false;
    if (bytes[from] === PAREN_OPEN && from < end && !name.isFreeText) {
      const outcome = this.#probes.read(name, bytes, from, end, this.#batch, row);
      if (outcome === ProbeLine.event) {
        this.#endRow(name);
        return true;
      }
      if (outcome === ProbeLine.lost) {
        clearRow(this.#batch, row);
        return true;
      }
    }
    return this.#readStock(context, name, bytes, from, end, row);
  }

  #readStock(
    context: LineContext,
    name: EventName,
    bytes: Uint8Array,
    from: number,
    end: number,
    row: number,
  ): boolean {
    const batch = this.#batch;
    if (bytes[from] === UNDERSCORE && !name.isFreeText && isProbeFields(bytes, from, end)) {
      const reason = "a probe printed with the `fields` option, without its function";
      this.#problems.add("UNPARSED_LINE", reason, bytes, from, end);
      return true;
    }
    batch.kind[row] = name.stockKind;
    if (
      name.stockText !== "none" &&
      !this.#stock.read(name.stockText, bytes, from, end, batch, row)
    ) {
      clearRow(batch, row);
      batch.kind[row] = EventKind.other;
      const reason = `${name.name}: a text of another form than this tracepoint has`;
      this.#problems.add("MISSING_ARGUMENT", reason, bytes, from, end);
    }
    this.#endRow(name);
    if (name.stockKind === EventKind.other) this.#readChained(context, bytes, from, end);
    return true;
  }

  /**
   * Some kernels print an event with no text and no newline, so that the next event stands in the same
   * line: there a whole context begins where the text should.
   */
  #readChained(context: LineContext, bytes: Uint8Array, from: number, end: number): void {
    if (from < end && this.#columns.read(context, bytes, from, end)) this.read(context, bytes, end);
  }

  /** Fills the columns that every row has; -1 where the time cannot be used. */
  #beginRow(context: LineContext): number {
    const tsNs = this.clock.relativeNs(context);
    if (tsNs !== tsNs) return -1;
    const batch = this.#batch;
    const row = batch.length;
    batch.cpu[row] = context.cpu;
    batch.pid[row] = context.pid;
    batch.tsNs[row] = tsNs;
    batch.line[row] = this.#problems.line;
    batch.kind[row] = EventKind.other;
    return row;
  }

  #endRow(name: EventName): void {
    const batch = this.#batch;
    const row = batch.length;
    name.count += 1;
    this.events += 1;
    this.afterMarker = batch.kind[row] === EventKind.marker;
    this.clock.accept(batch.tsNs[row]!);
    batch.length = row + 1;
  }
}

function isProbeFields(bytes: Uint8Array, from: number, end: number): boolean {
  if (from + PROBE_FIELDS.length > end) return false;
  return PROBE_FIELDS.every((byte, i) => bytes[from + i] === byte);
}
