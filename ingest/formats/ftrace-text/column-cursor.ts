import { COLON, HEX_VALUE, isDigit, SPACE, ZERO } from "../bytes.ts";
import type { LineContext } from "./line-context.ts";

const US_PER_SECOND = 1_000_000;

/**
 * Walks over the parts of a line's context. A part that does not stand where it should makes `ok` false
 * for good; so a layout is read part by part and asked once. No line end is ever walked over.
 */
export class ColumnCursor {
  ok = false;
  at = 0;
  #bytes: Uint8Array = new Uint8Array(0);

  start(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes;
    this.at = at;
    this.ok = true;
  }

  get byte(): number {
    return this.#bytes[this.at]!;
  }

  /** One or more blanks. */
  blanks(): void {
    if (this.byte !== SPACE) this.ok = false;
    while (this.byte === SPACE) this.at += 1;
  }

  /** The bytes of `expected`. */
  literal(expected: Uint8Array): void {
    for (const byte of expected) {
      if (this.byte !== byte) this.ok = false;
      if (this.ok) this.at += 1;
    }
  }

  /** Decimal digits, whose value must not be above `max`. */
  decimal(max: number): number {
    const from = this.at;
    let value = 0;
    while (isDigit(this.byte)) {
      value = value * 10 + (this.byte - ZERO);
      this.at += 1;
    }
    if (this.at === from || value > max) this.ok = false;
    return value;
  }

  /** Hexadecimal digits without a prefix, at least `minDigits`; the value must be exact in a double. */
  hexadecimal(minDigits: number): number {
    const from = this.at;
    let value = 0;
    while (HEX_VALUE[this.byte]! <= 15) {
      value = value * 16 + HEX_VALUE[this.byte]!;
      this.at += 1;
    }
    if (this.at - from < minDigits || value > Number.MAX_SAFE_INTEGER) this.ok = false;
    return value;
  }

  /** As many bytes of a class as there are, from `min` to `max` of them; gives how many. */
  letters(isOne: Uint8Array, min: number, max: number): number {
    const from = this.at;
    while (isOne[this.byte] === 1) this.at += 1;
    const count = this.at - from;
    if (count < min || count > max) this.ok = false;
    return count;
  }

  /** The colon behind the time and the blank before the event's own text; true: all parts were there. */
  endContext(context: LineContext, end: number): boolean {
    const colon = this.at;
    if (!this.ok || colon >= end || this.byte !== COLON) return false;
    const next = colon + 1;
    if (next < end && this.#bytes[next] !== SPACE) return false;
    context.bodyStart = next < end ? next + 1 : end;
    return true;
  }
}

/** Gives a context a time in µs, exactly: as seconds and a fraction. */
export function putMicroseconds(context: LineContext, us: number): void {
  const seconds = Math.floor(us / US_PER_SECOND);
  context.whole = seconds;
  context.fractionNs = (us - seconds * US_PER_SECOND) * 1000;
  context.isTicks = false;
}

/** Gives a context a time in ticks of a clock that prints bare integers. */
export function putTicks(context: LineContext, ticks: number): void {
  context.whole = ticks;
  context.fractionNs = 0;
  context.isTicks = true;
}
