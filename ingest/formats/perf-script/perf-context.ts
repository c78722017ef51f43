import { UNKNOWN_CPU } from "../../events/kinds.ts";
import { BRACKET_OPEN, COLON, isDigit, literal, SPACE } from "../bytes.ts";
import { ContextFields } from "../text/context-fields.ts";

const SLASH = 47;
/** `-F +misc`: what kind of code the CPU was in, and what a record of perf's own is about. */
const MISC_LETTERS = literal("KUHGgMEDS");
const MAX_MISC = 6;

/**
 * The part of a line of `perf script` between the comm and the event: task, CPU and time.
 *
 * `[pid/]tid [cpu] [misc] time: [period] group:name: ` where CPU, misc and period are there as `-F` says. perf
 * prints its fields in this order, whatever the order in `-F`.
 */
export class PerfContext extends ContextFields {
  /** Process and thread are both printed. */
  hasBothIds = false;
  hasCpu = false;
  isNanoseconds = false;

  /**
   * Reads the context that begins at `from` (blanks first). False: there is none there. `bodyStart` is
   * the event's name then, or what stands in its place.
   */
  read(bytes: Uint8Array, from: number, end: number): boolean {
    let at = this.#readTask(bytes, skipBlanks(bytes, from, end));
    if (at < 0 || bytes[at] !== SPACE) return false;
    at = skipBlanks(bytes, at, end);
    this.hasCpu = bytes[at] === BRACKET_OPEN;
    if (this.hasCpu) {
      at = this.readBracketedCpu(bytes, at + 1);
      if (at < 0 || bytes[at] !== SPACE) return false;
    } else {
      this.cpu = UNKNOWN_CPU;
    }
    const colon = this.readTime(bytes, skipMisc(bytes, skipBlanks(bytes, at, end), end));
    if (colon < 0 || colon + 1 >= end || bytes[colon + 1] !== SPACE || this.isTicks) return false;
    this.isNanoseconds = isDigit(bytes[colon - 7]!);
    at = skipBlanks(bytes, colon + 1, end);
    this.bodyStart = skipPeriod(bytes, at, end);
    return this.bodyStart < end;
  }

  /** `tid` or `pid/tid`: the thread is the task. */
  #readTask(bytes: Uint8Array, from: number): number {
    const afterFirst = this.readPid(bytes, from);
    this.hasBothIds = afterFirst >= 0 && bytes[afterFirst] === SLASH;
    return this.hasBothIds ? this.readPid(bytes, afterFirst + 1) : afterFirst;
  }
}

/** Where the name that begins at `from` ends, its last colon left out; -1: there is no event. */
export function endOfEventName(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at]! > SPACE) at += 1;
  return at - 1 > from && bytes[at - 1] === COLON ? at - 1 : -1;
}

function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] === SPACE) at += 1;
  return at;
}

/** Behind the letters of `-F +misc`, where a word of them stands at `from`. */
function skipMisc(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && at - from <= MAX_MISC && MISC_LETTERS.includes(bytes[at]!)) at += 1;
  return bytes[at] === SPACE ? at : from;
}

/** `-F +period` prints a number before the event. */
function skipPeriod(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isDigit(bytes[at]!)) at += 1;
  return at > from && bytes[at] === SPACE ? skipBlanks(bytes, at, end) : from;
}
