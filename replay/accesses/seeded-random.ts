/**
 * xoshiro128** 1.1 (Blackman and Vigna), its state from splitmix32 of the seed: streams of neighbouring
 * seeds have nothing in common, and the numbers are the same on every machine.
 */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed its lower 32 bits count. */
  constructor(seed: number) {
    let state = seed | 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
      return mixed ^ (mixed >>> 16);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1;
  }

  /** 32 random bits, unsigned. */
  bits(): number {
    const b = this.#b;
    let result = Math.imul(b, 5);
    result = Math.imul((result << 7) | (result >>> 25), 9);
    const shifted = b << 9;
    this.#c ^= this.#a;
    this.#d ^= b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** Uniform in [0, 1), 53 bits. */
  unit(): number {
    return ((this.bits() >>> 5) * 0x4000000 + (this.bits() >>> 6)) / 0x20000000000000;
  }

  /** Uniform among 0…count − 1; `count` at most 2^53. The bias is below count / 2^53. */
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  /** Geometric (at least 1): tries up to and including the first success; `scale` by `geometricScale`. */
  geometric(scale: number): number {
    return scale === 0 ? 1 : 1 + Math.floor(Math.log1p(-this.unit()) * scale);
  }
}

/** What `geometric` needs for runs of that mean. */
export function geometricScale(mean: number): number {
  return mean <= 1 ? 0 : 1 / Math.log1p(-1 / mean);
}
