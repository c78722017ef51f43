import type { FlushRow } from "../replay/results.ts";
import type { Hypothesis } from "../replay/tlb/shape.ts";
import type { KnobEntry, RefillReport } from "./refill-entry.ts";
import { formatCount, formatTable, type TableColumn, type TerminalOptions } from "./terminal.ts";

interface Range {
  readonly low: number;
  readonly base: number;
  readonly high: number;
}

/** What one policy's flushes cost under one hypothesis: in kinds that are not to be added up. */
export interface Cost {
  readonly policy: string;
  readonly hypothesis: Hypothesis;
  /** Refills × walk latency: time of vCPUs, in guests. */
  readonly refillNs: Range;
  /** Walk references × latency of one, where one is stated. */
  readonly referenceNs: number | null;
  /** Calls × time of one: time of the CPU that flushes, in the host. */
  readonly flushNs: Range;
  readonly flushCalls: number;
  /** Translations that splitting made out of one: entries that the same memory needs more. */
  readonly reachLostEntries: number;
  /** Exits on pages that had been mapped before. */
  readonly refaults: number;
}

/** Of summary.json. */
export interface CostEntry {
  readonly policy: string;
  readonly hypothesis: string;
  readonly refill_ns: Range;
  readonly reference_ns: number | null;
  readonly flush_ns: Range;
  readonly flush_calls: number;
  readonly reach_lost_entries: number;
  readonly refaults: number;
}

export function costsOf(
  { result, knobs }: RefillReport,
  flushes: readonly FlushRow[],
): readonly Cost[] {
  const walk = rangeOf(knobs, "walkNs");
  const flush = rangeOf(knobs, "flushNs");
  const refNs = rangeOf(knobs, "refNs").base;
  const { pagesSplit, blocksSplit, refaults } = result.counts;
  return result.totals.map(({ policy, hypothesis, combined, walkReferences }) => {
    const calls = flushes
      .filter((row) => row.policy === policy)
      .reduce((sum, row) => sum + row.calls, 0);
    return {
      policy,
      hypothesis,
      refillNs: {
        low: combined.low * walk.low,
        base: combined.median * walk.base,
        high: combined.high * walk.high,
      },
      referenceNs: refNs > 0 ? walkReferences.median * refNs : null,
      flushNs: { low: calls * flush.low, base: calls * flush.base, high: calls * flush.high },
      flushCalls: calls,
      reachLostEntries: pagesSplit - blocksSplit,
      refaults,
    };
  });
}

function rangeOf(knobs: readonly KnobEntry[], name: string): Range {
  const knob = knobs.find((one) => one.name === name);
  const base = Number(knob?.value ?? 0);
  const [low, high] = knob?.range ?? [base, base];
  return { low, base, high };
}

export function costEntry(cost: Cost): CostEntry {
  return {
    policy: cost.policy,
    hypothesis: cost.hypothesis,
    refill_ns: cost.refillNs,
    reference_ns: cost.referenceNs,
    flush_ns: cost.flushNs,
    flush_calls: cost.flushCalls,
    reach_lost_entries: cost.reachLostEntries,
    refaults: cost.refaults,
  };
}

const COLUMNS: readonly TableColumn[] = [
  { header: "policy", align: "left", key: true },
  { header: "hypothesis", align: "left", key: true },
  { header: "refills, us (low to high)", align: "right" },
  { header: "walk references, us", align: "right" },
  { header: "flush calls", align: "right" },
  { header: "flushing, us (low to high)", align: "right" },
  { header: "reach lost, entries", align: "right" },
  { header: "refaults", align: "right" },
];

/** Each cost in a column of its own. Reach and refaults are the trace's: the same under every policy. */
export function formatCosts(
  report: RefillReport,
  flushes: readonly FlushRow[],
  options: TerminalOptions,
): string {
  const rows = costsOf(report, flushes).map((cost) => [
    cost.policy,
    cost.hypothesis,
    rangeText(cost.refillNs),
    cost.referenceNs === null ? "no latency stated" : microseconds(cost.referenceNs),
    formatCount(cost.flushCalls),
    rangeText(cost.flushNs),
    formatCount(cost.reachLostEntries),
    formatCount(cost.refaults),
  ]);
  return [
    "\nCosts, by stated latencies (below); kinds of their own, not to be added up. Reach and refaults are the trace's, whatever the policy\n",
    formatTable(COLUMNS, rows, options),
  ].join("");
}

function rangeText({ low, base, high }: Range): string {
  return `${microseconds(base)} (${microseconds(low)} to ${microseconds(high)})`;
}

function microseconds(ns: number): string {
  const rounded = Math.round(ns / 1000);
  return rounded < 0 ? `-${formatCount(-rounded)}` : formatCount(rounded);
}
