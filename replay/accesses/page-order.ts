/** Orders that no chance is in. */
export type FixedOrder = "sequential" | "stride-4k" | "stride-2m" | "backwards-512";

const BLOCK_PAGES = 512;

/**
 * Indices 0…count − 1 in a fixed order, over and over:
 * - `sequential` and `stride-4k`: one after the other (a stride has one access to each page);
 * - `stride-2m`: every 512th, then again from the next one on;
 * - `backwards-512`: for each i the pages i, i − 1, … i − 511, as the test of the range series does.
 */
export class PageOrder {
  readonly #order: FixedOrder;
  readonly #blockPages: number;
  #next = 0;
  /** How far back in `backwards-512`. */
  #back = 0;

  /** @param pageBytes of the pages that are counted. */
  constructor(order: FixedOrder, pageBytes = 4096) {
    this.#order = order;
    this.#blockPages = Math.max(1, (BLOCK_PAGES * 4096) / pageBytes);
  }

  next(count: number): number {
    if (this.#next >= count) this.#restart();
    const index = this.#next;
    if (this.#order === "backwards-512") return this.#nextBackwards(index);
    if (this.#order !== "stride-2m") {
      this.#next = index + 1;
      return index;
    }
    const next = index + this.#blockPages;
    const column = (index % this.#blockPages) + 1;
    this.#next = next < count ? next : column < Math.min(this.#blockPages, count) ? column : 0;
    return index;
  }

  #nextBackwards(newest: number): number {
    const index = newest - this.#back;
    this.#back += 1;
    if (index === 0 || this.#back === BLOCK_PAGES) {
      this.#back = 0;
      this.#next = newest + 1;
    }
    return index;
  }

  /** The footprint has ended, or become smaller than where the order is. */
  #restart(): void {
    this.#next = 0;
    this.#back = 0;
  }
}
