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
  /**
   * Against the first policy, draw by draw: `median` of the certain calls with a price; the ends have the others
   * in them. Undefined for that one, and where `because` says why.
   */
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
/** Without a price, but with a bound: the same instructions, and nobody else to wait for. */
const LOCAL: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>(["IPA_LOCAL", "CPU"]);
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
  /** By calls: most operations make as many as others. */
  readonly #known = new Map<string, Stall>();

  constructor(calibration: Calibration) {
    this.#pricer = new FlushPricer(shippedTable(calibration), DEFAULT_SEED);
  }

  stall(call: PrimitiveCall, calls: CallsByPrimitive): Stall {
    const { certain, undecided } = calls;
    const key = JSON.stringify([
      Array.from(certain),
      Array.from(undecided),
      call.repeatTlbi,
      call.singlesOnly,
    ]);
    const stall = this.#known.get(key) ?? stallOf(this.#drawn(call, calls));
    this.#known.set(key, stall);
    return stall;
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
        const difference =
          at === 0 ? NO_DIFFERENCE : differenceOf(drawn[at]!, drawn[0]!, this.#pricer, repeats);
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

/**
 * Undecided calls may be made or not, under either policy. A call that stays on its CPU has no price, but takes at
 * most what it would take if it were broadcast: that widens the ends.
 */
function differenceOf(
  one: Drawn,
  other: Drawn,
  pricer: FlushPricer,
  repeats: boolean,
): Pick<PolicyStall, "differenceUs" | "verdict" | "because"> {
  const nets = PRIMITIVES.map((primitive) => netOf(primitive, one, other));
  const boundless = nets.filter(
    ({ primitive, low, high }) => !LOCAL.has(primitive) && (low !== 0 || high !== 0),
  );
  if (boundless.length > 0) {
    const names = boundless.map(({ primitive }) => primitive).join(" and ");
    const because = `${names} calls have no price, and how many there are differs`;
    return { differenceUs: undefined, verdict: "unknown", because };
  }
  const local = (end: "low" | "high"): Float64Array => {
    const callsOfEnd = (name: PrimitiveName): number => nets[PRIMITIVES.indexOf(name)]![end];
    const clipped = (net: number): number => (end === "low" ? Math.min(0, net) : Math.max(0, net));
    const [ipa, cpu] = [clipped(callsOfEnd("IPA_LOCAL")), clipped(callsOfEnd("CPU"))];
    return pricer.seconds(ipa, cpu, 0, repeats);
  };
  const [least, most] = [local("low"), local("high")];
  const { draws: a } = one;
  const { draws: b } = other;
  const certain = sorted(a.certain.map((value, i) => value - b.certain[i]!));
  const lowest = sorted(a.certain.map((value, i) => value - b.most[i]! + least[i]!));
  const highest = sorted(a.most.map((value, i) => value - b.certain[i]! + most[i]!));
  const differenceUs = {
    low: rounded(quantile(lowest, 0.05)),
    median: rounded(quantile(certain, 0.5)),
    high: rounded(quantile(highest, 0.95)),
  };
  const { low, high } = differenceUs;
  if (low === 0 && high === 0) {
    return { differenceUs, verdict: "no difference", because: "equal in every draw" };
  }
  if (low <= 0 && high >= 0) {
    return { differenceUs, verdict: "unknown", because: "the interval holds 0" };
  }
  return { differenceUs, verdict: high < 0 ? "less" : "more", because: undefined };
}

/** How many more calls without a price `one` makes than `other`, at least and at most. */
function netOf(
  primitive: PrimitiveName,
  one: Drawn,
  other: Drawn,
): { readonly primitive: PrimitiveName; readonly low: number; readonly high: number } {
  const calls = (list: readonly UnpricedCalls[]): number =>
    list.find((entry) => entry.primitive === primitive)?.calls ?? 0;
  return {
    primitive,
    low: calls(one.unpricedCertain) - calls(other.unpriced),
    high: calls(one.unpriced) - calls(other.unpricedCertain),
  };
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
