import { paint, type TerminalOptions, visible } from "../terminal.ts";
import { formatBasis } from "./text-basis.ts";
import { formatCase } from "./text-case.ts";
import { formatPasses } from "./text-passes.ts";
import {
  formatComponents,
  formatDifferences,
  formatQuantities,
  formatWhiskers,
} from "./text-quantities.ts";
import { formatRecorded, formatReport, formatTrace } from "./text-trace.ts";
import type { DowntimeView } from "./view.ts";

/** The terminal report of `downtime`. The first line says whether a choice of structure decides. */
export function formatDowntime(view: DowntimeView, options: TerminalOptions): string {
  const { estimate, trace, published, reports } = view;
  const sections = [
    `${paint(estimate.headline, "bold", options)}\n`,
    published === undefined ? "" : formatCase(published, estimate, options),
    trace === undefined ? "" : formatTrace(trace, options),
    ...reports.map((report) => formatReport(report, options)),
    formatPasses(estimate, options),
    formatQuantities(estimate, options),
    trace === undefined ? "" : formatRecorded(trace, estimate),
    formatWhiskers(estimate),
    formatComponents(estimate, options),
    formatDifferences(estimate, options),
    formatBasis(estimate, options),
    list(
      "Policies",
      estimate.policies.map(
        ({ id, mechanics }) =>
          `${id}: lock and table walk ${mechanics.because}; ${formOf(mechanics)}`,
      ),
    ),
    list(
      "Settings",
      view.settings.map(({ name, value, origin }) => `${name}: ${String(value)} (${origin})`),
    ),
    list("Read this with it", [...view.warnings, ...LIMITS]),
  ];
  return sections
    .filter((text) => text !== "")
    .map((text) => (text.startsWith("\n") ? text.slice(1) : text))
    .join("\n");
}

function formOf({
  collapseFlush,
  logFlush,
  epoch,
}: DowntimeView["estimate"]["policies"][number]["mechanics"]): string {
  return `${epoch.lock} faults, table freed ${epoch.tableFree === "rcu" ? "later" : "in the fault"}, collapse flushes ${collapseFlush}, log flushes ${logFlush}`;
}

const LIMITS: readonly string[] = [
  "estimated, not measured; `downtime` of a VMM, a client's gap, a vCPU's stall and a roll-back stall are different quantities",
  "the loop is open: another kernel would take other faults, which changes what it flushes",
  "the source's stage-2 policy does not change what the destination pays for its first touches",
];

function list(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return `${title}\n${lines.map((line) => `  ${visible(line)}\n`).join("")}`;
}
