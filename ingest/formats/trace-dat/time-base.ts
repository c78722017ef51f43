const TWO_32 = 4294967296;

/**
 * The clock value that all times of a file are counted from while it is read: a 64-bit number in two
 * halves, so that times become exact doubles without a bigint each.
 */
export class TimeBase {
  high = 0;
  low = 0;
  isSet = false;

  set(high: number, low: number): void {
    this.high = high;
    this.low = low;
    this.isSet = true;
  }

  /** Ns (or ticks) from the base to a clock value; inexact only beyond 2^53, which `isExact` tells. */
  relative(high: number, low: number): number {
    return (high - this.high) * TWO_32 + (low - this.low);
  }

  /** The clock value of a relative time. */
  absolute(relativeNs: number): bigint {
    return (BigInt(this.high) << 32n) + BigInt(this.low) + BigInt(relativeNs);
  }
}

/** Whether two clock values are so far apart that their distance would not be exact: over 104 days. */
export function isExact(relativeNs: number): boolean {
  return Math.abs(relativeNs) <= Number.MAX_SAFE_INTEGER;
}

/**
 * The time stamp that most others are near to: one of them may be damaged, and the others must not be
 * judged by it. Stamps as high and low halves in turn.
 */
export function typicalStamp(stamps: readonly number[]): readonly [number, number] {
  let best = 0;
  let bestNear = -1;
  for (let i = 0; i + 1 < stamps.length; i += 2) {
    let near = 0;
    for (let j = 0; j + 1 < stamps.length; j += 2) {
      const apart = (stamps[i]! - stamps[j]!) * TWO_32 + (stamps[i + 1]! - stamps[j + 1]!);
      if (isExact(apart)) near += 1;
    }
    if (near > bestNear) {
      best = i;
      bestNear = near;
    }
  }
  return [stamps[best] ?? 0, stamps[best + 1] ?? 0];
}
