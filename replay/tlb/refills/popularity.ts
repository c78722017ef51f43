import { cumulativeZipf, Xorshift32 } from "../../accesses/reference-streams.ts";
import type { Footprint } from "./footprint.ts";

/** Places in the table that a draw starts from. */
const GUIDE = 4096;
/** The table is made anew when the footprint has grown by so much. */
const GROWTH = 1.25;

/**
 * Draws pages of a growing footprint with zipf popularity. Which pages are popular depends on the seed
 * and on the page's place in the footprint, so a popular page stays one while others are added.
 */
export class Popularity {
  readonly #theta: number;
  readonly #share: number;
  readonly #seed: number;
  readonly #random: Xorshift32;
  #knownPages = 0;
  #cumulative: Float64Array = new Float64Array(0);
  #order: Int32Array = new Int32Array(0);
  readonly #guide: Int32Array = new Int32Array(GUIDE + 1);

  constructor(theta: number, share: number, seed: number) {
    this.#theta = theta;
    this.#share = share;
    this.#seed = seed;
    this.#random = new Xorshift32(Math.imul(seed, 0x9e37_79b1) | 1);
  }

  /** A number in [0, 1). */
  next(): number {
    return this.#random.next() / 2 ** 32;
  }

  /** Index in the footprint of the page visited next; -1 where it has none. */
  draw(footprint: Footprint): number {
    if (footprint.length === 0) return -1;
    if (footprint.length >= Math.ceil(this.#knownPages * GROWTH)) this.#learn(footprint.length);
    const share = this.next();
    const cumulative = this.#cumulative;
    let rank = this.#guide[Math.floor(share * GUIDE)]!;
    while (cumulative[rank]! < share) rank += 1;
    return this.#order[rank]!;
  }

  /** Popularity of each rank used now, for the closed form. */
  rates(): Float64Array {
    return this.#cumulative.map((sum, rank) => sum - (this.#cumulative[rank - 1] ?? 0));
  }

  /** The popularity of each page used now: its place in the footprint, and its share of the draws. */
  eachRate(visit: (index: number, rate: number) => void): void {
    let below = 0;
    for (const [rank, index] of this.#order.entries()) {
      const sum = this.#cumulative[rank]!;
      visit(index, sum - below);
      below = sum;
    }
  }

  #learn(pages: number): void {
    this.#knownPages = pages;
    const priorities = new Float64Array(pages);
    for (let page = 0; page < pages; page += 1) priorities[page] = hash(page, this.#seed) * pages;
    // Priority and index in one number: a typed array sorts without a comparison function.
    for (let page = 0; page < pages; page += 1) priorities[page]! += page / (2 * pages);
    const byPriority = Int32Array.from({ length: pages }, (_, page) => page);
    byPriority.sort((a, b) => priorities[a]! - priorities[b]!);
    const used = Math.max(1, Math.round(pages * this.#share));
    this.#order = byPriority.subarray(0, used);
    this.#cumulative = cumulativeZipf(used, this.#theta);
    this.#cumulative[used - 1] = 1;
    let rank = 0;
    for (let at = 0; at <= GUIDE; at += 1) {
      while (rank < used - 1 && this.#cumulative[rank]! < at / GUIDE) rank += 1;
      this.#guide[at] = rank;
    }
  }
}

/** 32 mixed bits of a page's place (finalizer of MurmurHash3). */
function hash(page: number, seed: number): number {
  let x = (page + Math.imul(seed, 0x9e37_79b1)) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85eb_ca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2_ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
