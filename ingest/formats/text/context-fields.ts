import { BRACKET_CLOSE, COLON, DOT, isDigit, SPACE, ZERO } from "../bytes.ts";

/** Times beyond this (seconds or ticks) would not be exact. */
export const MAX_EXACT: number = Number.MAX_SAFE_INTEGER;
export const MAX_PID = 0x7fffffff;
export const MAX_CPU = 0xfffe;

/** When an event happened, as its line prints it. */
export interface EventTime {
  /** Seconds, or ticks where the clock prints bare integers. */
  readonly whole: number;
  readonly fractionNs: number;
  readonly isTicks: boolean;
}

/** The part of a line before the event's own text. */
export interface EventContext extends EventTime {
  readonly pid: number;
  readonly cpu: number;
  /** Where the event's own text, its name included, begins. */
  readonly bodyStart: number;
}

/** The fields that every text format has in some order, and how each is read. */
export class ContextFields implements EventContext {
  pid = 0;
  cpu = 0;
  whole = 0;
  fractionNs = 0;
  isTicks = false;
  bodyStart = 0;
  /** Where the decimals of the time begin, unless it is in ticks. */
  protected fractionFrom = 0;

  /** Digits of a pid; gives where they end, or -1. */
  protected readPid(bytes: Uint8Array, from: number): number {
    let at = from;
    let pid = 0;
    while (isDigit(bytes[at]!)) {
      pid = pid * 10 + (bytes[at]! - ZERO);
      at += 1;
    }
    if (at === from || pid > MAX_PID) return -1;
    this.pid = pid;
    return at;
  }

  /** Digits of a CPU number; gives where they end, or -1. */
  protected readCpu(bytes: Uint8Array, from: number): number {
    let at = from;
    let cpu = 0;
    while (isDigit(bytes[at]!)) {
      cpu = cpu * 10 + (bytes[at]! - ZERO);
      at += 1;
    }
    if (at === from || cpu > MAX_CPU) return -1;
    this.cpu = cpu;
    return at;
  }

  /** `[000]`, `from` being behind the bracket that opens; gives the place behind it, or -1. */
  protected readBracketedCpu(bytes: Uint8Array, from: number): number {
    const close = this.readCpu(bytes, from);
    return close >= 0 && bytes[close] === BRACKET_CLOSE ? close + 1 : -1;
  }

  /** `secs.usecs`, `secs.nsecs` or bare ticks, blanks before it; gives the place of the colon. */
  protected readTime(bytes: Uint8Array, from: number): number {
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
    this.fractionFrom = fractionStart;
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
