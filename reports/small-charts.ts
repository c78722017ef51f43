import type { FlushRow } from "../replay/results.ts";
import type { TimelineRow } from "../replay/timeline/flush-density.ts";
import { formatCount, type TerminalOptions, visible } from "./terminal.ts";
import { totalsOf } from "./totals.ts";

/** Eighths of a cell, from the left, and from below. */
const BARS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const STEPS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** Widest drawing, and narrowest that still shows something. */
const MOST = 60;
const LEAST = 10;

/** TLBI instructions of each policy as bars, where there is anything to compare. */
export function formatBars(
  flushes: readonly FlushRow[],
  policies: readonly string[],
  options: TerminalOptions,
): string {
  const rows = policies.map((policy) => ({ policy, tlbi: totalsOf(flushes, policy).tlbi }));
  const most = Math.max(0, ...rows.map(({ tlbi }) => tlbi));
  if (most === 0 || rows.length < 2) return "";
  const room = roomFor(policies, options, formatCount(most).length + 1);
  const lines = rows.map(({ policy, tlbi }) => {
    const name = padded(policy, policies);
    return `${name}  ${bar((tlbi / most) * room)} ${formatCount(tlbi)}`;
  });
  return `\nTLBI instructions\n${lines.map((line) => `${line}\n`).join("")}`;
}

/** TLBI instructions over the time of the trace, a line a policy; each policy has its own height. */
export function formatSparklines(
  timeline: readonly TimelineRow[],
  policies: readonly string[],
  options: TerminalOptions,
): string {
  if (timeline.length === 0) return "";
  const cells = roomFor(policies, options, 0);
  let endNs = 0;
  for (const { start_ns, bin_ns } of timeline) endNs = Math.max(endNs, start_ns + bin_ns);
  const lines = policies.flatMap((policy) => {
    const sums = new Float64Array(cells);
    for (const row of timeline) {
      if (row.policy !== policy) continue;
      sums[Math.min(cells - 1, Math.floor((row.start_ns / endNs) * cells))]! += row.tlbi;
    }
    const most = Math.max(...sums);
    if (most === 0) return [];
    const marks = Array.from(sums, (sum) =>
      sum === 0 ? " " : STEPS[Math.min(7, Math.ceil((8 * sum) / most) - 1)]!,
    );
    return [`${padded(policy, policies)}  ${marks.join("")}  at most ${formatCount(most)}`];
  });
  const seconds = Number((endNs / cells / 1e9).toPrecision(2));
  return `\nTLBI instructions over time (a mark is ${seconds} s)\n${lines.map((line) => `${line}\n`).join("")}`;
}

function bar(cells: number): string {
  const eighths = Math.max(1, Math.round(cells * 8));
  return "█".repeat(Math.floor(eighths / 8)) + BARS[eighths % 8]!;
}

function roomFor(policies: readonly string[], { width }: TerminalOptions, besides: number): number {
  const names = Math.max(...policies.map((policy) => visible(policy).length));
  const free = (width ?? 100) - names - 2 - Math.max(besides, 20);
  return Math.max(LEAST, Math.min(MOST, free));
}

function padded(policy: string, policies: readonly string[]): string {
  return visible(policy).padEnd(Math.max(...policies.map((name) => visible(name).length)));
}
