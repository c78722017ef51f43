/** One measurement: so much work took so long. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** y = offset + slope · x. */
export interface Line {
  readonly slope: number;
  readonly offset: number;
  /** 90 % interval of the slope; undefined where the points are too few. */
  readonly low: number | undefined;
  readonly high: number | undefined;
}

/** Points from which on an interval is told: with fewer every pair would have to lie inside. */
export const LEAST_FOR_INTERVAL = 5;
/** Of the standard normal distribution, for 90 % in the middle. */
const Z_90 = 1.6449;

/**
 * Theil–Sen line: the median of the slopes between all pairs, which up to 29 % of wild points do not move, and
 * Sen's interval of it from Kendall's statistic (Sen 1968; Hollander & Wolfe, §9.3). Undefined where no two
 * points differ in x.
 */
export function theilSenLine(points: readonly Point[]): Line | undefined {
  const slopes: number[] = [];
  for (const [at, a] of points.entries()) {
    for (const b of points.slice(at + 1)) {
      if (a.x !== b.x) slopes.push((b.y - a.y) / (b.x - a.x));
    }
  }
  if (slopes.length === 0) return undefined;
  slopes.sort((a, b) => a - b);
  const slope = medianOfSorted(slopes);
  const offset = median(points.map(({ x, y }) => y - slope * x));
  const interval =
    points.length < LEAST_FOR_INTERVAL ? undefined : senInterval(slopes, points.length);
  return { slope, offset, low: interval?.[0], high: interval?.[1] };
}

function senInterval(sorted: readonly number[], points: number): readonly [number, number] {
  const spread = Z_90 * Math.sqrt((points * (points - 1) * (2 * points + 5)) / 18);
  const { length } = sorted;
  const lower = Math.max(0, Math.floor((length - spread) / 2) - 1);
  const upper = Math.min(length - 1, Math.ceil((length + spread) / 2));
  return [sorted[lower]!, sorted[upper]!];
}

/** y = ratio · x: the median of the ratios, with the least and the greatest. Undefined without a point of x > 0. */
export function medianRatio(
  points: readonly Point[],
): { readonly ratio: number; readonly least: number; readonly greatest: number } | undefined {
  const ratios = points.filter(({ x }) => x > 0).map(({ x, y }) => y / x);
  if (ratios.length === 0) return undefined;
  ratios.sort((a, b) => a - b);
  return { ratio: medianOfSorted(ratios), least: ratios[0]!, greatest: ratios.at(-1)! };
}

export function median(values: readonly number[]): number {
  return medianOfSorted([...values].sort((a, b) => a - b));
}

function medianOfSorted(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Root of the mean square of the residuals, over the mean of y. */
export function relativeResidual(points: readonly Point[], fitted: readonly number[]): number {
  let squares = 0;
  let sum = 0;
  for (const [at, { y }] of points.entries()) {
    squares += (y - fitted[at]!) ** 2;
    sum += Math.abs(y);
  }
  return Math.sqrt(squares / points.length) / (sum / points.length);
}
