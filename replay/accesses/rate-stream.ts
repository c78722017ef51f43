import type { RateTable } from "../../ingest/accesses/statistics/rate-table.ts";
import type { AccessSource, GuestStream, PagesInUse } from "./access-source.ts";
import type { Placing } from "./page-placing.ts";
import { RateSampler } from "./rate-sampler.ts";
import { SeededRandom } from "./seeded-random.ts";

/** Where the pages of a table of rates lie in a VM: regions are kept as they are, however large. */
export class PlacedRegions {
  readonly table: RateTable;
  /** By region: rank of its first page among all pages of the table. */
  readonly #firstRank: Float64Array;
  readonly #divisor: number;
  readonly #placing: Placing;
  /** Pages of the file's size. */
  readonly count: number;

  constructor(table: RateTable, divisor: number, placing: Placing) {
    this.table = table;
    this.#divisor = divisor;
    this.#placing = placing;
    let count = 0;
    this.#firstRank = table.lenPages.map((length) => {
      const rank = count;
      count += length;
      return rank;
    });
    this.count = count;
  }

  /** Number in the footprint of a page of a region; -1: outside. */
  indexOf(region: number, page: number, pages: PagesInUse): number {
    if (this.#placing.mode === "offset") {
      return pages.indexOf(Math.floor((page + this.#placing.offsetPages) / this.#divisor));
    }
    const rank = this.#firstRank[region]! + page - this.table.firstPage[region]!;
    const index = Math.floor(rank / this.#divisor);
    return index < pages.length ? index : -1;
  }
}

/** Independent draws of one vCPU by the rates of a table. */
class RateDraws implements AccessSource {
  readonly draws: number = 1;
  index = -1;
  isWrite = false;
  left = 0;
  readonly #placed: PlacedRegions;
  readonly #sampler: RateSampler;
  readonly #random: SeededRandom;
  readonly #writeBits: number;

  constructor(placed: PlacedRegions, seed: number, writeShare: number) {
    this.#placed = placed;
    this.#sampler = new RateSampler(placed.table, seed);
    this.#random = new SeededRandom(seed ^ 0x5bd1e995);
    this.#writeBits = writeShare * 2 ** 32;
  }

  draw(pages: PagesInUse): void {
    const page = this.#sampler.nextPage();
    this.index = this.#placed.indexOf(this.#sampler.region, page, pages);
    this.isWrite = this.#random.bits() < this.#writeBits;
    this.left = 1;
  }
}

/**
 * The independent-reference model of a table of rates: no sequence, only how often. Absolute rates are
 * shared by the vCPUs; popularity alone goes at the pace of the knob.
 */
export class RateStream implements GuestStream {
  readonly #placed: PlacedRegions;
  readonly #seed: number;
  readonly #writeShare: number;
  readonly #visitsPerUs: number | undefined;
  readonly #perSecond: number;
  readonly #vcpus: RateDraws[] = [];

  /** @param visitsPerUs of a vCPU; undefined: as the table says. */
  constructor(
    placed: PlacedRegions,
    seed: number,
    writeShare: number,
    visitsPerUs: number | undefined,
  ) {
    this.#placed = placed;
    this.#seed = seed;
    this.#writeShare = writeShare;
    this.#visitsPerUs = visitsPerUs;
    const { ratePerPage, lenPages } = placed.table;
    this.#perSecond = ratePerPage.reduce((sum, rate, i) => sum + rate * lenPages[i]!, 0);
  }

  accessesPerVisit(): number {
    return 1;
  }

  due(_vcpu: number, vcpus: number, fromNs: number, toNs: number): number {
    const ns = toNs - fromNs;
    if (this.#visitsPerUs !== undefined) return (ns / 1000) * this.#visitsPerUs;
    return (ns / 1e9) * (this.#perSecond / vcpus);
  }

  source(vcpu: number): AccessSource {
    return (this.#vcpus[vcpu] ??= new RateDraws(
      this.#placed,
      this.#seed + Math.imul(vcpu, 0x9e3779b1),
      this.#writeShare,
    ));
  }
}
