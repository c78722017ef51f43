import type { Calibration } from "../costs/cost.ts";
import { type EffectiveCost, shippedTable } from "../costs/cost-table.ts";
import { DEFAULT_SEED } from "../migration/draws.ts";
import { FlushPricer, type UnpricedCalls } from "../migration/flush-prices.ts";
import { quantile } from "../migration/intervals.ts";
import { callOf, recordedCallOf, type ReplayConfig } from "../replay.ts";
import type { FlushRow } from "../results.ts";
import type { PrimitiveCall } from "../tlbi/instructions.ts";
import { PRIMITIVES, type PrimitiveName } from "../tlbi/primitives.ts";

/** Certain calls and those that may have been made besides, in the order of PRIMITIVES. */
export interface CallsByPrimitive {
  readonly certain: ArrayLike<number>;
  readonly undecided: ArrayLike<number>;
}

/**
 * µs. `low`: 5 of 100 draws of the constants are below, without the undecided calls; `median` of the certain
 * calls; `high`: 95 of 100 are below, with all undecided calls made.
 */
export interface StallRange {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

/** What calls take of their CPUs' time, one after the other; refills and waiting for locks are not in it. */
export interface Stall {
  /** Of the calls with a price; undefined where there are calls, and no certain one has one. */
  readonly us: StallRange | undefined;
  readonly pricedCalls: number;
  /** Undecided ones among them. */
  readonly unpriced: readonly UnpricedCalls[];
}

export interface PolicyStall extends Stall {
  readonly policy: string;
  /** Against the first policy, draw by draw; undefined for that one, and where `because` says why. */
  readonly differenceUs: StallRange | undefined;
  readonly verdict: "less" | "more" | "no difference" | "unknown" | undefined;
  readonly because: string | undefined;
}

/** Stalls under one calibration, with the constants that decide them. */
export interface StallEstimate {
  readonly calibration: Calibration;
  readonly seed: number;
  readonly constants: readonly EffectiveCost[];
  readonly policies: readonly PolicyStall[];
}

/** Constants that a price of a flush is made of. */
const USED: ReadonlySet<string> = new Set(["t_ipa", "t_vmid", "t_rng", "kappa"]);
const REPEATED = "repeat_factor";
const US = 1e6;
/** Digits kept: far more than is known, few enough not to depend on a machine's arithmetic. */
const DIGITS = 6;

interface Draws {
  readonly certain: Float64Array;
  /** With all undecided calls. */
  readonly most: Float64Array;
}

/** Prices of flushes under one calibration, the same draws for all. */
export class StallPricer {
  readonly #pricer: FlushPricer;

  constructor(calibration: Calibration) {
    this.#pricer = new FlushPricer(shippedTable(calibration), DEFAULT_SEED);
  }

  stall(call: PrimitiveCall, calls: CallsByPrimitive): Stall {
    return stallOf(this.#drawn(call, calls));
  }

  /** @param calls how the calls of each policy of the rows become instructions, the reference first. */
  estimate(
    rows: readonly FlushRow[],
    calls: readonly { readonly id: string; readonly call: PrimitiveCall }[],
  ): StallEstimate {
    const { table, seed } = this.#pricer;
    const drawn = calls.map(({ call, id }) => this.#drawn(call, callsOf(rows, id)));
    const repeats = calls.some(({ call }) => (call.repeatTlbi ?? "none") !== "none");
    return {
      calibration: table.calibration,
      seed,
      constants: table.costs.filter(({ name }) => USED.has(name) || (repeats && name === REPEATED)),
      policies: calls.map(({ id }, at) => {
        const difference = at === 0 ? NO_DIFFERENCE : differenceOf(drawn[at]!, drawn[0]!);
        return { policy: id, ...stallOf(drawn[at]!), ...difference };
      }),
    };
  }

  #drawn(call: PrimitiveCall, { certain, undecided }: CallsByPrimitive): Drawn {
    const least = this.#pricer.price(call, certain);
    const all = PRIMITIVES.map((_, code) => certain[code]! + undecided[code]!);
    const most = this.#pricer.price(call, all);
    return {
      draws: { certain: least.seconds, most: most.seconds },
      pricedCalls: least.pricedCalls,
      unpriced: most.unpriced,
      unpricedCertain: least.unpriced,
    };
  }
}

interface Drawn {
  readonly draws: Draws;
  readonly pricedCalls: number;
  readonly unpriced: readonly UnpricedCalls[];
  readonly unpricedCertain: readonly UnpricedCalls[];
}

function stallOf({ draws, pricedCalls, unpriced }: Drawn): Stall {
  const hasNoPrice = pricedCalls === 0 && unpriced.length > 0;
  const us = hasNoPrice ? undefined : rangeOf(draws.certain, draws.most);
  return { us, pricedCalls, unpriced };
}

/** Idle and loaded constants come from different experiments: two estimates, never one of both. */
export function stallEstimates(
  rows: readonly FlushRow[],
  config: ReplayConfig,
  isRecorded: boolean,
): readonly StallEstimate[] {
  const calls = config.policies.map(({ policy, features }) => ({
    id: policy.id,
    call: callOf(config.pageShift, policy, features),
  }));
  if (isRecorded) calls.push({ id: "recorded", call: recordedCallOf(config) });
  return (["idle", "loaded"] as const).map((calibration) =>
    new StallPricer(calibration).estimate(rows, calls),
  );
}

const NO_DIFFERENCE = { differenceUs: undefined, verdict: undefined, because: undefined } as const;

/** Calls without a price cancel where both policies make as many of them, and all of them for certain. */
function differenceOf(
  one: Drawn,
  other: Drawn,
): Pick<PolicyStall, "differenceUs" | "verdict" | "because"> {
  const differing = differingPrimitives(one, other);
  if (differing.length > 0) {
    const because = `${differing.join(" and ")} calls have no price, and how many there are differs`;
    return { differenceUs: undefined, verdict: "unknown", because };
  }
  const { draws: a } = one;
  const { draws: b } = other;
  const certain = sorted(a.certain.map((value, i) => value - b.certain[i]!));
  const lowest = sorted(a.certain.map((value, i) => value - b.most[i]!));
  const highest = sorted(a.most.map((value, i) => value - b.certain[i]!));
  const differenceUs = {
    low: rounded(quantile(lowest, 0.05)),
    median: rounded(quantile(certain, 0.5)),
    high: rounded(quantile(highest, 0.95)),
  };
  const { low, high } = differenceUs;
  if (low <= 0 && high >= 0) {
    const because = low === 0 && high === 0 ? "equal in every draw" : "the interval holds 0";
    return { differenceUs, verdict: "no difference", because };
  }
  return { differenceUs, verdict: high < 0 ? "less" : "more", because: undefined };
}

/** Primitives without a price whose calls do not cancel. */
function differingPrimitives(one: Drawn, other: Drawn): readonly PrimitiveName[] {
  const callsOfPrimitive = (list: readonly UnpricedCalls[], name: PrimitiveName): number =>
    list.find(({ primitive }) => primitive === name)?.calls ?? 0;
  return PRIMITIVES.filter((name) => {
    const certain = callsOfPrimitive(one.unpricedCertain, name);
    return [
      callsOfPrimitive(one.unpriced, name),
      callsOfPrimitive(other.unpriced, name),
      callsOfPrimitive(other.unpricedCertain, name),
    ].some((calls) => calls !== certain);
  });
}

function callsOf(rows: readonly FlushRow[], policy: string): CallsByPrimitive {
  const certain = new Float64Array(PRIMITIVES.length);
  const undecided = new Float64Array(PRIMITIVES.length);
  for (const row of rows) {
    if (row.policy !== policy) continue;
    const code = PRIMITIVES.indexOf(row.primitive);
    certain[code]! += row.calls;
    undecided[code]! += row.unknown_calls;
  }
  return { certain, undecided };
}

function rangeOf(certain: Float64Array, most: Float64Array): StallRange {
  const order = sorted(certain);
  return {
    low: rounded(quantile(order, 0.05)),
    median: rounded(quantile(order, 0.5)),
    high: rounded(quantile(sorted(most), 0.95)),
  };
}

function sorted(values: Float64Array): Float64Array {
  return values.slice().sort();
}

function rounded(seconds: number): number {
  return Number((seconds * US).toPrecision(DIGITS));
}
