import type { FlushRow } from "../replay/results.ts";
import { type Hypothesis, HYPOTHESES, type WalkGeometry } from "../replay/tlb/shape.ts";
import type {
  RefillDifference,
  RefillResult,
  RefillTotal,
  Spread,
} from "../replay/tlb/refills/refill-result.ts";
import { formatMissCurve } from "./miss-curve.ts";
import { formatCosts } from "./refill-costs.ts";
import { refillAssumptions, type RefillReport, traceTime } from "./refill-entry.ts";
import { streamLines } from "./stream-entry.ts";
import {
  formatCount,
  formatTable,
  type TableColumn,
  type TerminalOptions,
  visible,
} from "./terminal.ts";
import { totalsOf } from "./totals.ts";

const MEANINGS: Readonly<Record<Hypothesis, string>> = {
  minimum: "each TLBI drops what it must, and stage-2-only entries of every size exist",
  combined: "as the preset has them; vmalle1 drops all combined entries of the VM",
  "over-invalidating": "any TLBI empties the first level, one by IPA all stage-2-only entries",
};

/**
 * What `analyze --tlb` prints: first whether the conclusion depends on the hypothesis, then each policy
 * under each, then the differences on the same visits. Refills, reach, refaults and TLBIs stand in
 * columns of their own: they are not the same thing, and nothing is summed.
 */
export function formatRefills(
  report: RefillReport,
  flushes: readonly FlushRow[],
  options: TerminalOptions,
): string {
  const { result, shape, knobs, baseNs, walk, streamFile } = report;
  const { bound } = result;
  const fileLines = streamFile === undefined ? [] : streamLines(streamFile, result);
  const file = fileLines.map((line) => `  ${visible(line)}\n`).join("");
  const heading = `\nTLB refills on ${result.tlb}, stream ${result.stream}`;
  if (!result.isKnown) {
    return `${heading}: unknown, because ${whyUnknown(result)}\n${file === "" ? "" : `\nThe stream\n${file}`}`;
  }
  const lines = [
    `${heading}: ${conclusionOf(result)}`,
    ...hypothesesOf(result).map((one) => `  ${one}: ${orderText(result, one)}`),
    "",
    intervalText(result),
  ];
  const shown = shape
    .map((source) => `  ${source.part} ${source.text} (${visible(source.origin)})\n`)
    .join("");
  const assumed = [
    ...refillAssumptions(result),
    ...knobs.map(
      ({ name, value, range, unit, origin }) =>
        `${name} = ${value}${range === undefined ? "" : ` (${range.join(" to ")})`}${unit === "" ? "" : ` ${unit}`} (${origin})`,
    ),
  ];
  return [
    `${lines.join("\n")}\n`,
    formatTotals(result, flushes, options),
    formatStale(result, baseNs),
    formatClosedForm(result),
    result.wholeVm === undefined ? formatCosts(report, flushes, options) : "",
    `\nDifferences on the same visits (${result.counts.seeds} seeds, least to most)\n`,
    formatDifferences(result, options),
    formatMissCurve(result.missCurve, options),
    "\nHypotheses\n",
    ...hypothesesOf(result).map((one) => `  ${one}: ${result.wholeVm?.meaning ?? MEANINGS[one]}\n`),
    "\nThe modelled TLB\n",
    shown,
    walkText(walk),
    `  hard bound of each flush: the least of ${formatCount(bound.entries)} pages in both levels, the pages mapped, and ${bound.walkers} walks at once of ${bound.shortestWalkNs} ns until the next flush (walks at once recalled, time measured on Zen 4)\n`,
    file === "" ? "" : `\nThe stream\n${file}`,
    "\nAssumed of the guest\n",
    ...assumed.map((line) => `  ${visible(line)}\n`),
  ].join("");
}

function hypothesesOf({ order }: RefillResult): readonly Hypothesis[] {
  return HYPOTHESES.filter((one) => order[one] !== undefined);
}

/** The first line: does the answer depend on what the hardware does? */
function conclusionOf(result: RefillResult): string {
  if (hypothesesOf(result).some((one) => result.order[one]!.flat().length < 2))
    return "one policy, nothing to compare";
  const walks = result.walkFlips.map(
    ([policy, than]) =>
      `; BY WALK REFERENCES THE ORDER OF ${policy} AND ${than} FLIPS between them`,
  );
  return `${refillConclusion(result)}${walks.join("")}`;
}

function refillConclusion({ isStable, wholeVm }: RefillResult): string {
  if (wholeVm !== undefined) return "the order of the policies, from the fewest on";
  return isStable
    ? "the order of the policies is the same under all three hypotheses of the hardware"
    : "THE ORDER OF THE POLICIES FLIPS between the hypotheses of the hardware";
}

function orderText(result: RefillResult, hypothesis: Hypothesis): string {
  return result.order[hypothesis]!.map((group) => group.join(" = ")).join(" < ");
}

function whyUnknown({ counts, streamKind }: RefillResult): string {
  const { visitsOutside, visitsUnmapped, guestMs } = counts;
  const met = visitsOutside + visitsUnmapped;
  if (met > 0)
    return `none of ${formatCount(met)} visits met memory that the trace has mapped then`;
  if (guestMs > 0 && streamKind !== "proven")
    return "no access was due while a vCPU was in a guest";
  return "the trace shows no time of a known VM in a guest (kvm_entry, kvm_exit)";
}

function intervalText({ streamKind, counts }: RefillResult): string {
  if (streamKind === "timed") {
    return "Refills per policy: those of the file's accesses at their times; low and high with other stage-1 pages and undecided calls";
  }
  if (streamKind === "proven") {
    return "Refills per policy: those of the accesses that the trace proves, a lower bound";
  }
  return `Refills per policy: low to high over the scenarios, base: median of ${counts.seeds} seeds [least to most]`;
}

const TOTAL_COLUMNS: readonly TableColumn[] = [
  { header: "policy", align: "left", key: true },
  { header: "hypothesis", align: "left", key: true },
  { header: "low", align: "right" },
  { header: "base [seeds]", align: "right" },
  { header: "high", align: "right" },
  { header: "hard bound", align: "right" },
  { header: "stage-2 refills", align: "right" },
  { header: "walk references", align: "right" },
  { header: "stale hits", align: "right" },
  { header: "pages split to 4K", align: "right" },
  { header: "faults", align: "right" },
  { header: "TLBI", align: "right" },
];

function formatTotals(
  result: RefillResult,
  flushes: readonly FlushRow[],
  options: TerminalOptions,
): string {
  const { pagesSplit, guestFaults } = result.counts;
  const rows = result.totals.map((total: RefillTotal) => [
    total.policy,
    total.hypothesis,
    text(total.combined.low),
    spreadText(total.combined),
    text(total.combined.high),
    `≤${text(total.bound)}`,
    total.stage2 === null ? "not split" : text(total.stage2.median),
    text(total.walkReferences.median),
    text(total.staleHits),
    // Of the trace, whatever the policy: the loop is open.
    text(pagesSplit),
    text(guestFaults),
    formatCount(totalsOf(flushes, total.policy).tlbi),
  ]);
  return formatTable(TOTAL_COLUMNS, rows, options);
}

/** References of a walk from nothing, and with every stage-2 lookup hitting. */
function walkText({ stage1Levels: s, stage2Levels: t }: WalkGeometry): string {
  const all = (s + 1) * (t + 1) - 1;
  return `  a walk from nothing reads ${all} references (${s} stage-1 levels, ${t} of stage 2), ${s} with stage 2 cached\n`;
}

/** Beside the simulation: another model on the same inputs. */
function formatClosedForm({ closedForm }: RefillResult): string {
  if (closedForm === undefined) return "";
  const { totals, entries, translations } = closedForm;
  const found = totals.map(
    ({ policy, refills, intervals }) =>
      `${policy} ${text(refills)} (${formatCount(intervals)} times between flushes)`,
  );
  return `\nCross-check without simulating: closed form of ${formatCount(entries)} LRU entries and ${formatCount(translations)} translations (combined, first seed; a TLB that is warm at every flush, pages that stay: more than simulated where pages come and go): ${found.join(", ")}\n`;
}

/** Examples of each policy in the terminal; summary.json has more. */
const STALE_SHOWN = 3;

function formatStale({ staleExamples }: RefillResult, baseNs: bigint): string {
  if (staleExamples.length === 0) return "";
  const policies = [...new Set(staleExamples.map(({ policy }) => policy))];
  const shown = policies.flatMap((policy) =>
    staleExamples.filter((one) => one.policy === policy).slice(0, STALE_SHOWN),
  );
  const lines = shown.map(({ policy, hypothesis, tsNs, cpu, pid, ipa, isWrite, held, flush }) =>
    visible(
      `${policy} (${hypothesis}): at ${traceTime(tsNs, baseNs)} ns, CPU ${cpu}, thread ${pid}: a ${isWrite ? "write" : "read"} at 0x${ipa.toString(16)} used ${held}; flushed: ${flush}`,
    ),
  );
  return `\nSTALE HITS: guests used translations that are gone, under ${policies.join(", ")}; the first\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

const DIFFERENCE_COLUMNS: readonly TableColumn[] = [
  { header: "policy", align: "left", key: true },
  { header: "than", align: "left", key: true },
  { header: "hypothesis", align: "left", key: true },
  { header: "refills", align: "right" },
  { header: "verdict", align: "left" },
  { header: "walk references", align: "right" },
  { header: "verdict", align: "left" },
];

function formatDifferences(result: RefillResult, options: TerminalOptions): string {
  const rows = result.differences.map((one: RefillDifference) => [
    one.policy,
    one.than,
    one.hypothesis,
    spreadText(one.combined),
    one.verdict,
    spreadText(one.walkReferences),
    one.walkVerdict,
  ]);
  return formatTable(DIFFERENCE_COLUMNS, rows, options);
}

function spreadText({ median, seedMin, seedMax }: Spread): string {
  return `${text(median)} [${text(seedMin)} to ${text(seedMax)}]`;
}

function text(value: number): string {
  const rounded = Math.round(value);
  return rounded < 0 ? `-${formatCount(-rounded)}` : formatCount(rounded);
}
