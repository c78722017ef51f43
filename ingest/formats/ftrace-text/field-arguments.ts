import {
  APOSTROPHE,
  DASH,
  EQUALS,
  HEX_VALUE,
  isDigit,
  LETTER_X,
  PAREN_CLOSE,
  PAREN_OPEN,
  SPACE,
  ZERO,
} from "../bytes.ts";

/**
 * One ` name=value` as the `fields` option prints it: `size=0x1000 (4096)`, one byte as `resched=(1)`
 * or, where it is printable, as `c='a'(97)`.
 */
export class FieldArgument {
  nameFrom = 0;
  nameEnd = 0;
  /** The number to use: hexadecimal with 0x, or the decimal digits of one byte. */
  valueFrom = 0;
  valueEnd = 0;
  /** Of one byte: its sign is not printed. */
  isByte = false;
  /** Where the argument ends. */
  end = 0;

  /** False: no name, or a value of another kind (text has no end that could be told). */
  read(bytes: Uint8Array, from: number, end: number): boolean {
    let at = from;
    while (bytes[at]! > SPACE && bytes[at] !== EQUALS) at += 1;
    if (at === from || at >= end || bytes[at] !== EQUALS) return false;
    this.nameFrom = from;
    this.nameEnd = at;
    this.isByte = !(bytes[at + 1] === ZERO && bytes[at + 2] === LETTER_X);
    const stop = this.isByte ? this.#readByte(bytes, at + 1) : this.#readWord(bytes, at + 1);
    if (stop < 0 || stop > end || (stop < end && bytes[stop] !== SPACE)) return false;
    this.end = stop;
    return true;
  }

  #readWord(bytes: Uint8Array, from: number): number {
    let at = from + 2;
    while (HEX_VALUE[bytes[at]!]! <= 15) at += 1;
    if (at === from + 2 || bytes[at] !== SPACE) return -1;
    this.valueFrom = from;
    this.valueEnd = at;
    return endOfDecimal(bytes, at + 1);
  }

  #readByte(bytes: Uint8Array, from: number): number {
    const isPrintable = bytes[from] === APOSTROPHE && bytes[from + 2] === APOSTROPHE;
    const open = isPrintable ? from + 3 : from;
    const stop = endOfDecimal(bytes, open);
    this.valueFrom = open + 1;
    this.valueEnd = stop - 1;
    return stop;
  }
}

/** Behind `(123)` or `(-123)` at `from`; -1 where it is not one. */
function endOfDecimal(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== PAREN_OPEN) return -1;
  const first = bytes[from + 1] === DASH ? from + 2 : from + 1;
  let at = first;
  while (isDigit(bytes[at]!)) at += 1;
  return at > first && bytes[at] === PAREN_CLOSE ? at + 1 : -1;
}
