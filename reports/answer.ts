import type { FlushRow } from "../replay/results.ts";
import type { RefillEntry } from "./refill-entry.ts";
import { formatCount } from "./terminal.ts";
import { type PolicyTotals, RECORDED, totalsOf } from "./totals.ts";

/** What a result says in short, each sentence with the interval of its number. */
export interface Answer {
  readonly sentence: string;
  /** How sure it is: exact, bounds because …, modelled. */
  readonly certainty: string;
  /** What the guest loses, where a TLB was modelled. */
  readonly refills: string | undefined;
}

export interface AnswerInput {
  readonly flushes: readonly FlushRow[];
  readonly inference?: unknown;
  readonly refills?: RefillEntry | undefined;
}

/**
 * @param policies in the order asked for; the first is what the others are compared with.
 */
export function answerOf(input: AnswerInput, policies: readonly string[]): Answer {
  const totals = policies
    .filter((policy) => policy !== RECORDED)
    .map((policy) => totalsOf(input.flushes, policy));
  const [first, ...others] = totals;
  if (first === undefined) {
    return { sentence: "No policy was replayed.", certainty: "", refills: undefined };
  }
  const far = furthest(first, others);
  return {
    sentence: far === undefined ? alone(first, input.flushes) : compared(first, far),
    certainty: certaintyOf(far === undefined ? [first] : [first, far], input),
    refills: far === undefined ? undefined : refillsOf(input.refills, first.policy, far.policy),
  };
}

/** The policy whose calls differ most from the first one's, as a ratio. */
function furthest(first: PolicyTotals, others: readonly PolicyTotals[]): PolicyTotals | undefined {
  const distance = ({ tlbi, calls }: PolicyTotals): number =>
    Math.abs(Math.log((tlbi + 1) / (first.tlbi + 1))) +
    Math.abs(Math.log((calls + 1) / (first.calls + 1)));
  let found: PolicyTotals | undefined;
  for (const other of others) {
    if (found === undefined || distance(other) > distance(found)) found = other;
  }
  return found;
}

function alone(totals: PolicyTotals, flushes: readonly FlushRow[]): string {
  const recorded = totalsOf(flushes, RECORDED);
  const tlbi = totals.tlbi === 0 ? "" : ` with ${formatCount(totals.tlbi)} TLBI instructions`;
  const own = `${totals.policy} issues ${callsText(totals)}${tlbi} for these operations`;
  return recorded.calls === 0 ? `${own}.` : `${own}; the trace recorded ${callsText(recorded)}.`;
}

function compared(first: PolicyTotals, far: PolicyTotals): string {
  const calls = `${far.policy} issues ${callsText(far)} where ${first.policy} issues ${callsOnly(first)}`;
  const ratio = ratioRange(far, first);
  const times = ratio === undefined ? "" : `: ${ratio} times as many`;
  // x86 has no such instruction.
  const tlbi =
    far.tlbi + first.tlbi === 0
      ? ""
      : `, in ${formatCount(far.tlbi)} TLBI instructions against ${formatCount(first.tlbi)}`;
  return `For the same operations, ${calls}${times}${tlbi}.`;
}

function callsText(totals: PolicyTotals): string {
  return `${callsOnly(totals)} invalidation calls`;
}

/** `222`, or `222 to 230` where the trace leaves calls undecided. */
export function callsOnly({ calls, unknownCalls }: PolicyTotals): string {
  const low = formatCount(calls);
  return unknownCalls === 0 ? low : `${low} to ${formatCount(calls + unknownCalls)}`;
}

/** How many times as many calls, as far as it is certain. */
function ratioRange(of: PolicyTotals, to: PolicyTotals): string | undefined {
  if (to.calls === 0) return undefined;
  const low = ratioText(of.calls / (to.calls + to.unknownCalls));
  const high = ratioText((of.calls + of.unknownCalls) / to.calls);
  return low === high ? low : `${low} to ${high}`;
}

function certaintyOf(totals: readonly PolicyTotals[], input: AnswerInput): string {
  if (input.inference !== undefined) {
    return "Inferred from stock tracepoints: the least and the most that fit what was recorded.";
  }
  if (totals.some(({ unknownCalls }) => unknownCalls > 0)) {
    return "The interval is what the trace leaves undecided: state that it does not show.";
  }
  return "Exact for these operations: the trace leaves no call undecided.";
}

function refillsOf(
  refills: RefillEntry | undefined,
  first: string,
  other: string,
): string | undefined {
  if (refills?.is_known !== true) return undefined;
  const pair = refills.differences.find(
    ({ policy, than, hypothesis }) =>
      hypothesis === "combined" &&
      ((policy === first && than === other) || (policy === other && than === first)),
  );
  if (pair === undefined) return undefined;
  const { median, low, high } = pair.combined_refills;
  const [a, b] = [pair.policy, pair.than];
  if (median === 0 && low === 0 && high === 0) {
    return `On the modelled ${refills.tlb}, both cost the guest the same TLB refills (${refills.stream} accesses).`;
  }
  const more = median >= 0;
  const size = (value: number): string => formatCount(Math.round(more ? value : -value));
  const [least, most] = more ? [low, high] : [high, low];
  return `On the modelled ${refills.tlb}, ${a} costs the guest ${size(median)} TLB refills ${more ? "more" : "fewer"} than ${b} (${size(least)} to ${size(most)}; ${refills.stream} accesses${refills.stream === "generated" ? ", assumed" : ""}).`;
}

/** Three significant digits, never an exponent. */
export function ratioText(ratio: number): string {
  if (ratio === 0) return "0";
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(ratio)));
  if (decimals === 0) return formatCount(Math.round(ratio));
  return ratio.toFixed(Math.min(decimals, 6));
}
