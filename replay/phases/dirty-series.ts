import type { DirtyCurve, DirtyInterval } from "../migration/inputs.ts";

/** Most points of a curve, and of intervals, that are kept. */
const MAX_POINTS = 256;
const MAX_INTERVALS = 4096;

/**
 * A count that only grows, over time. Where there are more points than it keeps, every other one is dropped:
 * those that stay are exact.
 */
export class GrowthCurve {
  readonly #startNs: number;
  #tNs: number[] = [];
  #pages: number[] = [];
  #count = 0;
  #every = 1;
  #lastNs = 0;

  constructor(startNs: number) {
    this.#startNs = startNs;
    this.#lastNs = startNs;
  }

  get count(): number {
    return this.#count;
  }

  grow(tsNs: number): void {
    this.#count += 1;
    this.#lastNs = tsNs;
    if (this.#count % this.#every !== 0) return;
    this.#tNs.push(tsNs);
    this.#pages.push(this.#count);
    if (this.#tNs.length <= MAX_POINTS) return;
    // The counts that stay are multiples of the doubled step.
    this.#tNs = this.#tNs.filter((_, at) => at % 2 === 1);
    this.#pages = this.#pages.filter((_, at) => at % 2 === 1);
    this.#every *= 2;
  }

  curve(): DirtyCurve {
    const isAtEnd = this.#pages.at(-1) === this.#count || this.#count === 0;
    return {
      startNs: this.#startNs,
      tNs: Float64Array.from(isAtEnd ? this.#tNs : [...this.#tNs, this.#lastNs]),
      pages: Float64Array.from(isAtEnd ? this.#pages : [...this.#pages, this.#count]),
    };
  }
}

/** Sums in intervals of equal length from a start on. Where there are too many, the length is doubled. */
export class IntervalSeries {
  readonly startNs: number;
  #intervalNs: number;
  #dirtied: number[] = [];
  #newly: number[] = [];
  #cleared: number[] = [];

  constructor(startNs: number, intervalNs: number) {
    this.startNs = startNs;
    this.#intervalNs = intervalNs;
  }

  get intervalNs(): number {
    return this.#intervalNs;
  }

  dirtied(tsNs: number, isNew: boolean): void {
    const at = this.#place(tsNs);
    this.#dirtied[at]! += 1;
    if (isNew) this.#newly[at]! += 1;
  }

  cleared(tsNs: number, pages: number): void {
    this.#cleared[this.#place(tsNs)]! += pages;
  }

  /** Up to the end of logging: the last interval may be shorter. */
  intervals(endNs: number): readonly DirtyInterval[] {
    if (endNs > this.startNs) this.#place(endNs - 1);
    return this.#dirtied.map((dirtiedPages, at) => {
      const startNs = this.startNs + at * this.#intervalNs;
      return {
        startNs,
        endNs: Math.max(startNs, Math.min(endNs, startNs + this.#intervalNs)),
        dirtiedPages,
        newlyDirtiedPages: this.#newly[at]!,
        clearedPages: this.#cleared[at]!,
      };
    });
  }

  #place(tsNs: number): number {
    let at = Math.max(0, Math.floor((tsNs - this.startNs) / this.#intervalNs));
    while (at >= MAX_INTERVALS) {
      this.#intervalNs *= 2;
      this.#dirtied = joined(this.#dirtied);
      this.#newly = joined(this.#newly);
      this.#cleared = joined(this.#cleared);
      at = Math.floor((tsNs - this.startNs) / this.#intervalNs);
    }
    while (this.#dirtied.length <= at) {
      this.#dirtied.push(0);
      this.#newly.push(0);
      this.#cleared.push(0);
    }
    return at;
  }
}

/** Sums of neighbours. */
function joined(counts: readonly number[]): number[] {
  return Array.from(
    { length: Math.ceil(counts.length / 2) },
    (_, at) => counts[2 * at]! + (counts[2 * at + 1] ?? 0),
  );
}
