/** What is told of many values. Every figure but the mean is the value of one of them. */
export interface Distribution {
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly mean: number;
}

/**
 * Percentiles by nearest rank: p95 is the smallest value that at least 95 of 100 do not exceed, so of
 * fewer than 20 values it is the largest. The order in which the values came does not matter. Undefined
 * where there is no value.
 */
export function distributionOf(values: readonly number[]): Distribution | undefined {
  if (values.length === 0) return undefined;
  const sorted = Float64Array.from(values).sort();
  const rank = (percent: number): number =>
    // The product first: 0.95 * 20 is not 19.
    sorted[Math.ceil((percent * sorted.length) / 100) - 1]!;
  let sum = 0;
  // Sorted, so that the rounding does not depend on the order either.
  for (const value of sorted) sum += value;
  return {
    n: sorted.length,
    min: sorted[0]!,
    p50: rank(50),
    p95: rank(95),
    p99: rank(99),
    max: sorted.at(-1)!,
    mean: sum / sorted.length,
  };
}
