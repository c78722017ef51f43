import { EQUALS, isDigit, literal, matchesAt, NEWLINE, SPACE } from "../bytes.ts";
import { endOfValue } from "../text/value-end.ts";
import { ContextFields, MAX_EXACT } from "../text/context-fields.ts";
import type { LineTemplate, TemplateField } from "./line-template.ts";

const NS_DECIMALS = 9;
/** A task's name in the kernel. */
export const MAX_COMM_BYTES = 15;

/** A part as the matcher needs it. */
interface Part {
  readonly kind: "text" | "blank" | TemplateField;
  readonly bytes: Uint8Array;
  readonly width: number;
}

/** Finds the values of an event in a line by a template. */
export class TemplateLine extends ContextFields {
  eventFrom = 0;
  eventTo = 0;
  /** From the blank before the first argument; empty where there is none. */
  argsFrom = 0;
  argsTo = 0;
  commBytes = 0;
  readonly #parts: readonly Part[];

  constructor(template: LineTemplate) {
    super();
    this.#parts = template.parts.map((part) => ({
      kind: part.kind === "field" ? part.field : part.kind,
      bytes: literal(part.kind === "text" ? part.text : ""),
      width: part.kind === "field" ? (part.width ?? 0) : 0,
    }));
  }

  /** False: the line is not of this template, or could be read by it in several ways. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.argsFrom = end;
    this.argsTo = end;
    return this.#readFrom(0, bytes, start, end);
  }

  #readFrom(first: number, bytes: Uint8Array, start: number, end: number): boolean {
    let at = start;
    for (let i = first; i < this.#parts.length; i += 1) {
      const part = this.#parts[i]!;
      if (part.kind === "comm" && part.width === 0) return this.#readComm(i, bytes, at, end);
      at = this.#readPart(part, this.#parts[i + 1], bytes, at, end);
      if (at < 0) return false;
    }
    while (at < end && bytes[at] === SPACE) at += 1;
    return at === end;
  }

  /** A name of unknown length: whatever it holds, what follows it must be found at one place only. */
  #readComm(i: number, bytes: Uint8Array, from: number, end: number): boolean {
    if (i === this.#parts.length - 1) {
      this.commBytes = end - from;
      return true;
    }
    let found = -1;
    const last = Math.min(end, from + MAX_COMM_BYTES);
    for (let at = from; at <= last; at += 1) {
      if (!this.#readFrom(i + 1, bytes, at, end)) continue;
      if (found >= 0) return false;
      found = at;
    }
    this.commBytes = found - from;
    return found >= 0 && this.#readFrom(i + 1, bytes, found, end);
  }

  /** Gives where the part ends, or -1. */
  #readPart(
    part: Part,
    next: Part | undefined,
    bytes: Uint8Array,
    from: number,
    end: number,
  ): number {
    switch (part.kind) {
      case "text":
        return from + part.bytes.length <= end && matchesAt(bytes, from, part.bytes)
          ? from + part.bytes.length
          : -1;
      case "blank":
        return this.#readBlank(next, bytes, from, end);
      case "ts_ns":
        return this.#readNanoseconds(bytes, skipBlanks(bytes, from, end), end);
      case "ts_s":
        return this.#readSeconds(bytes, skipBlanks(bytes, from, end), end);
      case "cpu":
        return within(this.readCpu(bytes, skipBlanks(bytes, from, end)), end);
      case "pid":
        return within(this.readPid(bytes, skipBlanks(bytes, from, end)), end);
      case "tgid":
        return endOfDigits(bytes, skipBlanks(bytes, from, end), end);
      case "event":
        this.eventFrom = from;
        this.eventTo = endOfWord(next, bytes, from, end);
        return this.eventTo > from ? this.eventTo : -1;
      case "args":
        return this.#readArgs(bytes, from, end);
      case "comm":
        this.commBytes = part.width;
        return within(from + part.width, end);
      case "skip": {
        const to = endOfWord(next, bytes, from, end);
        return to > from ? to : -1;
      }
      default:
        return part.kind satisfies never;
    }
  }

  /** One blank or more; before the arguments there may be none, as there may be no arguments. */
  #readBlank(next: Part | undefined, bytes: Uint8Array, from: number, end: number): number {
    const to = skipBlanks(bytes, from, end);
    // The arguments begin with the last blank.
    if (next?.kind === "args") return to > from && to < end ? to - 1 : to;
    return to > from ? to : -1;
  }

  #readArgs(bytes: Uint8Array, from: number, end: number): number {
    this.argsFrom = from;
    let at = from;
    while (at < end && bytes[at] === SPACE) {
      const equals = endOfName(bytes, at + 1, end);
      if (equals < 0) break;
      at = endOfValue(bytes, equals + 1, end);
    }
    this.argsTo = at;
    return at;
  }

  #readNanoseconds(bytes: Uint8Array, from: number, end: number): number {
    const to = endOfDigits(bytes, from, end);
    if (to < 0) return -1;
    const point = Math.max(from, to - NS_DECIMALS);
    this.whole = numberAt(bytes, from, point);
    this.fractionNs = numberAt(bytes, point, to);
    this.isTicks = false;
    return this.whole > MAX_EXACT ? -1 : to;
  }

  #readSeconds(bytes: Uint8Array, from: number, end: number): number {
    const point = endOfDigits(bytes, from, end);
    if (point < 0) return -1;
    this.whole = numberAt(bytes, from, point);
    this.fractionNs = 0;
    this.isTicks = false;
    if (this.whole > MAX_EXACT) return -1;
    if (point === end || bytes[point] !== DOT) return point;
    const to = endOfDigits(bytes, point + 1, end);
    const decimals = to - point - 1;
    if (to < 0 || decimals > NS_DECIMALS) return -1;
    this.fractionNs = numberAt(bytes, point + 1, to) * 10 ** (NS_DECIMALS - decimals);
    return to;
  }
}

const DOT = 46;

function within(at: number, end: number): number {
  return at <= end ? at : -1;
}

function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] === SPACE) at += 1;
  return at;
}

/** -1 where there is no digit. */
function endOfDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isDigit(bytes[at]!)) at += 1;
  return at > from ? at : -1;
}

/** Exact up to 15 digits; what is longer comes out above MAX_EXACT. */
function numberAt(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + (bytes[at]! - 48);
  return value;
}

/** Where the `=` behind a name stands; -1 where there is no name with one. */
function endOfName(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isNameByte(bytes[at]!)) at += 1;
  return at > from && at < end && bytes[at] === EQUALS ? at : -1;
}

function isNameByte(byte: number): boolean {
  const letter = byte | 32;
  return (letter >= 97 && letter <= 122) || isDigit(byte) || byte === 95;
}

/** A word ends at a blank, or where the text that the template has behind it stands last in it. */
function endOfWord(next: Part | undefined, bytes: Uint8Array, from: number, end: number): number {
  let to = from;
  while (to < end && bytes[to] !== SPACE && bytes[to] !== NEWLINE) to += 1;
  if (next?.kind !== "text") return to;
  for (let at = to - next.bytes.length; at > from; at -= 1) {
    if (matchesAt(bytes, at, next.bytes)) return at;
  }
  return -1;
}
