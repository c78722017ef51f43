import type { AccessPattern, KnobValues } from "./generator-knobs.ts";
import { PageOrder } from "./page-order.ts";
import { ScatteredPages } from "./scattered-pages.ts";
import { SeededRandom } from "./seeded-random.ts";
import { ZipfRanks } from "./zipf-ranks.ts";

/** After so many phases at once nothing hot is where it was: further ones change nothing. */
const MAX_PHASES_AT_ONCE = 64;
const NS_PER_MS = 1e6;

export interface GeneratorOptions {
  readonly knobs: KnobValues;
  /** Default: `popularity`. */
  readonly pattern?: AccessPattern;
  readonly seed: number;
  /** Who has which rank, where several generators (vCPUs) share it; its owner resizes it. Default: its own. */
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
  readonly #knobs: KnobValues;
  readonly #random: SeededRandom;
  readonly #moves: SeededRandom;
  readonly #ranks: ZipfRanks;
  readonly #scattered: ScatteredPages;
  readonly #ownsScattered: boolean;
  readonly #order: PageOrder | undefined;
  /** A stride has one access to each page. */
  readonly #meanRun: number;
  #pages = 0;
  #phase: number | undefined;

  constructor(options: GeneratorOptions) {
    const { knobs, pattern = "popularity", seed } = options;
    this.#knobs = knobs;
    // Streams of their own: one more draw for one purpose must not change the others.
    this.#random = new SeededRandom(seed);
    this.#moves = new SeededRandom(seed ^ 0x5bd1e995);
    this.#scattered = options.scattered ?? new ScatteredPages(new SeededRandom(seed ^ 0x27d4eb2f));
    this.#ownsScattered = options.scattered === undefined;
    const isRandom = pattern === "popularity" || pattern === "uniform";
    this.#ranks = new ZipfRanks(pattern === "popularity" ? knobs.theta : 0);
    this.#order = isRandom ? undefined : new PageOrder(pattern, options.pageBytes);
    this.#meanRun = isRandom || pattern === "sequential" ? knobs.runLength : 1;
  }

  get pages(): number {
    return this.#pages;
  }

  /**
   * The footprint has `pages` pages from now on; those that stay keep their popularity.
   * @throws RangeError for more than 2^27.
   */
  resize(pages: number): void {
    if (this.#ownsScattered && this.#order === undefined) this.#scattered.resize(pages);
    this.#pages = pages;
    if (pages > 0) this.#ranks.resize(pages);
  }

  /** The clock stands at `tsNs`: hot pages move for every phase that has ended since the last time. */
  advanceTo(tsNs: number): void {
    const { movedShare, phaseMs } = this.#knobs;
    const phase = Math.floor(tsNs / (phaseMs * NS_PER_MS));
    const passed = this.#phase === undefined ? 0 : phase - this.#phase;
    if (this.#phase === undefined || passed > 0) this.#phase = phase;
    if (passed <= 0 || movedShare === 0 || this.#order !== undefined || !this.#ownsScattered)
      return;
    for (let i = 0; i < Math.min(passed, MAX_PHASES_AT_ONCE); i += 1) this.#moveHotPages();
  }

  /** Index of the next page visited, `run` and `isWrite` being set; -1 where there is no page. */
  nextPage(): number {
    const pages = this.#pages;
    if (pages === 0) return -1;
    const random = this.#random;
    this.isWrite = random.unit() < this.#knobs.writeShare;
    this.run = random.geometric(this.#meanRun);
    if (this.#order !== undefined) return this.#order.next(pages);
    return this.#scattered.pageAt(this.#ranks.next(random));
  }

  /** The next visits: pages into `target`, accesses in a row and writes (0, 1) beside them where wanted. */
  fill(target: Int32Array, runs?: Uint32Array, writes?: Uint8Array): void {
    for (let i = 0; i < target.length; i += 1) {
      target[i] = this.nextPage();
      if (runs !== undefined) runs[i] = this.run;
      if (writes !== undefined) writes[i] = this.isWrite ? 1 : 0;
    }
  }

  #moveHotPages(): void {
    const { hotShare, movedShare } = this.#knobs;
    const hot = Math.ceil(this.#pages * hotShare);
    const moved = Math.round(hot * movedShare);
    for (let i = 0; i < moved; i += 1) {
      this.#scattered.swap(this.#moves.below(hot), this.#moves.below(this.#pages));
    }
  }
}
