import type { TopLevelSpec } from "vega-lite";
import type { GroupEntry, Rollup, Share } from "../../batch/rollup.ts";
import { renderChart } from "../chart.ts";
import { dataTable } from "../data-table.ts";
import { html } from "../markup.ts";
import { SERIES } from "../theme.ts";
import { type FleetPart, numberOf } from "./part.ts";

/** Groups in the chart, those with the highest 95th percentile; the table has more. */
const CHARTED = 24;
const LISTED = 300;

/** Median to 99th percentile of the figure that the worst traces are chosen by, and the shares. */
export async function distributionsPart(rollup: Rollup): Promise<FleetPart> {
  const part = { id: "groups", title: "Groups", why: "No group has a figure." };
  const metric = rollup.metrics.find(({ name }) => name === rollup.worst_by);
  if (metric === undefined) return { ...part, body: undefined };
  const rows = rollup.groups
    .flatMap((group) => {
      const found = group.metrics[metric.name];
      return found === undefined ? [] : [{ group, found }];
    })
    .sort((a, b) => b.found.p95 - a.found.p95);
  const policies = [...new Set(rollup.groups.map(({ policy }) => policy))];
  const values = rows.slice(0, CHARTED).map(({ group, found }) => ({
    name: nameOf(group),
    policy: group.policy,
    p50: found.p50,
    p95: found.p95,
    p99: found.p99,
  }));
  const y = {
    field: "name",
    type: "nominal",
    title: null,
    sort: [...new Set(values.map(({ name }) => name))],
  } as const;
  const color = {
    field: "policy",
    type: "nominal",
    title: null,
    scale: { domain: policies, range: policies.map((_, i) => SERIES[i % SERIES.length]!) },
  } as const;
  const offset = { field: "policy", type: "nominal" } as const;
  const spec: TopLevelSpec = {
    width: 480,
    height: { step: 11, for: "offset" },
    data: { values },
    layer: [
      {
        mark: { type: "rule", strokeWidth: 2 },
        encoding: {
          y,
          yOffset: offset,
          color,
          x: { field: "p50", type: "quantitative", title: metric.unit, axis: { format: "~s" } },
          x2: { field: "p99" },
        },
      },
      {
        mark: { type: "point", filled: true, size: 42 },
        encoding: { y, yOffset: offset, color, x: { field: "p50", type: "quantitative" } },
      },
      {
        mark: { type: "tick", thickness: 2, size: 9 },
        encoding: { y, yOffset: offset, color, x: { field: "p95", type: "quantitative" } },
      },
    ],
  };
  const figure = await renderChart({
    title: `${metric.name} of the groups`,
    description: `${metric.meaning} Dot: median over the traces; tick: 95th; end of the line: 99th percentile. The ${Math.min(CHARTED, rows.length)} groups with the highest 95th.`,
    spec,
    isWide: true,
  });
  const slo = rollup.slo_ms === null ? "above SLO" : `above ${rollup.slo_ms} ms`;
  const table = dataTable(
    `${metric.name} by group`,
    [
      { header: "host model" },
      { header: "VM type" },
      { header: "kernel" },
      { header: "policy" },
      { header: "traces", align: "right" },
      { header: "of them bounds", align: "right" },
      { header: "p50", align: "right" },
      { header: "p95", align: "right" },
      { header: "p99", align: "right" },
      { header: "not converging", align: "right" },
      { header: slo, align: "right" },
    ],
    rows
      .slice(0, LISTED)
      .map(({ group, found }) => [
        group.host_model,
        group.vm_type,
        group.kernel,
        group.policy,
        String(found.n),
        String(group.lossy),
        numberOf(found.p50),
        numberOf(found.p95),
        numberOf(found.p99),
        shareText(group.not_converging),
        shareText(group.above_slo),
      ]),
  );
  return {
    ...part,
    body: html`${figure}<details${rows.length <= 40 ? html` open` : undefined}><summary>All groups: numbers</summary>${table}</details>
${rows.length > LISTED ? html`<p class="soft">${rows.length - LISTED} more in rollup.json.</p>` : undefined}`,
  };
}

function nameOf({ host_model, vm_type, kernel }: GroupEntry): string {
  return `${host_model}, ${vm_type}, ${kernel}`;
}

function shareText(share: Share | null): string {
  if (share === null) return "–";
  return `${((100 * share.traces) / share.of).toFixed(1)} % of ${share.of}`;
}
