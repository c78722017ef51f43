const TOP = 0x1000000;
const MODEL_BITS = 11;
const MOVE_BITS = 5;
/** Of a bit that is as likely 0 as 1. */
export const EVEN_PROBABILITY: number = 1 << (MODEL_BITS - 1);
/** What a range coder's state begins with in the stored bytes. */
export const RANGE_CODER_BYTES = 5;

/** Decodes bits whose probabilities are learned on the way: the entropy coder of LZMA. */
export class RangeCoder {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #range = 0;
  #code = 0;

  /** @throws Error where the first byte is none of a range coder's. */
  start(bytes: Uint8Array, from: number): void {
    if (bytes[from] !== 0) throw new Error("compressed data that do not begin as such");
    this.#bytes = bytes;
    this.#end = bytes.length;
    this.#at = from + 1;
    this.#range = 0xffffffff;
    this.#code = 0;
    for (let i = 0; i < RANGE_CODER_BYTES - 1; i += 1)
      this.#code = (this.#code << 8) | this.#next();
    this.#code >>>= 0;
  }

  /** It asked for more bytes than there are: what it gave last means nothing. */
  get isBeyond(): boolean {
    return this.#at > this.#end;
  }

  /** All bytes were used, and nothing is left over. */
  get isFinished(): boolean {
    return this.#at === this.#end && this.#code === 0;
  }

  bit(probabilities: Uint16Array, index: number): number {
    const probability = probabilities[index]!;
    const bound = (this.#range >>> MODEL_BITS) * probability;
    if (this.#code < bound) {
      this.#range = bound;
      probabilities[index] = probability + (((1 << MODEL_BITS) - probability) >> MOVE_BITS);
      if (bound < TOP) this.#normalize();
      return 0;
    }
    this.#code -= bound;
    this.#range -= bound;
    probabilities[index] = probability - (probability >> MOVE_BITS);
    if (this.#range < TOP) this.#normalize();
    return 1;
  }

  /** `bits` bits, the highest first; the probabilities are a tree that begins at `offset`. */
  tree(probabilities: Uint16Array, offset: number, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i += 1) {
      symbol = (symbol << 1) | this.bit(probabilities, offset + symbol);
    }
    return symbol - (1 << bits);
  }

  /** The same, the lowest bit first. */
  reverseTree(probabilities: Uint16Array, offset: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let i = 0; i < bits; i += 1) {
      const bit = this.bit(probabilities, offset + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  /** `bits` bits that are as likely 0 as 1. */
  direct(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i += 1) {
      this.#range >>>= 1;
      const isOne = this.#code >= this.#range;
      if (isOne) this.#code -= this.#range;
      value = (value << 1) | (isOne ? 1 : 0);
      if (this.#range < TOP) this.#normalize();
    }
    return value >>> 0;
  }

  #normalize(): void {
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | this.#next()) >>> 0;
  }

  #next(): number {
    const at = this.#at;
    this.#at = at + 1;
    return at < this.#end ? this.#bytes[at]! : 0;
  }
}
