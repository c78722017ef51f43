/**
 * Distributions of inputs and constants, by their inverse: a uniform number becomes a value. One uniform number a
 * constant and draw, whatever the policy, is what makes comparisons paired.
 */

/** A value that is known as a range; `low` = `high` where it is known. */
export interface Ranged {
  readonly low: number;
  readonly high: number;
  /** `log-uniform` where not even the order of magnitude is known. */
  readonly law: "uniform" | "log-uniform";
}

export function point(value: number): Ranged {
  return { low: value, high: value, law: "uniform" };
}

/** The middle: of the logarithms for `log-uniform`. */
export function middle(ranged: Ranged): number {
  return drawRanged(ranged, 0.5);
}

export function drawRanged({ low, high, law }: Ranged, u: number): number {
  if (low === high) return low;
  return law === "uniform" ? low + (high - low) * u : low * (high / low) ** u;
}

/** Ranges over more than this are drawn on a logarithmic scale: their tail is a factor, not a term. */
const WIDE = 5;

/** Triangular, highest at the mode: linear, or of the logarithms where high / low is more than 5. */
export function drawTriangular(low: number, mode: number, high: number, u: number): number {
  if (low === high) return mode;
  if (low > 0 && high / low > WIDE) {
    return Math.exp(triangular(Math.log(low), Math.log(mode), Math.log(high), u));
  }
  return triangular(low, mode, high, u);
}

function triangular(low: number, mode: number, high: number, u: number): number {
  const split = (mode - low) / (high - low);
  if (u < split) return low + Math.sqrt(u * (high - low) * (mode - low));
  return high - Math.sqrt((1 - u) * (high - low) * (high - mode));
}

/** Two independent standard normal numbers from two uniform ones (Box and Muller). */
export function normalPair(u1: number, u2: number): readonly [number, number] {
  const radius = Math.sqrt(-2 * Math.log1p(-u1));
  return [radius * Math.cos(2 * Math.PI * u2), radius * Math.sin(2 * Math.PI * u2)];
}

/**
 * Standard normal distribution function, within 1e-7: Abramowitz and Stegun 26.2.17. Good enough to couple
 * draws; no result is a probability of its own.
 */
export function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const series =
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (series * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
  return x > 0 ? 1 - tail : tail;
}
