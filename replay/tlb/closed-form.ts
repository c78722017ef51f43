/**
 * Refills without a simulation. For independent references with rates λᵢ and an LRU TLB of C entries, let
 * T solve Σ(1 − e^(−λᵢT)) = C (Che, Tung and Wang 2002). One isolated flush of everything then costs, on
 * average, the pages that are touched at least twice within T:
 *
 *     R = Σ [1 − (1 + λᵢT) e^(−λᵢT)]
 *
 * An approximation: it holds within a few percent where the TLB holds many pages.
 */
export interface Characteristic {
  /** In the unit of 1/rate; Infinity where every page fits. */
  readonly time: number;
  readonly refills: number;
  /** Share of accesses that miss in the steady state. */
  readonly missRatio: number;
}

/**
 * @param rates accesses of each page in some unit of time, none negative.
 * @param entries TLB entries, more than 0.
 * @throws RangeError for rates or entries that are no such numbers.
 */
export function characteristicOf(rates: ArrayLike<number>, entries: number): Characteristic {
  checkInputs(rates, entries);
  let used = 0;
  let total = 0;
  for (let i = 0; i < rates.length; i += 1) {
    if (rates[i]! > 0) used += 1;
    total += rates[i]!;
  }
  if (used <= entries) return { time: Infinity, refills: used, missRatio: 0 };
  const time = solveTime(rates, entries, total);
  let refills = 0;
  let missed = 0;
  for (let i = 0; i < rates.length; i += 1) {
    const x = rates[i]! * time;
    refills -= Math.expm1(-x) + x * Math.exp(-x);
    missed += rates[i]! * Math.exp(-x);
  }
  return { time, refills, missRatio: missed / total };
}

function checkInputs(rates: ArrayLike<number>, entries: number): void {
  if (!(entries > 0)) throw new RangeError(`a TLB of ${entries} entries`);
  for (let i = 0; i < rates.length; i += 1) {
    const rate = rates[i]!;
    if (!(rate >= 0 && rate < Infinity)) throw new RangeError(`rate ${i} is ${rate}`);
  }
}

/** Bisection: the expected number of distinct pages grows with the time. */
function solveTime(rates: ArrayLike<number>, entries: number, total: number): number {
  const distinct = (time: number): number => {
    let sum = 0;
    for (let i = 0; i < rates.length; i += 1) sum -= Math.expm1(-rates[i]! * time);
    return sum;
  };
  let low = 0;
  let high = entries / total;
  while (distinct(high) < entries) {
    low = high;
    high *= 2;
  }
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (distinct(middle) < entries) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Refills after one flush that the next follows a time `within` later: a page touched in that time, less
 * those that would have missed anyway. With the characteristic time itself it is that one's `refills`.
 * @param known what `characteristicOf` says of these rates and entries, where that is known already.
 * @param within in the unit of 1/rate; more than the characteristic time counts as that.
 * @throws RangeError as `characteristicOf`, or for a negative time.
 */
export function refillsWithin(
  rates: ArrayLike<number>,
  entries: number,
  within: number,
  known?: Characteristic,
): number {
  if (!(within >= 0)) throw new RangeError(`refills within a time of ${within}`);
  const { time, refills } = known ?? characteristicOf(rates, entries);
  if (within >= time) return refills;
  let sum = 0;
  for (let i = 0; i < rates.length; i += 1) {
    const x = rates[i]! * within;
    const missed = time === Infinity ? 0 : x * Math.exp(-rates[i]! * time);
    sum -= Math.expm1(-x) + missed;
  }
  return sum;
}
