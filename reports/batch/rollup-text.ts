import {
  formatTable,
  plural,
  type TableColumn,
  type TerminalOptions,
  visible,
} from "../terminal.ts";
import type { GroupKey, Rollup, Share } from "./rollup.ts";

/** Of failures, losses and changes a terminal shows so many; rollup.json has all. */
const SHOWN = 20;

const KEY_COLUMNS: readonly TableColumn[] = [
  { header: "host model", align: "left" },
  { header: "VM type", align: "left" },
  { header: "kernel", align: "left" },
  { header: "policy", align: "left", key: true },
];

function right(header: string): TableColumn {
  return { header, align: "right" };
}

/** A roll-up for a terminal: what was done, one metric by group, the worst traces, what changed. */
export function formatRollup(rollup: Rollup, options: TerminalOptions): string {
  return [
    counts(rollup),
    failures(rollup),
    groups(rollup, options),
    worst(rollup, options),
    drift(rollup, options),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function counts({ traces }: Rollup): string {
  const lines = [
    `${plural(traces.planned, "trace")} planned: ${traces.done} done, ${traces.failed} failed, ${traces.missing} missing`,
  ];
  if (traces.refused + traces.duplicates > 0) {
    lines.push(
      `besides: ${traces.refused} left out by the plan, ${traces.duplicates} named twice and counted once`,
    );
  }
  if (traces.lossy > 0) {
    lines.push(`${traces.lossy} of those done lost data or were inferred from: bounds`);
  }
  return `${lines.join("\n")}\n`;
}

function failures(rollup: Rollup): string {
  const shown = rollup.failures.slice(0, SHOWN);
  const lines = shown.map(({ trace, code, message }) => `  ${trace}: ${message} [${code}]`);
  const left = rollup.failures.length - shown.length;
  if (left > 0) lines.push(`  and ${left} more in rollup.json`);
  return lines.map((line) => `${visible(line)}\n`).join("");
}

function groups(rollup: Rollup, options: TerminalOptions): string {
  const metric = rollup.metrics.find(({ name }) => name === rollup.worst_by);
  if (metric === undefined) return "";
  const columns = [
    ...KEY_COLUMNS,
    right("traces"),
    right("p50"),
    right("p95"),
    right("p99"),
    right("not converging"),
    right(rollup.slo_ms === null ? "above SLO" : `above ${rollup.slo_ms} ms`),
  ];
  const rows = rollup.groups.flatMap((group) => {
    const found = group.metrics[metric.name];
    if (found === undefined) return [];
    return [
      [
        ...keyCells(group),
        String(found.n),
        figure(found.p50),
        figure(found.p95),
        figure(found.p99),
        percent(group.not_converging),
        percent(group.above_slo),
      ],
    ];
  });
  return `${metric.name} (${metric.unit}) by group:\n${formatTable(columns, rows, options)}`;
}

function worst(rollup: Rollup, options: TerminalOptions): string {
  if (rollup.worst.length === 0) return "";
  const columns = [
    { header: "trace", align: "left", key: true } as const,
    right(rollup.worst_by ?? ""),
    { header: "policy", align: "left" } as const,
    { header: "result", align: "left" } as const,
  ];
  const rows = rollup.worst.map(({ trace, value, policy, result, report, is_lossy }) => [
    trace,
    is_lossy ? `lossy ${figure(value)}` : figure(value),
    policy,
    report ?? result,
  ]);
  return `worst ${plural(rows.length, "trace")}:\n${formatTable(columns, rows, options)}`;
}

function drift(rollup: Rollup, options: TerminalOptions): string {
  if (rollup.drift === null) return "";
  const { changes, groups_appeared, groups_vanished, parameters_changed } = rollup.drift;
  const head =
    `since the earlier roll-up: ${plural(changes.length, "figure")} changed, ` +
    `${plural(groups_appeared.length, "group")} new, ${groups_vanished.length} gone` +
    `${parameters_changed ? "; the parameters differ" : ""}\n`;
  if (changes.length === 0) return head;
  const largest = changes.toSorted(
    (a, b) => Math.abs(b.relative ?? Infinity) - Math.abs(a.relative ?? Infinity),
  );
  const columns = [
    ...KEY_COLUMNS,
    right("figure"),
    right("before"),
    right("after"),
    right("change"),
  ];
  const rows = largest
    .slice(0, SHOWN)
    .map((change) => [
      ...keyCells(change),
      `${change.metric} ${change.statistic}`,
      figure(change.before),
      figure(change.after),
      change.relative === null
        ? "from 0"
        : `${change.relative > 0 ? "+" : ""}${(change.relative * 100).toFixed(1)} %`,
    ]);
  return head + formatTable(columns, rows, options);
}

function keyCells({ host_model, vm_type, kernel, policy }: GroupKey): readonly string[] {
  return [host_model, vm_type, kernel, policy];
}

/** Whole numbers in full, others with three decimals. */
function figure(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : value.toFixed(3);
}

function percent(share: Share | null): string {
  if (share === null) return "–";
  return `${((share.traces / share.of) * 100).toFixed(1)} % of ${share.of}`;
}
