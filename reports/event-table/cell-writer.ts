const COMMA = 44;
const NEWLINE = 10;
const DASH = 45;
const ZERO = 48;
const LETTER_X = 120;
const HEX_DIGITS = Buffer.from("0123456789abcdef");
/** Digits that a 32-bit integer holds whatever they are. */
const BLOCK = 1e9;
const BLOCK_DIGITS = 9;
const BLOCK_NS = 1_000_000_000n;

/** Writes cells as bytes, without a string a cell. */
export class CellWriter {
  used = 0;
  #bytes: Uint8Array;

  constructor(sizeBytes: number) {
    this.#bytes = new Uint8Array(sizeBytes);
  }

  /** What has been written; valid until the next write. */
  get filled(): Uint8Array {
    return this.#bytes.subarray(0, this.used);
  }

  clear(): void {
    this.used = 0;
  }

  makeRoom(bytes: number): void {
    if (this.used + bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.used + bytes, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.used));
    this.#bytes = grown;
  }

  comma(): void {
    this.#bytes[this.used] = COMMA;
    this.used += 1;
  }

  /** Ends the row in place of the comma behind its last cell. */
  endRow(): void {
    this.#bytes[this.used - 1] = NEWLINE;
  }

  text(bytes: Uint8Array): void {
    this.makeRoom(bytes.length);
    const target = this.#bytes;
    const at = this.used;
    for (let i = 0; i < bytes.length; i += 1) target[at + i] = bytes[i]!;
    this.used = at + bytes.length;
  }

  /** `0x` and 16 digits. */
  hex(high: number, low: number): void {
    const bytes = this.#bytes;
    const at = this.used;
    bytes[at] = ZERO;
    bytes[at + 1] = LETTER_X;
    for (let i = 0; i < 8; i += 1) {
      const shift = 28 - i * 4;
      bytes[at + 2 + i] = HEX_DIGITS[(high >>> shift) & 15]!;
      bytes[at + 10 + i] = HEX_DIGITS[(low >>> shift) & 15]!;
    }
    this.used = at + 18;
  }

  /** A whole number or nothing (NaN), and a comma. */
  number(value: number): void {
    if (value === value) this.signed(value);
    this.comma();
  }

  signed(value: number): void {
    if (value < 0) {
      this.#bytes[this.used] = DASH;
      this.used += 1;
      this.whole(-value);
    } else this.whole(value);
  }

  /** A whole number from 0 to 2^53. */
  whole(value: number): void {
    if (value < BLOCK) this.#digits(value, digitsOf(value));
    else {
      const upper = Math.floor(value / BLOCK);
      this.whole(upper);
      this.#digits(value - upper * BLOCK, BLOCK_DIGITS);
    }
  }

  /** `baseNs + tsNs`, exact in 64 bits. */
  time(baseNs: bigint, tsNs: number): void {
    const seconds = Math.floor(tsNs / BLOCK);
    const nanos = tsNs - seconds * BLOCK + this.#baseNanos(baseNs);
    const carry = nanos >= BLOCK ? 1 : 0;
    const whole = this.#baseSeconds + seconds + carry;
    if (whole < 0) {
      this.text(Buffer.from(String(baseNs + BigInt(tsNs))));
      return;
    }
    const rest = nanos - carry * BLOCK;
    if (whole === 0) this.#digits(rest, digitsOf(rest));
    else {
      this.whole(whole);
      this.#digits(rest, BLOCK_DIGITS);
    }
  }

  #baseNs = 0n;
  #baseSeconds = 0;
  #nanos = 0;

  /** Splits the base once; it hardly ever changes. */
  #baseNanos(baseNs: bigint): number {
    if (baseNs === this.#baseNs) return this.#nanos;
    const seconds = baseNs >= 0n ? baseNs / BLOCK_NS : -((-baseNs + BLOCK_NS - 1n) / BLOCK_NS);
    this.#baseNs = baseNs;
    this.#baseSeconds = Number(seconds);
    this.#nanos = Number(baseNs - seconds * BLOCK_NS);
    return this.#nanos;
  }

  /** The last `count` digits. */
  #digits(value: number, count: number): void {
    const bytes = this.#bytes;
    let rest = value | 0;
    for (let at = this.used + count - 1; at >= this.used; at -= 1) {
      const upper = (rest / 10) | 0;
      bytes[at] = ZERO + rest - upper * 10;
      rest = upper;
    }
    this.used += count;
  }
}

/** Number of decimal digits of a whole number below 1e9. */
function digitsOf(value: number): number {
  if (value < 1000) return value < 10 ? 1 : value < 100 ? 2 : 3;
  if (value < 1e6) return value < 1e4 ? 4 : value < 1e5 ? 5 : 6;
  return value < 1e7 ? 7 : value < 1e8 ? 8 : 9;
}
