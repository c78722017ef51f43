import type { MarkedAccesses } from "../../ingest/accesses/access-marker.ts";

/**
 * The pages of a range of accesses that the trace itself states, one after the other, without a list of
 * them. Accesses to one page in a row are one visit.
 */
export class MarkedPages {
  readonly isWrite: boolean;
  /** Accesses of the last visit that was given. */
  run = 0;
  readonly #strideBytes: number;
  readonly #pageBytes: number;
  #nextBytes: number;
  #left: number;

  constructor(accesses: MarkedAccesses, pageBytes: number) {
    this.isWrite = accesses.isWrite;
    this.#strideBytes = accesses.strideBytes;
    this.#pageBytes = pageBytes;
    this.#nextBytes = accesses.ipaBytes;
    this.#left = accesses.count;
  }

  /** Accesses that have not been given. */
  get left(): number {
    return this.#left;
  }

  /** IPA page of the next visit; -1 where there is none. */
  nextPage(): number {
    if (this.#left === 0) return -1;
    const offset = this.#nextBytes % this.#pageBytes;
    const page = (this.#nextBytes - offset) / this.#pageBytes;
    // Accesses before the end of this page.
    const here = Math.ceil((this.#pageBytes - offset) / this.#strideBytes);
    this.run = Math.min(this.#left, here);
    this.#left -= this.run;
    this.#nextBytes += this.run * this.#strideBytes;
    return page;
  }

  /** Fills `target` with the pages of the next visits; gives how many there were. */
  fillPages(target: Float64Array): number {
    let filled = 0;
    while (filled < target.length && this.#left > 0) {
      target[filled] = this.nextPage();
      filled += 1;
    }
    return filled;
  }
}
