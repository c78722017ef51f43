import type { DirtyCurve, DirtyInterval } from "../migration/inputs.ts";
import { GrowthCurve, IntervalSeries } from "./dirty-series.ts";
import { PageSet } from "./page-set.ts";

/** Most passes that have a curve of their own. */
const MAX_CURVES = 256;

/** What a write fault did to the sets. */
export const Dirtied = { again: 0, inPass: 1, ever: 2 } as const;

/**
 * Pages that faults made writable while their memslot was logged. A page faults once after each
 * write-protection, which is when KVM marks it dirty; host writes (device models, pvtime) are not seen.
 */
export class DirtyPages {
  readonly #sinceClear = new PageSet();
  readonly #ever = new PageSet();
  readonly #growth: GrowthCurve;
  readonly #intervals: IntervalSeries;
  readonly #passCurves: GrowthCurve[] = [];
  #workingSetPages: number | undefined;

  constructor(startNs: number, intervalNs: number) {
    this.#growth = new GrowthCurve(startNs);
    this.#intervals = new IntervalSeries(startNs, intervalNs);
  }

  get workingSetPages(): number {
    return this.#workingSetPages ?? this.#ever.size;
  }

  /** Nothing more is dirtied: only the sums are kept. */
  seal(): void {
    this.#workingSetPages = this.workingSetPages;
    this.#sinceClear.clear();
    this.#ever.clear();
  }

  get intervalNs(): number {
    return this.#intervals.intervalNs;
  }

  beginPass(tsNs: number): void {
    if (this.#passCurves.length < MAX_CURVES) this.#passCurves.push(new GrowthCurve(tsNs));
  }

  write(page: number, tsNs: number): number {
    if (!this.#sinceClear.add(page)) return Dirtied.again;
    const isNew = this.#ever.add(page);
    this.#intervals.dirtied(tsNs, isNew);
    this.#passCurves.at(-1)?.grow(tsNs);
    if (!isNew) return Dirtied.inPass;
    this.#growth.grow(tsNs);
    return Dirtied.ever;
  }

  /** One word of a mask: bits 31:0 and 63:32. */
  clearWord(firstPage: number, low: number, high: number, tsNs: number, pages: number): void {
    for (let bit = 0; bit < 32; bit += 1) {
      if (((low >>> bit) & 1) === 1) this.#sinceClear.delete(firstPage + bit);
      if (((high >>> bit) & 1) === 1) this.#sinceClear.delete(firstPage + 32 + bit);
    }
    this.#intervals.cleared(tsNs, pages);
  }

  /** A range was write-protected, without a mask. */
  clearRange(page: number, endPage: number): void {
    this.#sinceClear.deleteRange(page, endPage);
  }

  curve(): DirtyCurve {
    return this.#growth.curve();
  }

  passCurves(): readonly DirtyCurve[] {
    return this.#passCurves.map((one) => one.curve());
  }

  intervals(endNs: number): readonly DirtyInterval[] {
    return this.#intervals.intervals(endNs);
  }
}
