/**
 * Time in a fixed number of bins of equal width, whatever the trace's length: where an event lies beyond
 * the last bin, the width doubles and neighbours are added together. Widths are powers of two, so that
 * every boundary is a whole number of ns.
 */
export class TimeBins {
  readonly count: number;
  /** Time of the first event, in ns as the trace's events have it; NaN before that. */
  originNs: number = Number.NaN;
  widthNs: number;
  /** Bins in use. */
  used = 0;
  readonly #folds: (() => void)[] = [];

  constructor(count: number, widthNs: number = 1024) {
    this.count = count;
    this.widthNs = widthNs;
  }

  /** Who keeps numbers by bin adds neighbours together when told. */
  onFold(fold: () => void): void {
    this.#folds.push(fold);
  }

  /** An event that a clock puts before the first one counts in the first bin. */
  binOf(tsNs: number): number {
    if (Number.isNaN(this.originNs)) this.originNs = tsNs;
    let bin = Math.floor((tsNs - this.originNs) / this.widthNs);
    while (bin >= this.count) {
      this.widthNs *= 2;
      this.used = Math.ceil(this.used / 2);
      for (const fold of this.#folds) fold();
      bin = Math.floor((tsNs - this.originNs) / this.widthNs);
    }
    if (!(bin > 0)) bin = 0;
    if (bin >= this.used) this.used = bin + 1;
    return bin;
  }
}

/** Adds neighbours together, in the first `count` numbers from `offset`. */
export function foldSums(values: Float64Array, offset: number, count: number): void {
  const half = count / 2;
  for (let i = 0; i < half; i += 1) {
    values[offset + i] = values[offset + 2 * i]! + values[offset + 2 * i + 1]!;
  }
  values.fill(0, offset + half, offset + count);
}
