import { hashStripes, STRIPE_BYTES } from "./xxh64-stripes.ts";

const P1 = 0x9e37_79b1_85eb_ca87n;
const P2 = 0xc2b2_ae3d_27d4_eb4fn;
const P3 = 0x1656_67b1_9e37_79f9n;
const P4 = 0x85eb_ca77_c2b2_ae63n;
const P5 = 0x27d4_eb2f_1656_67c5n;

/**
 * XXH64 with seed 0, of which zstd stores the low half behind a frame. Stripes are hashed with numbers
 * of 32 bits; only the end, once for each frame, with bigints.
 */
export class Xxh64 {
  /** The four accumulators: low and high half in turn. */
  readonly #lanes = new Int32Array(8);
  readonly #rest = new Uint8Array(STRIPE_BYTES);
  readonly #restView = new DataView(this.#rest.buffer);
  #restBytes = 0;
  #total = 0;

  constructor() {
    this.reset();
  }

  reset(): void {
    const starts = [P1 + P2, P2, 0n, -P1];
    for (const [lane, start] of starts.entries()) {
      this.#lanes[2 * lane] = Number(BigInt.asIntN(32, start));
      this.#lanes[2 * lane + 1] = Number(BigInt.asIntN(32, start >> 32n));
    }
    this.#restBytes = 0;
    this.#total = 0;
  }

  /** Adds the bytes from `from` to `to`. */
  add(bytes: Uint8Array, view: DataView, from: number, to: number): void {
    let at = from;
    this.#total += to - from;
    if (this.#restBytes > 0) {
      const taken = Math.min(STRIPE_BYTES - this.#restBytes, to - at);
      this.#rest.set(bytes.subarray(at, at + taken), this.#restBytes);
      this.#restBytes += taken;
      at += taken;
      if (this.#restBytes < STRIPE_BYTES) return;
      hashStripes(this.#lanes, this.#restView, 0, STRIPE_BYTES);
    }
    const whole = at + ((to - at) & ~(STRIPE_BYTES - 1));
    hashStripes(this.#lanes, view, at, whole);
    this.#rest.set(bytes.subarray(whole, to), 0);
    this.#restBytes = to - whole;
  }

  /** Low 32 bits of the hash of all that was added. */
  low32(): number {
    let hash = this.#total < STRIPE_BYTES ? P5 : this.#merged();
    hash = wrap(hash + BigInt(this.#total));
    const view = this.#restView;
    let at = 0;
    for (; at + 8 <= this.#restBytes; at += 8) {
      hash ^= round(0n, view.getBigUint64(at, true));
      hash = wrap(rotate(hash, 27n) * P1 + P4);
    }
    if (at + 4 <= this.#restBytes) {
      hash ^= wrap(BigInt(view.getUint32(at, true)) * P1);
      hash = wrap(rotate(hash, 23n) * P2 + P3);
      at += 4;
    }
    for (; at < this.#restBytes; at += 1) {
      hash ^= wrap(BigInt(view.getUint8(at)) * P5);
      hash = wrap(rotate(hash, 11n) * P1);
    }
    hash = wrap((hash ^ (hash >> 33n)) * P2);
    hash = wrap((hash ^ (hash >> 29n)) * P3);
    return Number((hash ^ (hash >> 32n)) & 0xffff_ffffn);
  }

  #lane(lane: number): bigint {
    const low = BigInt(this.#lanes[2 * lane]! >>> 0);
    return (BigInt(this.#lanes[2 * lane + 1]! >>> 0) << 32n) | low;
  }

  #merged(): bigint {
    const lanes = [0, 1, 2, 3].map((lane) => this.#lane(lane));
    const [a, b, c, d] = [lanes[0]!, lanes[1]!, lanes[2]!, lanes[3]!];
    let hash = wrap(rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n));
    for (const lane of lanes) hash = wrap((hash ^ round(0n, lane)) * P1 + P4);
    return hash;
  }
}

function wrap(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

function rotate(value: bigint, bits: bigint): bigint {
  return wrap(value << bits) | (value >> (64n - bits));
}

function round(lane: bigint, word: bigint): bigint {
  return wrap(rotate(wrap(lane + word * P2), 31n) * P1);
}
