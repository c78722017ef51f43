import type { Diagnostics } from "../../diagnostics.ts";
import { textOf } from "../../formats/bytes.ts";
import { wholeLines } from "../../formats/text/head-lines.ts";
import type { ReadAccessesOptions, StatisticsFormat } from "../access-format.ts";
import type { AccessCounts } from "../access-rows.ts";
import { type RateLines, RateLinesReader } from "./rate-lines-reader.ts";
import { type RateRegion, type RateTable, rateTable } from "./rate-table.ts";
import { RegionSums } from "./region-sums.ts";

const EVENT = "damon_aggregated:";
const FIELDS =
  /^ target_id=(\d{1,20}) nr_regions=(\d{1,9}) (\d{1,20})-(\d{1,20}): (\d{1,9})(?: (\d{1,10}))?$/;
const DEFAULT_SAMPLE_NS = 5_000_000;
const DEFAULT_AGGREGATION_NS = 100_000_000;
const MAX_BORDERS: number = 2 ** 20;
const MAX_TARGETS = 1024;
const MAX_LINE_BYTES = 2048;

interface Target {
  readonly sums: RegionSums;
  /** Each region counts for one in as many as its snapshot has. */
  snapshots: number;
}

/**
 * DAMON's tracepoint damon_aggregated, in any text that has it: of each region of a target in how many of an
 * aggregation's sampling intervals the sampled page was accessed. A page is accessed in an interval with a
 * probability of p = 1 − e^(−λ·interval), hence the rate λ.
 */
class DamonLines implements RateLines {
  readonly #pageBytes: number;
  readonly #sampleNs: number;
  readonly #expectedMost: number;
  readonly #targets = new Map<string, Target>();
  #regions = 0;
  #others = 0;
  #beyond = 0;
  #most = 0;

  constructor(options: ReadAccessesOptions) {
    this.#pageBytes = options.pageBytes ?? 4096;
    this.#sampleNs = options.damonSampleNs ?? DEFAULT_SAMPLE_NS;
    const aggregationNs = options.damonAggregationNs ?? DEFAULT_AGGREGATION_NS;
    if (!(this.#sampleNs > 0 && aggregationNs >= this.#sampleNs)) {
      throw new RangeError(
        "DAMON's sampling interval is longer than its aggregation interval, or 0",
      );
    }
    this.#expectedMost = Math.floor(aggregationNs / this.#sampleNs);
  }

  takeLine(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start > MAX_LINE_BYTES) return false;
    const text = textOf(bytes, start, end);
    const at = text.indexOf(EVENT);
    if (at < 0) {
      const isOther = text.trim() === "" || text.startsWith("#") || /\bdamo[ns]_\w+:/.test(text);
      if (isOther) this.#others += 1;
      return isOther;
    }
    const fields = FIELDS.exec(text.slice(at + EVENT.length).trimEnd());
    if (fields === null) return false;
    const [id, regions, first, end_, accesses] = fields.slice(1, 6);
    const firstPage = Math.floor(Number(first) / this.#pageBytes);
    const endPage = Math.floor(Number(end_) / this.#pageBytes);
    const isExact = Number.isSafeInteger(Number(first)) && Number.isSafeInteger(Number(end_));
    if (!isExact || endPage <= firstPage || Number(regions) === 0) return false;
    this.#add(id!, Number(regions), firstPage, endPage, Number(accesses));
    return true;
  }

  table(diagnostics: Diagnostics): RateTable {
    if (this.#beyond > 0) {
      const detail = `more than ${MAX_BORDERS} borders of regions or ${MAX_TARGETS} targets: further ones are not used`;
      diagnostics.add("TRUNCATED", detail, 0, 0, this.#beyond);
    }
    const most = Math.max(this.#expectedMost, this.#most);
    const notes = [
      `DAMON sampled every ${this.#sampleNs / 1e6} ms, ${most} times an aggregation (its trace does not tell)`,
    ];
    if (most > this.#expectedMost) {
      const detail = `${this.#most} accesses in an aggregation of ${this.#expectedMost} samples: the intervals are others`;
      diagnostics.add("ASSUMED", detail);
    }
    const regions: RateRegion[] = [];
    let saturated = 0;
    for (const [space, { sums, snapshots }] of [...this.#targets.values()].entries()) {
      const samples = most * Math.max(1, Math.round(snapshots));
      for (const { firstPage, endPage, sum } of sums.parts()) {
        // Half a sample without an access: the rate of a page that was always seen accessed has no upper bound.
        const isFull = sum > samples - 0.5;
        if (isFull) saturated += 1;
        const share = isFull ? 1 - 0.5 / samples : sum / samples;
        const ratePerPage = (-Math.log1p(-share) / this.#sampleNs) * 1e9;
        regions.push({ space, firstPage, lenPages: endPage - firstPage, ratePerPage });
      }
    }
    if (saturated > 0) {
      notes.push(`${saturated} parts were accessed in every sample: their rate is a lower bound`);
    }
    const spaces = [...this.#targets.keys()].map((id) => `target ${id}`);
    return rateTable(regions, { unit: "accesses/s", address: "va", spaces, notes });
  }

  /** Regions are neither reads nor writes; they stand as reads. */
  counts(): AccessCounts {
    return { reads: this.#regions, writes: 0, fetches: 0, splitAccesses: 0, others: this.#others };
  }

  #add(id: string, regions: number, firstPage: number, endPage: number, accesses: number): void {
    let target = this.#targets.get(id);
    const isFull =
      target === undefined ? this.#targets.size >= MAX_TARGETS : target.sums.size >= MAX_BORDERS;
    if (isFull) {
      this.#beyond += 1;
      return;
    }
    if (target === undefined) {
      target = { sums: new RegionSums(), snapshots: 0 };
      this.#targets.set(id, target);
    }
    this.#regions += 1;
    this.#most = Math.max(this.#most, accesses);
    target.snapshots += 1 / regions;
    if (accesses > 0) target.sums.add(firstPage, endPage, accesses);
  }
}

export const damon: StatisticsFormat = {
  id: "damon",
  streamClass: "statistics",
  isBinary: false,
  bias: "averages over regions of many pages; reads and writes are not told apart",
  sniff(head) {
    for (const [from, to] of wholeLines(head)) {
      const text = textOf(head, from, Math.min(to, from + MAX_LINE_BYTES));
      if (/damon_aggregated: target_id=\d/.test(text))
        return { applies: true, reason: "damon_aggregated events" };
    }
    return { applies: false, reason: "no damon_aggregated event" };
  },
  read: (source, options) => new RateLinesReader("damon", source, options, new DamonLines(options)),
};
