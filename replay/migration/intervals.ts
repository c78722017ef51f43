/** Order statistics of draws. NaN stands for "no value in this draw" and is left out. */
export interface Interval {
  readonly p5: number;
  readonly p50: number;
  readonly p95: number;
  /** Draws with a value, of all. */
  readonly values: number;
  readonly of: number;
}

/** Undefined where no draw has a value. */
export function intervalOf(draws: Float64Array): Interval | undefined {
  const sorted = draws.filter((value) => !Number.isNaN(value)).sort();
  if (sorted.length === 0) return undefined;
  return {
    p5: quantile(sorted, 0.05),
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    values: sorted.length,
    of: draws.length,
  };
}

/** Linear between the order statistics. `sorted` is ascending and not empty. */
export function quantile(sorted: Float64Array, q: number): number {
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  const share = at - low;
  // Not a + share·(b − a) with infinities about: equal neighbours stay what they are.
  return share === 0 ? sorted[low]! : sorted[low]! * (1 - share) + sorted[high]! * share;
}

/** How two policies differ, draw by draw. */
export interface PairedDifference {
  readonly difference: Interval;
  readonly ratio: Interval | undefined;
  readonly verdict: "less" | "more" | "no difference";
  readonly because: string | undefined;
}

/**
 * `one` against `other` on the same draws. No difference where the 90 % interval of the difference holds zero,
 * or where its median is below what could be measured.
 * @param resolution of the measurement, in the unit of the draws; 0: none is known.
 */
export function pairedDifference(
  one: Float64Array,
  other: Float64Array,
  resolution: number,
): PairedDifference | undefined {
  const difference = intervalOf(one.map((value, i) => value - other[i]!));
  if (difference === undefined) return undefined;
  const ratio = intervalOf(
    one.map((value, i) => (other[i] === 0 ? Number.NaN : value / other[i]!)),
  );
  const { p5, p50, p95 } = difference;
  if (p5 <= 0 && p95 >= 0) {
    const because =
      p5 === 0 && p95 === 0 ? "equal in every draw" : "the paired 90 % interval holds 0";
    return { difference, ratio, verdict: "no difference", because };
  }
  if (Math.abs(p50) < resolution) {
    return {
      difference,
      ratio,
      verdict: "no difference",
      because: "its median is below what could be measured",
    };
  }
  return { difference, ratio, verdict: p50 < 0 ? "less" : "more", because: undefined };
}

/** Spearman's rank correlation over draws where both have a value; undefined where one does not vary. */
export function rankCorrelation(xs: Float64Array, ys: Float64Array): number | undefined {
  const both: number[] = [];
  xs.forEach((x, i) => {
    if (!Number.isNaN(x) && !Number.isNaN(ys[i]!)) both.push(i);
  });
  const a = ranks(both.map((i) => xs[i]!));
  const b = ranks(both.map((i) => ys[i]!));
  const mean = (both.length - 1) / 2;
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < both.length; i += 1) {
    const da = a[i]! - mean;
    const db = b[i]! - mean;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa === 0 || bb === 0 ? undefined : ab / Math.sqrt(aa * bb);
}

/** Ranks from 0, equal values sharing the mean of theirs. */
function ranks(values: readonly number[]): Float64Array {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const result = new Float64Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end += 1;
    for (let i = start; i < end; i += 1) result[order[i]!] = (start + end - 1) / 2;
    start = end;
  }
  return result;
}
