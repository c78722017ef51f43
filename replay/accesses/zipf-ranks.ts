import type { SeededRandom } from "./seeded-random.ts";

/**
 * Ranks 0…count − 1 with popularity (rank + 1)^−theta, exactly, without a table: rejection-inversion
 * (Hörmann and Derflinger 1996) under the integral of x^−theta. `count` may change at any time.
 */
export class ZipfRanks {
  readonly #theta: number;
  #count = 0;
  /** Integral up to the upper end of the last rank, and up to that of the first with its hat. */
  #most = 0;
  readonly #least: number;
  readonly #margin: number;

  /** @param theta 0: uniform; larger: the first ranks get more. */
  constructor(theta: number) {
    if (!(theta >= 0 && theta <= 5)) throw new RangeError(`popularity with theta ${theta}`);
    this.#theta = theta;
    this.#least = this.#integral(1.5) - 1;
    this.#margin = (theta * (theta + 1)) / 12;
  }

  get count(): number {
    return this.#count;
  }

  resize(count: number): void {
    this.#count = count;
    this.#most = this.#integral(count + 0.5);
  }

  /** The next rank; `count` must be at least 1. */
  next(random: SeededRandom): number {
    if (this.#theta === 0) return random.below(this.#count);
    for (;;) {
      const area = this.#most + random.unit() * (this.#least - this.#most);
      const x = this.#inverse(area);
      const rank = Math.min(Math.max(Math.round(x), 1), this.#count);
      // What is refused lies at the lower end of a rank's hat, whose area is larger than the rank's by a
      // share of about θ(θ + 1) / 24r²; twice that is on the safe side from rank 2 on.
      const isInside = rank > 1 && (x - rank + 0.5) * rank * rank > this.#margin;
      if (isInside || area >= this.#integral(rank + 0.5) - rank ** -this.#theta) return rank - 1;
    }
  }

  /** ∫ x^−theta, with a constant that makes it 0 at 1. */
  #integral(x: number): number {
    const log = Math.log(x);
    const scaled = (1 - this.#theta) * log;
    return Math.abs(scaled) < 1e-8 ? log * (1 + scaled / 2) : (Math.expm1(scaled) / scaled) * log;
  }

  #inverse(area: number): number {
    const scaled = Math.max(area * (1 - this.#theta), -1);
    const log =
      Math.abs(scaled) < 1e-8 ? area * (1 - scaled / 2) : (Math.log1p(scaled) / scaled) * area;
    return Math.exp(log);
  }
}
