import {
  BRACKET_CLOSE,
  BRACKET_OPEN,
  COLON,
  DASH,
  DOT,
  IS_FLAG,
  isDigit,
  PAREN_CLOSE,
  PAREN_OPEN,
  SPACE,
  ZERO,
} from "../bytes.ts";

/**
 * A comm has at most 15 bytes and is right-aligned in 16, so byte 16 of each line that the kernel wrote
 * is the `-` before the pid, whatever the comm holds.
 */
export const PID_DASH_COLUMN = 16;

/** `-1 [000] 1.000001: ` and a name cannot be shorter than this. */
const SHORTEST_CONTEXT = 12;
/** Times beyond this (seconds or ticks) would not be exact. */
export const MAX_EXACT: number = Number.MAX_SAFE_INTEGER;
export const MAX_PID = 0x7fffffff;
export const MAX_CPU = 0xfffe;

/**
 * The part of a line before the event's own text: pid, CPU and time.
 *
 * `comm-pid [(tgid)] [cpu] [flags] time: ` with widths that are minima.
 */
export class LineContext {
  pid = 0;
  cpu = 0;
  /** Seconds, or ticks where the clock prints bare integers. */
  whole = 0;
  fractionNs = 0;
  isTicks = false;
  /** Letters of the irq-info column; 0 where there is none. */
  flagLetters = 0;
  hasTgid = false;
  /** Where the event's own text begins. */
  bodyStart = 0;

  /** Reads the context of a line whose `-` before the pid is at `dash`. False: there is none there. */
  read(bytes: Uint8Array, dash: number, end: number): boolean {
    if (end - dash < SHORTEST_CONTEXT || bytes[dash] !== DASH) return false;
    const afterPid = this.#readPid(bytes, dash + 1);
    if (afterPid < 0) return false;
    const afterCpu = this.#readCpu(bytes, afterPid);
    if (afterCpu < 0) return false;
    const afterFlags = this.#readFlags(bytes, afterCpu);
    if (afterFlags < 0) return false;
    const colon = this.#readTime(bytes, afterFlags);
    if (colon < 0 || colon >= end) return false;
    const next = colon + 1;
    if (next < end && bytes[next] !== SPACE) return false;
    this.bodyStart = next < end ? next + 1 : end;
    return true;
  }

  /** Pid, blanks and the TGID column if there is one; gives the place of `[`. */
  #readPid(bytes: Uint8Array, from: number): number {
    let at = from;
    let pid = 0;
    while (isDigit(bytes[at]!)) {
      pid = pid * 10 + (bytes[at]! - ZERO);
      at += 1;
    }
    if (at === from || pid > MAX_PID || bytes[at] !== SPACE) return -1;
    while (bytes[at] === SPACE) at += 1;
    this.pid = pid;
    this.hasTgid = bytes[at] === PAREN_OPEN;
    if (!this.hasTgid) return at;
    // `(  12591)`, or `(-------)` where the group is not known.
    at += 1;
    while (bytes[at] === SPACE || bytes[at] === DASH || isDigit(bytes[at]!)) at += 1;
    return bytes[at] === PAREN_CLOSE && bytes[at + 1] === SPACE ? at + 2 : -1;
  }

  /** `[000] `; gives the place after the blank. */
  #readCpu(bytes: Uint8Array, from: number): number {
    if (bytes[from] !== BRACKET_OPEN) return -1;
    let at = from + 1;
    let cpu = 0;
    while (isDigit(bytes[at]!)) {
      cpu = cpu * 10 + (bytes[at]! - ZERO);
      at += 1;
    }
    if (at === from + 1 || cpu > MAX_CPU) return -1;
    if (bytes[at] !== BRACKET_CLOSE || bytes[at + 1] !== SPACE) return -1;
    this.cpu = cpu;
    return at + 2;
  }

  /** The irq-info letters if there are any; gives the place of the first blank or digit after them. */
  #readFlags(bytes: Uint8Array, from: number): number {
    this.flagLetters = 0;
    // Without irq-info a blank pads the time; the first letter (irqs) is never a digit.
    if (bytes[from] === SPACE || isDigit(bytes[from]!)) return from;
    let at = from;
    while (IS_FLAG[bytes[at]!] === 1) at += 1;
    const letters = at - from;
    if (letters < 4 || letters > 8 || bytes[at] !== SPACE) return -1;
    this.flagLetters = letters;
    return at;
  }

  /** `secs.usecs`, `secs.nsecs` or bare ticks; gives the place of the colon. */
  #readTime(bytes: Uint8Array, from: number): number {
    let at = from;
    while (bytes[at] === SPACE) at += 1;
    const first = at;
    let whole = 0;
    while (isDigit(bytes[at]!)) {
      whole = whole * 10 + (bytes[at]! - ZERO);
      at += 1;
    }
    if (at === first || whole > MAX_EXACT) return -1;
    this.whole = whole;
    this.fractionNs = 0;
    this.isTicks = bytes[at] !== DOT;
    if (this.isTicks) return bytes[at] === COLON ? at : -1;
    const fractionStart = at + 1;
    at = fractionStart;
    let fraction = 0;
    while (isDigit(bytes[at]!) && at - fractionStart < 10) {
      fraction = fraction * 10 + (bytes[at]! - ZERO);
      at += 1;
    }
    const decimals = at - fractionStart;
    if (bytes[at] !== COLON || (decimals !== 6 && decimals !== 9)) return -1;
    this.fractionNs = decimals === 6 ? fraction * 1000 : fraction;
    return at;
  }
}

/**
 * Place of the `-` before the pid in a line whose leading blanks were stripped (mail, web pages):
 * the only place at which a whole context can be read. -1 where there is none, -2 where there are
 * several and the comm or the text imitates one.
 */
export function findPidDash(
  context: LineContext,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let found = -1;
  for (let at = start; at < end; at += 1) {
    if (bytes[at] !== DASH || !isDigit(bytes[at + 1]!)) continue;
    if (!context.read(bytes, at, end)) continue;
    if (found >= 0) return -2;
    found = at;
  }
  return found;
}
