import type { PagesInUse } from "./access-source.ts";
import { SPACE_STEP } from "./recorded-sequence.ts";

/**
 * How a file's addresses become IPAs, which a recording inside a guest does not tell:
 * - `packed`: its pages, by address, stand for the pages that the trace maps, in order of first sight; what
 *   is more than the trace maps so far lies outside;
 * - `offset`: every address plus an offset is an IPA, and what the trace does not map lies outside.
 */
export type Placing =
  | { readonly mode: "packed" }
  | { readonly mode: "offset"; readonly offsetPages: number };

/** Where the pages of a file lie in a VM. Its pages are of 4 KiB or as large as the trace's. */
export class PlacedPages {
  /** By number of a page of the file: rank among the pages of the trace's size, or its IPA page. */
  readonly #place: Float64Array;
  readonly #isPacked: boolean;
  /** Different pages of the trace's size. */
  readonly count: number;

  /**
   * @param pageKeys by number of a page, as `RecordedSequence` has them.
   * @param divisor pages of the file that a page of the trace holds.
   */
  constructor(pageKeys: Float64Array, divisor: number, placing: Placing) {
    const whole = pageKeys.map((key) => Math.floor(key / divisor));
    const distinct = Float64Array.from(new Set(whole)).sort();
    this.count = distinct.length;
    this.#isPacked = placing.mode === "packed";
    if (placing.mode === "packed") {
      const rankOf = new Map<number, number>();
      for (const [rank, key] of distinct.entries()) rankOf.set(key, rank);
      this.#place = whole.map((key) => rankOf.get(key)!);
    } else {
      const { offsetPages } = placing;
      this.#place = pageKeys.map((key) => Math.floor(((key % SPACE_STEP) + offsetPages) / divisor));
    }
  }

  /** Number in the footprint of a page of the file; -1: outside. */
  indexOf(number: number, pages: PagesInUse): number {
    const place = this.#place[number]!;
    if (!this.#isPacked) return pages.indexOf(place);
    return place < pages.length ? place : -1;
  }
}
