import type { TopLevelSpec } from "vega-lite";
import type { Summary } from "../../summary.ts";
import { formatCount, formatUnknown } from "../../terminal.ts";
import { RECORDED, totalsOf } from "../../totals.ts";
import { type Chart, renderChart } from "../chart.ts";
import { dataTable, foldedTable, type HtmlColumn } from "../data-table.ts";
import { html, type Html } from "../markup.ts";
import { colourOf } from "../policy-colours.ts";
import { policiesOf, type ResultSet } from "../../result-set.ts";
import type { Section } from "../section.ts";
import { differenceText, numberText } from "../units.ts";
import { IDLE_TITLE, stallCell, stallMeasure, stallTables } from "./stall-prices.ts";

/** The policies side by side, and what each differs in from the first, operation by operation. */
export const policiesSection: Section = {
  id: "policies",
  title: "Policies side by side",
  link: "Policies",
  missing: ({ summary }) =>
    summary.flushes.length === 0 ? "No policy issues an invalidation in this trace." : undefined,
  render,
};

async function render(results: ResultSet): Promise<Html> {
  const { summary } = results;
  const policies = policiesOf(summary);
  const charts = [];
  for (const measure of measuresOf(summary, policies)) {
    charts.push(await renderChart(measureChart(measure, policies)));
  }
  return html`<p>Every policy is replayed over the same operations, so the differences are paired: none comes from another run.</p>
<div class="charts">${charts}</div>
${totalsTable(summary, policies)}
${pairedTable(results)}
${stallTables(summary)}
${callsTable(summary, policies)}`;
}

/** One number of each policy, with an interval. */
export interface Measure {
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  readonly values: readonly { policy: string; value: number; low: number; high: number }[];
}

function measuresOf(summary: Summary, policies: readonly string[]): readonly Measure[] {
  const totals = policies.map((policy) => totalsOf(summary.flushes, policy));
  const exact = (title: string, unit: string, of: (at: number) => number): Measure => ({
    title,
    description: `${unit} in the calls that are certain.`,
    unit,
    values: policies.map((policy, at) => ({ policy, value: of(at), low: of(at), high: of(at) })),
  });
  const measures: Measure[] = [
    {
      title: "Invalidation calls",
      description:
        "Calls of the six primitives; the whisker ends where all undecided calls are made.",
      unit: "calls",
      values: totals.map(({ policy, calls, unknownCalls }) => ({
        policy,
        value: calls,
        low: calls,
        high: calls + unknownCalls,
      })),
    },
    exact("TLBI instructions", "TLBI instructions", (at) => totals[at]!.tlbi),
    exact("DSB instructions", "DSB instructions", (at) => totals[at]!.dsb),
  ];
  measures.push(...stallMeasure(summary));
  const { refills } = summary;
  if (refills?.is_known === true) {
    const combined = refills.totals.filter(({ hypothesis }) => hypothesis === "combined");
    measures.push({
      title: `TLB refills on ${refills.tlb}`,
      description: `Modelled, ${refills.stream} accesses: median of the seeds; whiskers: all scenarios.`,
      unit: "refills",
      values: combined.map(({ policy, combined_refills: { median, low, high } }) => ({
        policy,
        value: median,
        low,
        high,
      })),
    });
  }
  return measures;
}

function measureChart(
  { title, description, unit, values }: Measure,
  policies: readonly string[],
): Chart {
  const order = policies.filter((policy) => values.some((one) => one.policy === policy));
  const hasWhiskers = values.some(({ low, high }) => low !== high);
  const data = values.map((one) => ({ ...one, text: numberText(one.value) }));
  const y = { field: "policy", type: "nominal", sort: order, title: null } as const;
  const spec: TopLevelSpec = {
    width: 190,
    height: { step: 26 },
    data: { values: data },
    layer: [
      {
        mark: { type: "bar", height: 16, cornerRadiusEnd: 3 },
        encoding: {
          y,
          x: {
            field: "value",
            type: "quantitative",
            title: unit,
            axis: { tickCount: 3, format: "~s" },
            scale: { domain: [0, domainEnd(values)] },
          },
          color: {
            field: "policy",
            type: "nominal",
            scale: { domain: [...order], range: order.map((one) => colourOf(one, policies)) },
            legend: null,
          },
        },
      },
      ...(hasWhiskers
        ? [
            {
              mark: { type: "rule", strokeWidth: 1.5 },
              encoding: {
                y,
                x: { field: "low", type: "quantitative" },
                x2: { field: "high" },
              },
            } as const,
          ]
        : []),
      {
        mark: { type: "text", align: "left", dx: 5, dy: hasWhiskers ? -9 : 0 },
        encoding: {
          y,
          x: { field: "value", type: "quantitative" },
          text: { field: "text", type: "nominal" },
        },
      },
    ],
  };
  const columns: readonly HtmlColumn[] = [
    { header: "policy" },
    { header: unit, align: "right" },
    { header: "from", align: "right" },
    { header: "to", align: "right" },
  ];
  const rows = values.map(({ policy, value, low, high }) => [
    policy,
    numberText(value),
    numberText(low),
    numberText(high),
  ]);
  return { title, description, spec, table: foldedTable(`${title}: numbers`, columns, rows) };
}

/** Leaves room for the number behind the longest bar. */
function domainEnd(values: Measure["values"]): number {
  return Math.max(1, ...values.map(({ value, high }) => Math.max(high, value * 1.3)));
}

function totalsTable(summary: Summary, policies: readonly string[]): Html {
  const rows = policies.map((policy) => {
    const { calls, unknownCalls, tlbi, dsb } = totalsOf(summary.flushes, policy);
    return [
      html`<span class="swatch" style="background:${colourOf(policy, policies)}"></span>${policy}`,
      formatCount(calls),
      formatUnknown(unknownCalls),
      formatCount(tlbi),
      formatCount(dsb),
      stallCell(summary, policy),
    ];
  });
  return dataTable(
    "Totals of each policy; the stall is estimated, not measured",
    [
      { header: "policy" },
      { header: "calls", align: "right" },
      { header: "undecided calls", align: "right" },
      { header: "TLBI instructions", align: "right" },
      { header: "DSB instructions", align: "right" },
      { header: `stall, ${IDLE_TITLE}`, align: "right" },
    ],
    rows,
  );
}

function pairedTable({ tables, summary }: ResultSet): Html | undefined {
  const parts: Html[] = [];
  if (tables.paired !== undefined && tables.paired.length > 0) {
    const than = tables.paired[0]!.than;
    parts.push(
      dataTable(
        `Paired differences from ${than}, operation by operation (TLBI instructions)`,
        [
          { header: "policy" },
          { header: "operations", align: "right" },
          { header: "with fewer", align: "right" },
          { header: "with as many", align: "right" },
          { header: "with more", align: "right" },
          { header: "sum of differences", align: "right" },
          { header: "smallest", align: "right" },
          { header: "largest", align: "right" },
        ],
        tables.paired.map((row) => [
          row.policy,
          formatCount(row.operations),
          formatCount(row.fewer),
          formatCount(row.equal),
          formatCount(row.more),
          differenceText(row.tlbi_difference),
          differenceText(row.least_difference),
          differenceText(row.largest_difference),
        ]),
      ),
    );
  }
  const { refills } = summary;
  if (refills?.is_known === true && refills.differences.length > 0) {
    parts.push(
      dataTable(
        `Paired differences of TLB refills on ${refills.tlb} (same accesses under both)`,
        [
          { header: "policy" },
          { header: "than" },
          { header: "hypothesis" },
          { header: "refills, median", align: "right" },
          { header: "lowest", align: "right" },
          { header: "highest", align: "right" },
          { header: "verdict" },
        ],
        refills.differences.map(({ policy, than, hypothesis, combined_refills, verdict }) => [
          policy,
          than,
          hypothesis,
          differenceText(Math.round(combined_refills.median)),
          differenceText(Math.round(combined_refills.low)),
          differenceText(Math.round(combined_refills.high)),
          verdict,
        ]),
      ),
    );
  }
  return html`${parts}`;
}

function callsTable(summary: Summary, policies: readonly string[]): Html {
  const keys = [
    ...new Set(summary.flushes.map(({ path, primitive }) => `${path}\u0000${primitive}`)),
  ].sort();
  const rows = keys.map((key) => {
    const [path = "", primitive = ""] = key.split("\u0000");
    return [
      path,
      primitive,
      ...policies.map((policy) => {
        const row = summary.flushes.find(
          (one) => one.policy === policy && one.path === path && one.primitive === primitive,
        );
        if (row === undefined) return "0";
        const more = row.unknown_calls === 0 ? "" : ` ${formatUnknown(row.unknown_calls)}`;
        return `${formatCount(row.calls)}${more}`;
      }),
    ];
  });
  const columns: readonly HtmlColumn[] = [
    { header: "path" },
    { header: "primitive" },
    ...policies.map((policy): HtmlColumn => ({ header: policy, align: "right" })),
  ];
  const note = policies.includes(RECORDED) ? "" : " (the trace has no probes of the primitives)";
  return foldedTable(`Calls of each path and primitive${note}`, columns, rows);
}
