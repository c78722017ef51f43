import { grown } from "../typed-arrays.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** Most pages: 8 bytes are held for each. */
export const MAX_SCATTERED_PAGES: number = 2 ** 27;

/**
 * Which page has which rank of popularity: at every size a random permutation. A new page takes a random
 * rank, and the page that had it the last one; so growing by one moves one page, and what was popular
 * stays so.
 */
export class ScatteredPages {
  #pageOfRank = new Int32Array(1024);
  #rankOfPage = new Int32Array(1024);
  #count = 0;
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  get count(): number {
    return this.#count;
  }

  pageAt(rank: number): number {
    return this.#pageOfRank[rank]!;
  }

  rankOf(page: number): number {
    return this.#rankOfPage[page]!;
  }

  /**
   * Pages 0…count − 1 from now on: new ones come in, or the last ones go.
   * @throws RangeError for more than MAX_SCATTERED_PAGES.
   */
  resize(count: number): void {
    if (!(count >= 0 && count <= MAX_SCATTERED_PAGES)) {
      throw new RangeError(`a footprint of ${count} pages`);
    }
    if (count > this.#pageOfRank.length) {
      const capacity = Math.min(Math.max(count, this.#pageOfRank.length * 2), MAX_SCATTERED_PAGES);
      this.#pageOfRank = grown(this.#pageOfRank, new Int32Array(capacity));
      this.#rankOfPage = grown(this.#rankOfPage, new Int32Array(capacity));
    }
    while (this.#count < count) this.#append();
    while (this.#count > count) this.#remove();
  }

  /** Exchanges the ranks of two pages. */
  swap(rank: number, other: number): void {
    const page = this.#pageOfRank[rank]!;
    this.#put(rank, this.#pageOfRank[other]!);
    this.#put(other, page);
  }

  #append(): void {
    const last = this.#count;
    this.#count = last + 1;
    this.#put(last, last);
    this.swap(last, this.#random.below(last + 1));
  }

  /** The page with the last rank takes that of the page that goes. */
  #remove(): void {
    const last = this.#count - 1;
    this.swap(this.#rankOfPage[last]!, last);
    this.#count = last;
  }

  #put(rank: number, page: number): void {
    this.#pageOfRank[rank] = page;
    this.#rankOfPage[page] = rank;
  }
}
