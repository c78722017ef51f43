import { DASH, DOT, IS_FLAG, isDigit, literal, matchesAt, PAREN_CLOSE, SPACE } from "../bytes.ts";
import { ContextFields, MAX_EXACT } from "../text/context-fields.ts";

/** Columns that a trace of function_graph has, by its options. */
export interface GraphLayout {
  /** `absolute`: seconds of the trace clock; `relative`: microseconds from the buffer's start. */
  readonly time: "absolute" | "relative" | "none";
  readonly hasCpu: boolean;
  /** The task of each line, funcgraph-proc. */
  readonly hasProc: boolean;
  /** Flag letters, in the latency format. */
  readonly hasFlags: boolean;
  readonly hasDuration: boolean;
}

const BAR = literal(" | ");
const TIME_END = literal(" |  ");
const RELATIVE_END = literal(" us |  ");
const DURATION_END = literal("|  ");
const MICROSECONDS = literal(" us ");
const NO_DURATION_BLANKS = 14;
const MAX_DURATION_DIGITS = 15;
/** The task's column: a comm of at most 7 bytes, centred with its pid in 14; a long pid widens it. */
export const PROC_WIDTH = 14;
const MAX_PROC_WIDTH = 19;
const MARKS = literal(" +!#*@$");
const US_DECIMALS = 3;

/** Reads the columns of a line of function_graph up to its function. */
export class GraphColumns extends ContextFields {
  /** Of the call that ends in this line, in ns; -1 where it has none. */
  durationNs = -1;
  readonly #layout: GraphLayout;

  constructor(layout: GraphLayout) {
    super();
    this.#layout = layout;
  }

  /** False: the line has not these columns. `bodyStart` is the function's indentation. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    const { time, hasCpu, hasProc, hasFlags, hasDuration } = this.#layout;
    let at = start;
    this.durationNs = -1;
    if (time === "absolute") at = this.#readAbsolute(bytes, at);
    else if (time === "relative") at = this.#readRelative(bytes, at);
    if (at >= 0 && hasCpu) at = this.#readCpuColumn(bytes, at);
    if (at >= 0 && hasProc) at = this.#readProc(bytes, at, end);
    if (at >= 0 && hasFlags) at = readFlags(bytes, at);
    if (at >= 0 && hasDuration) at = this.#readDuration(bytes, at);
    this.bodyStart = at;
    return at >= 0 && at < end;
  }

  /** `%5lu.%06lu |  `. */
  #readAbsolute(bytes: Uint8Array, from: number): number {
    const first = skipBlanks(bytes, from);
    const point = endOfDigits(bytes, first);
    const to = point + 7;
    if (point === first || bytes[point] !== DOT || endOfDigits(bytes, point + 1) !== to) return -1;
    this.whole = numberAt(bytes, first, point);
    this.fractionNs = numberAt(bytes, point + 1, to) * 1000;
    if (this.whole > MAX_EXACT || !matchesAt(bytes, to, TIME_END)) return -1;
    return to + TIME_END.length;
  }

  /** `%9llu us |  `. */
  #readRelative(bytes: Uint8Array, from: number): number {
    const first = skipBlanks(bytes, from);
    const to = endOfDigits(bytes, first);
    if (to === first || !matchesAt(bytes, to, RELATIVE_END)) return -1;
    const us = numberAt(bytes, first, to);
    if (us > MAX_EXACT) return -1;
    this.whole = Math.floor(us / 1e6);
    this.fractionNs = (us % 1e6) * 1000;
    return to + RELATIVE_END.length;
  }

  /** ` 0) `; older kernels and mails have it without the first blank. */
  #readCpuColumn(bytes: Uint8Array, from: number): number {
    const to = this.readCpu(bytes, skipBlanks(bytes, from));
    return to >= 0 && bytes[to] === PAREN_CLOSE && bytes[to + 1] === SPACE ? to + 2 : -1;
  }

  /** `    sh-4802     | `: as the comm may hold anything, the bar must stand where the column ends. */
  #readProc(bytes: Uint8Array, from: number, end: number): number {
    for (let width = PROC_WIDTH; width <= MAX_PROC_WIDTH; width += 1) {
      const to = from + width;
      if (to + BAR.length > end || !matchesAt(bytes, to, BAR)) continue;
      const pid = readTask(bytes, from, to);
      if (pid < 0) continue;
      this.pid = pid;
      return to + BAR.length;
    }
    return -1;
  }

  #readDuration(bytes: Uint8Array, from: number): number {
    const behind = from + NO_DURATION_BLANKS;
    if (skipBlanks(bytes, from) === behind && matchesAt(bytes, behind, DURATION_END)) {
      return behind + DURATION_END.length;
    }
    if (!MARKS.includes(bytes[from]!) || bytes[from + 1] !== SPACE) return -1;
    const first = skipBlanks(bytes, from + 2);
    const point = endOfDigits(bytes, first);
    if (point === first || point - first > MAX_DURATION_DIGITS) return -1;
    let to = point;
    let fraction = 0;
    if (bytes[point] === DOT) {
      to = endOfDigits(bytes, point + 1);
      const decimals = to - point - 1;
      // The kernel cuts decimals of long durations.
      if (decimals < 1 || decimals > US_DECIMALS) return -1;
      fraction = numberAt(bytes, point + 1, to) * 10 ** (US_DECIMALS - decimals);
    }
    if (!matchesAt(bytes, to, MICROSECONDS)) return -1;
    const bar = skipBlanks(bytes, to + MICROSECONDS.length);
    if (!matchesAt(bytes, bar, DURATION_END)) return -1;
    this.durationNs = numberAt(bytes, first, point) * 1000 + fraction;
    return bar + DURATION_END.length;
  }
}

/** Pid of a task's column, `  comm-123  `; -1 where there is none. */
export function readTask(bytes: Uint8Array, from: number, to: number): number {
  let end = to;
  while (end > from && bytes[end - 1] === SPACE) end -= 1;
  let first = end;
  while (first > from && isDigit(bytes[first - 1]!)) first -= 1;
  if (first === end || bytes[first - 1] !== DASH || first - 1 <= from) return -1;
  const pid = numberAt(bytes, first, end);
  return pid > 0x7fffffff ? -1 : pid;
}

/** ` d..1. | `. */
function readFlags(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== SPACE) return -1;
  let at = from + 1;
  while (IS_FLAG[bytes[at]!] === 1) at += 1;
  const letters = at - from - 1;
  return letters >= 4 && letters <= 8 && matchesAt(bytes, at, BAR) ? at + BAR.length : -1;
}

function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === SPACE) at += 1;
  return at;
}

function endOfDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isDigit(bytes[at]!)) at += 1;
  return at;
}

function numberAt(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + (bytes[at]! - 48);
  return value;
}
