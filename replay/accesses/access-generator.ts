import type { AccessPattern, KnobValues } from "./generator-knobs.ts";
import { HotPhases } from "./hot-phases.ts";
import { PageOrder } from "./page-order.ts";
import { ScatteredPages } from "./scattered-pages.ts";
import { geometricScale, SeededRandom } from "./seeded-random.ts";
import { ZipfRanks } from "./zipf-ranks.ts";

export interface GeneratorOptions {
  readonly knobs: KnobValues;
  /** Default: `popularity`. */
  readonly pattern?: AccessPattern;
  readonly seed: number;
  /**
   * Who has which rank, where several generators (vCPUs) share it: its owner resizes it, and moves it by
   * `HotPhases`. Default: its own.
   */
  readonly scattered?: ScatteredPages;
  /** Default: 4 KiB. */
  readonly pageBytes?: number;
}

/**
 * Visits of one vCPU to the pages of a footprint, pages being indices 0…pages − 1 that the caller maps to
 * addresses. The same seed and the same calls give the same visits. Nothing is allocated for a visit.
 */
export class AccessGenerator {
  /** Of the last visit: accesses in a row. */
  run = 1;
  /** Of the last visit: whether it writes. */
  isWrite = false;
  /** Writes are draws of 32 bits below this. */
  readonly #writeBits: number;
  readonly #random: SeededRandom;
  readonly #ranks: ZipfRanks;
  readonly #scattered: ScatteredPages;
  /** Undefined where there are none, or the popularity is another's. */
  readonly #phases: HotPhases | undefined;
  readonly #order: PageOrder | undefined;
  /** A stride has one access to each page. */
  readonly #runScale: number;
  #pages = 0;

  constructor(options: GeneratorOptions) {
    const { knobs, pattern = "popularity", seed } = options;
    // Streams of their own: one more draw for one purpose must not change the others.
    this.#random = new SeededRandom(seed);
    this.#scattered = options.scattered ?? new ScatteredPages(new SeededRandom(seed ^ 0x27d4eb2f));
    const isRandom = pattern === "popularity" || pattern === "uniform";
    const ownsPopularity = isRandom && options.scattered === undefined;
    this.#phases = ownsPopularity
      ? new HotPhases(this.#scattered, knobs, seed ^ 0x5bd1e995)
      : undefined;
    this.#ranks = new ZipfRanks(pattern === "popularity" ? knobs.theta : 0);
    this.#order = isRandom ? undefined : new PageOrder(pattern, options.pageBytes);
    this.#runScale = geometricScale(isRandom || pattern === "sequential" ? knobs.runLength : 1);
    this.#writeBits = knobs.writeShare * 2 ** 32;
  }

  get pages(): number {
    return this.#pages;
  }

  /**
   * The footprint has `pages` pages from now on; those that stay keep their popularity.
   * @throws RangeError for more than 2^27, or more than a shared popularity has.
   */
  resize(pages: number): void {
    if (this.#phases !== undefined) this.#scattered.resize(pages);
    else if (this.#order === undefined && this.#scattered.count < pages) {
      throw new RangeError(`${pages} pages of a shared popularity of ${this.#scattered.count}`);
    }
    this.#pages = pages;
    if (pages > 0) this.#ranks.resize(pages);
  }

  /** The clock stands at `tsNs`: hot pages move for every phase that has ended since the last time. */
  advanceTo(tsNs: number): void {
    this.#phases?.advanceTo(tsNs);
  }

  /** Index of the next page visited, `run` and `isWrite` being set; -1 where there is no page. */
  nextPage(): number {
    const pages = this.#pages;
    if (pages === 0) return -1;
    const random = this.#random;
    this.isWrite = random.bits() < this.#writeBits;
    this.run = random.geometric(this.#runScale);
    if (this.#order !== undefined) return this.#order.next(pages);
    return this.#scattered.pageAt(this.#ranks.next(random));
  }

  /** The next visits: pages into `target`, accesses in a row and writes (0, 1) beside them where wanted. */
  fillPages(target: Int32Array, runs?: Uint32Array, writes?: Uint8Array): void {
    for (let i = 0; i < target.length; i += 1) {
      target[i] = this.nextPage();
      if (runs !== undefined) runs[i] = this.run;
      if (writes !== undefined) writes[i] = this.isWrite ? 1 : 0;
    }
  }
}
