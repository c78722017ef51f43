import {
  BRACKET_OPEN,
  DASH,
  IS_FLAG,
  isDigit,
  LETTER_X,
  PAREN_CLOSE,
  PAREN_OPEN,
  SPACE,
  ZERO,
} from "../bytes.ts";
import { ContextFields } from "../text/context-fields.ts";

/** The `-` before the pid stands behind a comm of 16 columns, or of 8 with `-l`. */
export const REPORT_DASH_COLUMN = 16;
export const LATENCY_DASH_COLUMN = 8;

/** `-1 [000] 1.000001: ` and a name cannot be shorter than this. */
const SHORTEST_CONTEXT = 12;
const PLUS = 43;

/**
 * The part of a line of `trace-cmd report` before the event's name: pid, CPU and time.
 *
 * `comm-pid [cpu] [flags] time: [(+difference)] ` where the flags are letters (trace-cmd 3.2 and later),
 * `-0x24` with `-R`, or absent; with `-l` the CPU has no brackets and the flags follow it at once.
 */
export class ReportContext extends ContextFields {
  /** Letters of the flags column; 0 where there is none. */
  flagLetters = 0;
  hasNumericFlags = false;
  isLatency = false;
  hasDifference = false;
  /** 6, 9, or 0 where the clock prints bare integers. */
  decimals = 0;

  /** Reads the context of a line whose `-` before the pid is at `dash`. False: there is none there. */
  read(bytes: Uint8Array, dash: number, end: number): boolean {
    if (end - dash < SHORTEST_CONTEXT || bytes[dash] !== DASH) return false;
    const afterPid = this.readPid(bytes, dash + 1);
    if (afterPid < 0 || bytes[afterPid] !== SPACE) return false;
    let at = afterPid;
    while (bytes[at] === SPACE) at += 1;
    this.isLatency = bytes[at] !== BRACKET_OPEN;
    at = this.isLatency ? this.readCpu(bytes, at) : this.readBracketedCpu(bytes, at + 1);
    if (at < 0) return false;
    at = this.#readFlags(bytes, at);
    if (at < 0) return false;
    const colon = this.readTime(bytes, at);
    if (colon < 0 || colon + 1 >= end || bytes[colon + 1] !== SPACE) return false;
    this.#noteDecimals(bytes, colon);
    this.bodyStart = this.#skipDifference(bytes, colon + 1, end);
    return true;
  }

  /** Letters, a hexadecimal number or nothing; gives the place behind them. */
  #readFlags(bytes: Uint8Array, from: number): number {
    this.flagLetters = 0;
    this.hasNumericFlags = false;
    if (bytes[from] === DASH) {
      if (bytes[from + 1] !== ZERO || bytes[from + 2] !== LETTER_X) return -1;
      let at = from + 3;
      while (IS_FLAG[bytes[at]!] === 1) at += 1;
      this.hasNumericFlags = true;
      return bytes[at] === SPACE ? at : -1;
    }
    const blank = bytes[from] === SPACE;
    // Without brackets the letters stand right behind the CPU; with them a blank is between.
    const first = blank && !this.isLatency ? from + 1 : from;
    // The time may stand right behind the bracket; the first letter (irqs) is never a digit.
    if (bytes[first] === SPACE || isDigit(bytes[first]!)) return first;
    let at = first;
    while (IS_FLAG[bytes[at]!] === 1) at += 1;
    const letters = at - first;
    if (letters < 4 || letters > 8 || bytes[at] !== SPACE) return -1;
    this.flagLetters = letters;
    return at;
  }

  #noteDecimals(bytes: Uint8Array, colon: number): void {
    let at = colon;
    if (!this.isTicks) while (isDigit(bytes[at - 1]!)) at -= 1;
    this.decimals = colon - at;
  }

  /** `--ts-diff` puts `(+5395)`, or as many blanks, before the name; gives where the name begins. */
  #skipDifference(bytes: Uint8Array, from: number, end: number): number {
    let at = skipBlanks(bytes, from, end);
    this.hasDifference = at - from > 1;
    if (bytes[at] !== PAREN_OPEN || bytes[at + 1] !== PLUS) return at;
    let digit = at + 2;
    while (isDigit(bytes[digit]!)) digit += 1;
    if (bytes[digit] !== PAREN_CLOSE || bytes[digit + 1] !== SPACE) return at;
    this.hasDifference = true;
    at = skipBlanks(bytes, digit + 1, end);
    return at;
  }
}

function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] === SPACE) at += 1;
  return at;
}
