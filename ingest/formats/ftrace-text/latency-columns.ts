import { DASH, IS_FLAG, literal, NEWLINE, SPACE } from "../bytes.ts";
import { MAX_CPU, MAX_EXACT, MAX_PID } from "../text/context-fields.ts";
import { ColumnCursor, putMicroseconds, putTicks } from "./column-cursor.ts";
import type { LineColumns } from "./line-columns.ts";
import { type LineContext, PID_DASH_COLUMN } from "./line-context.ts";

/** The comm is cut to 8 bytes, so the `-` before the pid is byte 8 whatever the comm holds. */
const DASH_COLUMN = 8;
const LETTER_U = 117;
const MICROSECONDS = literal("us");
const MILLISECONDS = literal("ms");
const POINT = literal(".");
const OPEN_BRACKET = literal("[");
const CLOSE_BRACKET = literal("]");
const OPEN_DELTA = literal("(+");
const CLOSE_DELTA = literal(")");
const BEFORE_PID = literal("-");

/** How the kernel marks a long delay behind the time; a blank where it is none. */
const IS_DELAY_MARK: Uint8Array = classOf(" +!#*@$");
/** Of `(+79.221ms)`: nothing uses the delay, it only has to be one. */
const IS_DELTA: Uint8Array = classOf("0123456789.-ms");

/**
 * The latency format: the CPU glued to the flags, then µs since the start of the buffer with a mark of
 * the delay, `kvm_page-599       0d.... 11776668us!: `; or ticks without a mark.
 *
 * A comm may begin with `#` here, in column 0: such a line is an event although it looks like a comment.
 */
export class LatencyColumns implements LineColumns {
  readonly commColumns: number = DASH_COLUMN;
  readonly #cursor = new ColumnCursor();

  read(context: LineContext, bytes: Uint8Array, start: number, end: number): boolean {
    const dash = start + DASH_COLUMN;
    if (dash + 1 >= end || bytes[dash] !== DASH) return false;
    if (holdsLineEnd(bytes, start, dash)) return false;
    return this.readBehindComm(context, bytes, dash, end);
  }

  readBehindComm(context: LineContext, bytes: Uint8Array, from: number, end: number): boolean {
    const cursor = this.#cursor;
    cursor.start(bytes, from);
    cursor.literal(BEFORE_PID);
    context.pid = cursor.decimal(MAX_PID);
    cursor.blanks();
    context.cpu = cursor.decimal(MAX_CPU);
    context.flagLetters = cursor.letters(IS_FLAG, 4, 8);
    context.hasTgid = false;
    cursor.blanks();
    const time = cursor.decimal(MAX_EXACT);
    if (cursor.byte === LETTER_U) {
      cursor.literal(MICROSECONDS);
      cursor.letters(IS_DELAY_MARK, 1, 1);
      putMicroseconds(context, time);
    } else {
      putTicks(context, time);
    }
    return cursor.endContext(context, end);
  }
}

/**
 * The latency format with the option verbose: comm in 16, pid, CPU, flags, preempt count, number of the
 * entry, `[absolute time]` in hexadecimal, then the time since the start of the buffer and the delay:
 * `               g   21535   1 1 00000001 00000000 [b301381a] 68.776ms (+0.002ms): `.
 *
 * The absolute time, in µs or ticks, is the one that the default layout prints.
 */
export class VerboseLatencyColumns implements LineColumns {
  readonly commColumns: number = PID_DASH_COLUMN;
  readonly #cursor = new ColumnCursor();

  read(context: LineContext, bytes: Uint8Array, start: number, end: number): boolean {
    const afterComm = start + PID_DASH_COLUMN;
    if (afterComm + 1 >= end || bytes[afterComm] !== SPACE) return false;
    if (holdsLineEnd(bytes, start, afterComm)) return false;
    return this.readBehindComm(context, bytes, afterComm, end);
  }

  readBehindComm(context: LineContext, bytes: Uint8Array, from: number, end: number): boolean {
    const cursor = this.#cursor;
    cursor.start(bytes, from);
    cursor.blanks();
    context.pid = cursor.decimal(MAX_PID);
    cursor.blanks();
    context.cpu = cursor.decimal(MAX_CPU);
    cursor.blanks();
    cursor.decimal(MAX_PID); // flags
    cursor.blanks();
    cursor.hexadecimal(8); // preempt count
    cursor.blanks();
    cursor.hexadecimal(8); // number of the entry
    cursor.blanks();
    cursor.literal(OPEN_BRACKET);
    const time = cursor.hexadecimal(8);
    cursor.literal(CLOSE_BRACKET);
    context.flagLetters = 0;
    context.hasTgid = false;
    if (readDelay(cursor)) putMicroseconds(context, time);
    else putTicks(context, time);
    return cursor.endContext(context, end);
  }
}

/** ` 68.776ms (+0.002ms)` or, in ticks, ` 245813556 (+31668)`. True: in milliseconds. */
function readDelay(cursor: ColumnCursor): boolean {
  cursor.blanks();
  cursor.decimal(MAX_EXACT);
  const inMilliseconds = cursor.byte !== SPACE;
  if (inMilliseconds) {
    cursor.literal(POINT);
    cursor.decimal(999);
    cursor.literal(MILLISECONDS);
  }
  cursor.blanks();
  cursor.literal(OPEN_DELTA);
  cursor.letters(IS_DELTA, 1, 32);
  cursor.literal(CLOSE_DELTA);
  return inMilliseconds;
}

function holdsLineEnd(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) {
    if (bytes[at] === NEWLINE) return true;
  }
  return false;
}

function classOf(members: string): Uint8Array {
  const isMember = new Uint8Array(256);
  for (const byte of Buffer.from(members)) isMember[byte] = 1;
  return isMember;
}
