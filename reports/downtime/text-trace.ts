import type { DowntimeEstimate } from "../../replay/migration/estimate-types.ts";
import { durationText } from "../../replay/migration/significant.ts";
import {
  formatCount,
  formatTable,
  type TableColumn,
  type TerminalOptions,
  visible,
} from "../terminal.ts";
import { intervalText, valueText } from "./text-values.ts";
import { recordedBlackoutS, type ReportView, type TraceView } from "./view.ts";

const COLUMNS: readonly TableColumn[] = [
  { header: "phase", align: "left", key: true },
  { header: "from", align: "right" },
  { header: "time", align: "right" },
  { header: "begins with", align: "left" },
  { header: "write faults", align: "right" },
  { header: "pages dirtied", align: "right" },
  { header: "clears", align: "right" },
  { header: "pages cleared", align: "right" },
  { header: "blocks broken", align: "right" },
  { header: "collapses", align: "right" },
];

/** Phases of the migration as recorded: counted and timed, not estimated. */
export function formatTrace(view: TraceView, options: TerminalOptions): string {
  const { vm, inputs, input } = view;
  const rows = vm.phases.map(({ name, pass, startNs, endNs, start, facts }) => [
    pass === undefined ? name : `${name} ${pass}`,
    `${(inputs.baseS + startNs / 1e9).toFixed(6)} s`,
    durationText((endNs - startNs) / 1e9),
    `${start.what}${start.line === undefined ? "" : ` (line ${start.line})`}, ${start.confidence}`,
    formatCount(facts.writeFaults),
    formatCount(facts.dirtiedPages),
    formatCount(facts.clears),
    formatCount(facts.clearedPages),
    formatCount(facts.blocksBroken),
    formatCount(facts.collapses),
  ]);
  const heading = `${visible(input.path)}, VM ${vm.vm}: ${vm.outcome}. Phases as recorded\n`;
  const unknown = [...inputs.unknown, ...vm.unknown].map(
    ({ quantity, because }) => `  not known: ${visible(quantity)}, because ${visible(because)}\n`,
  );
  return (
    heading +
    formatTable(COLUMNS, rows, options) +
    unknown.join("") +
    holds(view, options) +
    prices(view, options)
  );
}

/** How long calls took that hold mmu_lock, as recorded. */
function holds({ vm }: TraceView, options: TerminalOptions): string {
  const rows = vm.phases.flatMap(({ name, pass, facts }) =>
    Object.entries(facts.holds).map(([kind, hold]) => [
      pass === undefined ? name : `${name} ${pass}`,
      kind.replace("_", " "),
      hold.lock,
      formatCount(hold.count),
      durationText(hold.medianNs / 1e9),
      durationText(hold.p95Ns / 1e9),
      `${durationText(hold.maxNs / 1e9)} (line ${hold.maxLine})`,
      durationText(hold.sumNs / 1e9),
    ]),
  );
  if (rows.length === 0) return "";
  const columns: readonly TableColumn[] = [
    { header: "phase", align: "left", key: true },
    { header: "call", align: "left", key: true },
    { header: "lock", align: "left" },
    { header: "calls", align: "right" },
    { header: "median", align: "right" },
    { header: "95 %", align: "right" },
    { header: "longest", align: "right" },
    { header: "together", align: "right" },
  ];
  return `\nTime inside calls that hold mmu_lock, as recorded (an upper bound of the hold: probes add to it)\n${formatTable(columns, rows, options)}`;
}

/** What the flushes of the phases cost, one after the other. */
function prices({ prices: priced, vm }: TraceView, options: TerminalOptions): string {
  const policies = [...new Set(priced.map(({ policy }) => policy))];
  if (policies.length === 0) return "";
  const columns: readonly TableColumn[] = [
    { header: "phase", align: "left", key: true },
    ...policies.map((policy) => ({ header: policy, align: "left" }) as const),
  ];
  const rows = vm.phases.map(({ name, pass, startNs }) => [
    pass === undefined ? name : `${name} ${pass}`,
    ...policies.map((policy) => {
      const one = priced.find((price) => price.policy === policy && price.startNs === startNs);
      if (one === undefined) return "–";
      const more = one.unknownCalls === 0 ? "" : ` +≤${formatCount(one.unknownCalls)}`;
      const calls = `${formatCount(one.calls)}${more}`;
      if (one.interval === undefined) return `${calls} calls`;
      return `${calls} calls, ${intervalText("rollback_stall", one.interval)}`;
    }),
  ]);
  return `\nBroadcast flushes by phase, and what they cost one after the other, median [5 % to 95 %]\n${formatTable(columns, rows, options)}`;
}

/** The guest downtime that the trace itself shows (a local migration), and the estimate beside it. */
export function formatRecorded(view: TraceView, { policies }: DowntimeEstimate): string {
  const recordedS = recordedBlackoutS(view);
  if (recordedS === undefined) return "";
  const lines = policies.map(({ id, estimates }) => {
    const found = estimates.find(({ quantity }) => quantity === "guest_downtime")?.interval;
    if (found === undefined) return `  ${id}: no estimate\n`;
    const place = found.p5 <= recordedS && recordedS <= found.p95 ? "inside" : "OUTSIDE";
    return `  ${id}: ${intervalText("guest_downtime", found)}, recorded lies ${place}\n`;
  });
  return `Guest downtime as recorded: ${durationText(recordedS)} without a running vCPU, until one of another VM of the trace runs\n${lines.join("")}`;
}

/** What a VMM reported, and the estimate beside it. */
export function formatReport(report: ReportView, options: TerminalOptions): string {
  const version = report.version === null ? "version not said" : report.version;
  const lines = [
    `${visible(report.path)}: ${report.format} of ${report.vmm}, ${visible(version)}, ${report.outcome}\n`,
    ...report.contradictions.map((text) => `  CONTRADICTION: ${visible(text)}\n`),
    ...report.notes.map((text) => `  ${visible(text)}\n`),
    ...(report.unknownFields.length === 0
      ? []
      : [`  fields that are not read: ${visible(report.unknownFields.join(", "))}\n`]),
  ];
  if (report.comparisons.length === 0) return `\n${lines.join("")}`;
  const columns: readonly TableColumn[] = [
    { header: "reported", align: "left", key: true },
    { header: "value", align: "right" },
    { header: "policy", align: "left" },
    { header: "estimated", align: "left" },
    { header: "verdict", align: "left" },
  ];
  const rows = report.comparisons.map((one) => [
    one.what,
    valueText(one.quantity, one.reported),
    one.policy,
    one.p50 === undefined
      ? "–"
      : intervalText(one.quantity, {
          p5: one.p5 ?? one.p50,
          p50: one.p50,
          p95: one.p95 ?? one.p50,
          values: 1,
          of: 1,
        }),
    one.verdict,
  ]);
  return `\n${lines.join("")}${formatTable(columns, rows, options)}`;
}
