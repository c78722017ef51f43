/**
 * Streams of page numbers that TLB models are compared on. Integer-only except for the zipf table, and
 * the same everywhere: the goldens in `tlb/two-level.test.ts` were measured on them by other simulators.
 */

/** Marsaglia's xorshift32 with the shifts 13, 17, 5. `seed` must not be 0. */
export class Xorshift32 {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** The next state as 32 unsigned bits, never 0. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }
}

/** Seed of the published reference counts. */
export const REFERENCE_SEED = 0x9e37_79b9;

/** Every page equally often, independently. */
export function uniformPages(
  length: number,
  pages: number,
  seed: number = REFERENCE_SEED,
): Int32Array {
  const random = new Xorshift32(seed);
  return Int32Array.from({ length }, () => random.next() % pages);
}

/**
 * Popularity ~ 1/rank^theta, ranks scattered over the pages by a Fisher-Yates shuffle (from the top)
 * that draws from the same generator before the first access.
 */
export function zipfPages(
  length: number,
  pages: number,
  theta: number,
  seed: number = REFERENCE_SEED,
): Int32Array {
  const random = new Xorshift32(seed);
  const cumulative = cumulativeZipf(pages, theta);
  const pageOfRank = shuffledPages(pages, random);
  return Int32Array.from(
    { length },
    () => pageOfRank[rankAt(cumulative, random.next() / 2 ** 32)]!,
  );
}

/** Sums of the popularities of ranks 0…i, the last of them 1. */
export function cumulativeZipf(pages: number, theta: number): Float64Array {
  const cumulative = new Float64Array(pages);
  let sum = 0;
  for (let rank = 0; rank < pages; rank += 1) {
    sum += 1 / (rank + 1) ** theta;
    cumulative[rank] = sum;
  }
  return cumulative.map((value) => value / sum);
}

/** First rank whose cumulated popularity is not below `share`. */
export function rankAt(cumulative: Float64Array, share: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! < share) low = middle + 1;
    else high = middle;
  }
  return low;
}

function shuffledPages(pages: number, random: Xorshift32): Int32Array {
  const order = Int32Array.from({ length: pages }, (_, page) => page);
  for (let i = pages - 1; i > 0; i -= 1) {
    const j = random.next() % (i + 1);
    const page = order[i]!;
    order[i] = order[j]!;
    order[j] = page;
  }
  return order;
}

/** Each page `accessesPerPage` times, one after the other, over and over. */
export function sequentialPages(
  length: number,
  pages: number,
  accessesPerPage: number,
): Int32Array {
  return Int32Array.from({ length }, (_, i) => Math.floor(i / accessesPerPage) % pages);
}
