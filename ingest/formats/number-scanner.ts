import { DASH, HEX_VALUE, LETTER_X, ZERO } from "./bytes.ts";

const TWO_32 = 4294967296;
/** Largest high half of a number that a double holds exactly (2^53 - 1). */
const MAX_EXACT_HIGH = 0x1fffff;

/**
 * Reads printed 64-bit numbers exactly, as two 32-bit halves (signed here, so that they stay small
 * integers in the engine; `>>> 0` makes them unsigned).
 */
export class NumberScanner {
  high = 0;
  low = 0;

  /**
   * Number at `from`, base by its `0x`, with an optional minus sign (two's complement then).
   * @returns where it ends, or -1 where no number that fits 64 bits begins.
   */
  scan(bytes: Uint8Array, from: number, end: number): number {
    if (bytes[from] === ZERO && bytes[from + 1] === LETTER_X) {
      return this.scanHex(bytes, from + 2, end);
    }
    if (bytes[from] !== DASH) return this.scanDecimal(bytes, from, end);
    const stop = this.scanDecimal(bytes, from + 1, end);
    const fits = this.high >= 0 || (this.high === -0x80000000 && this.low === 0);
    if (!fits) return -1;
    this.high = (~this.high + (this.low === 0 ? 1 : 0)) | 0;
    this.low = -this.low | 0;
    return stop;
  }

  /** Hexadecimal digits without a prefix. */
  scanHex(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    let first = 0;
    const firstEnd = from + 8 < end ? from + 8 : end;
    for (; at < firstEnd; at += 1) {
      const digit = HEX_VALUE[bytes[at]!]!;
      if (digit > 15) break;
      first = (first << 4) | digit;
    }
    this.high = 0;
    this.low = first;
    if (at !== from + 8) return at === from ? -1 : at;
    let second = 0;
    const secondEnd = from + 16 < end ? from + 16 : end;
    for (; at < secondEnd; at += 1) {
      const digit = HEX_VALUE[bytes[at]!]!;
      if (digit > 15) break;
      second = (second << 4) | digit;
    }
    const bits = (at - from - 8) << 2;
    if (bits === 0) return at;
    if (at < end && HEX_VALUE[bytes[at]!]! <= 15) return -1;
    // A shift by 32 is a shift by 0 in JavaScript, hence the case of 16 digits.
    this.high = bits === 32 ? first : first >>> (32 - bits);
    this.low = bits === 32 ? second : (first << bits) | second;
    return at;
  }

  /** Decimal digits. */
  scanDecimal(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    let high = 0;
    let low = 0;
    for (; at < end; at += 1) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      if (at - from < 9) {
        low = low * 10 + digit;
        continue;
      }
      const wide = low * 10 + digit;
      high = high * 10 + Math.floor(wide / TWO_32);
      low = wide % TWO_32;
      if (high >= TWO_32) return -1;
    }
    this.high = high | 0;
    this.low = low | 0;
    return at === from ? -1 : at;
  }

  /** The last number as an exact, non-negative quantity; NaN where a double cannot hold it. */
  quantity(): number {
    const high = this.high >>> 0;
    return high > MAX_EXACT_HIGH ? Number.NaN : high * TWO_32 + (this.low >>> 0);
  }
}
