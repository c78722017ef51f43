import { HEX_VALUE, NEWLINE, SPACE } from "../bytes.ts";
import { latin1 } from "./byte-reader.ts";

/** A function and how far into it an address lies, in bytes. */
export interface Symbol {
  readonly name: string;
  readonly offset: number;
}

const TWO_32 = 4294967296;
/** Farther behind the last symbol below it, an address belongs to none. */
const MAX_OFFSET = 16 * 1024 * 1024;

/**
 * The kernel's symbols, from lines `address type name [module]`. Addresses are kept as numbers, names
 * stay bytes until they are asked for.
 */
export class Symbols {
  readonly #text: Uint8Array;
  #high: Uint32Array;
  #low: Uint32Array;
  #nameAt: Uint32Array;
  #count = 0;
  /** Lines that are no symbol. */
  badLines = 0;

  constructor(text: Uint8Array) {
    this.#text = text;
    const room = Math.ceil(text.length / 32) + 16;
    this.#high = new Uint32Array(room);
    this.#low = new Uint32Array(room);
    this.#nameAt = new Uint32Array(room);
    let at = 0;
    while (at < text.length) {
      const newline = text.indexOf(NEWLINE, at);
      const end = newline < 0 ? text.length : newline;
      this.#addLine(at, end);
      at = end + 1;
    }
  }

  get count(): number {
    return this.#count;
  }

  /** The symbol that an address lies in; of several at one address the first, as the kernel does. */
  lookup(high: number, low: number): Symbol | undefined {
    let best = -1;
    let bestOffset = MAX_OFFSET;
    for (let i = 0; i < this.#count; i += 1) {
      const offset = (high - this.#high[i]!) * TWO_32 + (low - this.#low[i]!);
      if (offset >= 0 && offset < bestOffset) {
        best = i;
        bestOffset = offset;
      }
    }
    return best < 0 ? undefined : { name: this.#nameOf(best), offset: bestOffset };
  }

  #addLine(from: number, end: number): void {
    const text = this.#text;
    let at = from;
    let high = 0;
    let low = 0;
    for (; at < end && HEX_VALUE[text[at]!]! < 16; at += 1) {
      high = ((high << 4) | (low >>> 28)) >>> 0;
      low = ((low << 4) | HEX_VALUE[text[at]!]!) >>> 0;
    }
    const digits = at - from;
    if (digits === 0 && from === end) return;
    if (digits < 8 || digits > 16 || text[at] !== SPACE || text[at + 2] !== SPACE) {
      // The section ends with a NUL.
      if (text[from] !== 0) this.badLines += 1;
      return;
    }
    // All zero: the recording user was not allowed to see the addresses.
    if (high === 0 && low === 0) return;
    if (this.#count === this.#low.length) this.#grow();
    this.#high[this.#count] = high;
    this.#low[this.#count] = low;
    this.#nameAt[this.#count] = at + 3;
    this.#count += 1;
  }

  #nameOf(index: number): string {
    const from = this.#nameAt[index]!;
    let end = from;
    while (end < this.#text.length && this.#text[end]! > SPACE) end += 1;
    return latin1(this.#text.subarray(from, end));
  }

  #grow(): void {
    this.#high = grown(this.#high);
    this.#low = grown(this.#low);
    this.#nameAt = grown(this.#nameAt);
  }
}

function grown(old: Uint32Array): Uint32Array {
  const larger = new Uint32Array(old.length * 2);
  larger.set(old);
  return larger;
}
