/** Primes of the 32-bit xxHash, as its specification gives them. */
const P1 = 0x9e3779b1;
const P2 = 0x85ebca77;
const P3 = 0xc2b2ae3d;
const P4 = 0x27d4eb2f;
const P5 = 0x165667b1;

const STRIPE_BYTES = 16;

/** The 32-bit xxHash (seed 0) of bytes that come in pieces. */
export class Xxh32 {
  #a = (P1 + P2) | 0;
  #b = P2 | 0;
  #c = 0;
  #d = -P1 | 0;
  #total = 0;
  /** Bytes that do not fill a stripe yet. */
  readonly #rest = new Uint8Array(STRIPE_BYTES);
  #restBytes = 0;

  update(bytes: Uint8Array): void {
    let at = 0;
    this.#total += bytes.length;
    if (this.#restBytes > 0) {
      at = Math.min(STRIPE_BYTES - this.#restBytes, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < STRIPE_BYTES) return;
      this.#stripes(this.#rest, 0, STRIPE_BYTES);
      this.#restBytes = 0;
    }
    const whole = at + ((bytes.length - at) & -STRIPE_BYTES);
    this.#stripes(bytes, at, whole);
    this.#restBytes = bytes.length - whole;
    this.#rest.set(bytes.subarray(whole));
  }

  digest(): number {
    const isLong = this.#total >= STRIPE_BYTES;
    let hash = isLong
      ? (left(this.#a, 1) + left(this.#b, 7) + left(this.#c, 12) + left(this.#d, 18)) | 0
      : P5;
    hash = (hash + this.#total) | 0;
    let at = 0;
    for (; at + 4 <= this.#restBytes; at += 4) {
      hash = (hash + Math.imul(wordAt(this.#rest, at), P3)) | 0;
      hash = Math.imul(left(hash, 17), P4);
    }
    for (; at < this.#restBytes; at += 1) {
      hash = (hash + Math.imul(this.#rest[at]!, P5)) | 0;
      hash = Math.imul(left(hash, 11), P1);
    }
    hash = Math.imul(hash ^ (hash >>> 15), P2);
    hash = Math.imul(hash ^ (hash >>> 13), P3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #stripes(bytes: Uint8Array, from: number, to: number): void {
    let a = this.#a;
    let b = this.#b;
    let c = this.#c;
    let d = this.#d;
    for (let at = from; at < to; at += STRIPE_BYTES) {
      a = round(a, wordAt(bytes, at));
      b = round(b, wordAt(bytes, at + 4));
      c = round(c, wordAt(bytes, at + 8));
      d = round(d, wordAt(bytes, at + 12));
    }
    this.#a = a;
    this.#b = b;
    this.#c = c;
    this.#d = d;
  }
}

function round(lane: number, word: number): number {
  return Math.imul(left((lane + Math.imul(word, P2)) | 0, 13), P1);
}

function left(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
