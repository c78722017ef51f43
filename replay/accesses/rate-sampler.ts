import type { RateTable } from "../../ingest/accesses/statistics/rate-table.ts";
import { SeededRandom } from "./seeded-random.ts";

/** Most pages whose rates are spread out for the closed form. */
const MAX_SPREAD_PAGES: number = 2 ** 24;

/**
 * Pages by the rates of a table: each comes with the probability of its rate (Vose's alias method over the
 * regions, uniform inside one), independent of all before it. The same seed gives the same pages.
 */
export class RateSampler {
  /** Sum of all rates, in the table's unit. */
  readonly totalRate: number;
  /** Of the last access: its space. */
  space = 0;
  /** Of the last access: its region in the table. */
  region = 0;
  readonly #table: RateTable;
  readonly #random: SeededRandom;
  /** Share of a column that is its own region's; the rest is its alias's. */
  readonly #own: Float64Array;
  readonly #alias: Int32Array;

  /** @throws RangeError for a table without an access. */
  constructor(table: RateTable, seed: number) {
    this.#table = table;
    this.#random = new SeededRandom(seed);
    const weights = table.ratePerPage.map((rate, i) => rate * table.lenPages[i]!);
    this.totalRate = weights.reduce((sum, weight) => sum + weight, 0);
    if (!(this.totalRate > 0 && this.totalRate < Infinity)) {
      throw new RangeError("a table of rates without an access");
    }
    this.#own = new Float64Array(weights.length).fill(1);
    this.#alias = Int32Array.from(weights, (_, i) => i);
    this.#fillAliases(weights.map((weight) => (weight / this.totalRate) * weights.length));
  }

  /** Page of the next access; its space is in `space`. */
  nextPage(): number {
    const random = this.#random;
    const column = random.below(this.#own.length);
    const region = random.unit() < this.#own[column]! ? column : this.#alias[column]!;
    this.region = region;
    this.space = this.#table.space[region]!;
    return this.#table.firstPage[region]! + random.below(this.#table.lenPages[region]!);
  }

  /** Probability that an access goes to that region: what the alias table holds, for checks. */
  probabilityOf(region: number): number {
    let sum = this.#own[region]!;
    for (let i = 0; i < this.#own.length; i += 1) {
      if (i !== region && this.#alias[i] === region) sum += 1 - this.#own[i]!;
    }
    return sum / this.#own.length;
  }

  /** @param scaled weights whose mean is 1; overwritten. */
  #fillAliases(scaled: Float64Array): void {
    const small: number[] = [];
    const large: number[] = [];
    for (const [i, weight] of scaled.entries()) (weight < 1 ? small : large).push(i);
    while (small.length > 0 && large.length > 0) {
      const less = small.pop()!;
      const more = large.at(-1)!;
      this.#own[less] = scaled[less]!;
      this.#alias[less] = more;
      scaled[more] = scaled[more]! - (1 - scaled[less]!);
      if (scaled[more] >= 1) continue;
      large.pop();
      small.push(more);
    }
    // What is left is 1 up to rounding, and keeps its whole column.
  }
}

/**
 * The rate of each page, for `characteristicOf`.
 * @throws RangeError for more than 2^24 pages.
 */
export function ratesOfPages(table: RateTable): Float64Array {
  const pages = table.lenPages.reduce((sum, length) => sum + length, 0);
  if (pages > MAX_SPREAD_PAGES) {
    throw new RangeError(`rates of ${pages} pages, more than ${MAX_SPREAD_PAGES}`);
  }
  const rates = new Float64Array(pages);
  let at = 0;
  for (const [i, length] of table.lenPages.entries()) {
    rates.fill(table.ratePerPage[i]!, at, at + length);
    at += length;
  }
  return rates;
}
