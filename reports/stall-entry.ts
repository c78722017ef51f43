import { unitText } from "../replay/costs/cost.ts";
import { PRICE_DRAWS } from "../replay/migration/flush-prices.ts";
import type { PolicyStall, StallEstimate, StallRange } from "../replay/timeline/stall-estimate.ts";

/** `stall` of summary.json: the flushes of each policy in time, one entry a calibration. */
export interface StallEntry {
  readonly calibration: string;
  readonly seed: number;
  readonly draws: number;
  readonly constants: readonly StallConstant[];
  readonly policies: readonly StallTotal[];
}

/** A constant of the price, with all that is known of it. */
export interface StallConstant {
  readonly name: string;
  readonly meaning: string;
  readonly unit: string;
  readonly low: number;
  readonly likely: number;
  readonly high: number;
  readonly conditions: string;
  readonly measured_on: string;
  readonly source: string;
  readonly date: string;
  readonly evidence: string;
}

export interface StallTotal {
  readonly policy: string;
  readonly priced_calls: number;
  /** Calls without a price, undecided ones among them. */
  readonly unpriced: readonly {
    readonly primitive: string;
    readonly calls: number;
    readonly because: string;
  }[];
  /** Null where none of its calls has a price. */
  readonly stall_us: StallRange | null;
  /** Against the first policy, draw by draw; null for that one, and where it is not known. */
  readonly difference_us: StallRange | null;
  readonly verdict: string | null;
  readonly because: string | null;
}

export function stallEntries(estimates: readonly StallEstimate[]): readonly StallEntry[] {
  return estimates.map(({ calibration, seed, constants, policies }) => ({
    calibration,
    seed,
    draws: PRICE_DRAWS,
    constants: constants.map((cost) => ({
      name: cost.name,
      meaning: cost.meaning,
      unit: unitText(cost),
      low: cost.low,
      likely: cost.mode,
      high: cost.high,
      conditions: cost.conditions,
      measured_on: cost.measuredOn,
      source: cost.source,
      date: cost.date,
      evidence: cost.evidence,
    })),
    policies: policies.map(totalOf),
  }));
}

function totalOf(stall: PolicyStall): StallTotal {
  return {
    policy: stall.policy,
    priced_calls: stall.pricedCalls,
    unpriced: stall.unpriced.map(({ primitive, calls, because }) => ({
      primitive,
      calls,
      because,
    })),
    stall_us: stall.us ?? null,
    difference_us: stall.differenceUs ?? null,
    verdict: stall.verdict ?? null,
    because: stall.because ?? null,
  };
}
