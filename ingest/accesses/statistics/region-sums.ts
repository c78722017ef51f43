/**
 * Sums over regions that overlap in any way, as differences at their borders: the sum of a page is that of
 * all borders up to it. Whole numbers, so that what was added is taken away exactly.
 */
export class RegionSums {
  readonly #steps = new Map<number, number>();

  /** Borders held; memory grows with them. */
  get size(): number {
    return this.#steps.size;
  }

  add(firstPage: number, endPage: number, value: number): void {
    this.#steps.set(firstPage, (this.#steps.get(firstPage) ?? 0) + value);
    this.#steps.set(endPage, (this.#steps.get(endPage) ?? 0) - value);
  }

  /** Parts of equal sum, ascending; those of sum 0 are left out. */
  *parts(): Generator<{
    readonly firstPage: number;
    readonly endPage: number;
    readonly sum: number;
  }> {
    const borders = Float64Array.from(this.#steps.keys()).sort();
    let sum = 0;
    for (let i = 0; i + 1 < borders.length; i += 1) {
      sum += this.#steps.get(borders[i]!)!;
      if (sum > 0) yield { firstPage: borders[i]!, endPage: borders[i + 1]!, sum };
    }
  }
}
