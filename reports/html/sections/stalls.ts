import type { TopLevelSpec } from "vega-lite";
import { formatCount, formatUnknown } from "../../terminal.ts";
import { RECORDED } from "../../totals.ts";
import { renderChart } from "../chart.ts";
import { dataTable, foldedTable } from "../data-table.ts";
import { html, type Html } from "../markup.ts";
import { colourOf } from "../policy-colours.ts";
import { policiesOf, type ResultSet } from "../../result-set.ts";
import type { Section } from "../section.ts";
import { ROW_HEADER } from "../theme.ts";
import { durationText, rangeText, stallOfRow } from "../units.ts";

const SHOWN = 10;

/** The operations in which a CPU waits for most invalidations, with cause and place. */
export const stallsSection: Section = {
  id: "stalls",
  title: "Top stalls",
  link: "Top stalls",
  missing: ({ tables, summary }) => {
    if (summary.inference !== undefined)
      return "Only inferred: the trace does not show operations.";
    if (tables.stalls === undefined) {
      return "These results have no stalls table: it is made of arm64 stage-2 traces, by analyze with --out.";
    }
    return tables.stalls.length === 0 ? "No operation issues an invalidation." : undefined;
  },
  render,
};

async function render(results: ResultSet): Promise<Html> {
  const { summary, tables } = results;
  const all = policiesOf(summary);
  const policies = all.filter((policy) => tables.stalls?.some((row) => row.policy === policy));
  return html`<p>Operations by the TLBI and DSB instructions that their CPU has to wait for. The estimated stall is the time in these flushes alone, one after the other, priced with published constants of an idle machine (median [5 to 95 %], undecided calls at its upper end; the constants are with the policies). The recorded duration is that of the whole operation on the recorded kernel.</p>
${await sizesChart(results, all)}
<div class="controls"><label>Policy <select data-panels="stalls" aria-label="Policy of the top stalls">${policies.map(
    (policy) => html`<option>${policy}</option>`,
  )}</select></label></div>
${policies.map((policy) => html`<div data-panel="stalls" data-value="${policy}">${topTable(results, policy)}</div>`)}`;
}

function topTable({ tables }: ResultSet, policy: string): Html {
  const rows = (tables.stalls ?? [])
    .filter((row) => row.policy === policy && row.rank > 0)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, SHOWN);
  return dataTable(
    `Top ${rows.length} operations under ${policy}`,
    [
      { header: "at" },
      { header: "cause" },
      { header: "IPA range" },
      { header: "calls", align: "right" },
      { header: "TLBI", align: "right" },
      { header: "DSB", align: "right" },
      { header: "estimated stall", align: "right" },
      { header: "recorded, all of it", align: "right" },
      { header: "VM, thread, line" },
    ],
    rows.map((row) => [
      html`<button type="button" data-operation="${row.operation}">${durationText(row.start_ns)}</button>`,
      row.path,
      html`<span class="mono">${rangeText(row.ipa_start_bytes, row.ipa_bytes)}</span>`,
      `${formatCount(row.calls)}${row.unknown_calls === 0 ? "" : ` ${formatUnknown(row.unknown_calls)}`}`,
      formatCount(row.tlbi),
      formatCount(row.dsb),
      stallOfRow(row) ?? "unknown: a call has no price",
      durationText(row.recorded_ns),
      `VM ${row.vm}, thread ${row.pid}, line ${row.line}`,
    ]),
  );
}

function powersOfTwo(sizes: readonly { readonly tlbi_below: number }[]): number[] {
  const most = sizes.reduce((a, { tlbi_below }) => Math.max(a, tlbi_below), 2);
  const values = [];
  for (let value = 1; value <= most; value *= most > 256 ? 4 : 2) values.push(value);
  return values;
}

/** How large operations are: a histogram of each policy over logarithmic classes. */
async function sizesChart(
  { tables }: ResultSet,
  policies: readonly string[],
): Promise<Html | undefined> {
  const sizes = tables.operation_sizes ?? [];
  if (sizes.length === 0) return undefined;
  const values = sizes.map(({ policy, tlbi_from, tlbi_below, operations }) => ({
    policy,
    tlbi_from,
    tlbi_below,
    operations,
  }));
  const shown = policies.filter((policy) => sizes.some((row) => row.policy === policy));
  const spec: TopLevelSpec = {
    data: { values },
    facet: {
      row: { field: "policy", type: "nominal", sort: [...shown], title: null, header: ROW_HEADER },
    },
    spacing: 12,
    spec: {
      width: 560,
      height: 54,
      mark: { type: "rect" },
      encoding: {
        x: {
          field: "tlbi_from",
          type: "quantitative",
          scale: { type: "log", base: 2, nice: false },
          title: "TLBI instructions in one operation (classes double)",
          axis: { format: ",", values: powersOfTwo(sizes) },
        },
        x2: { field: "tlbi_below" },
        y2: { datum: 0 },
        y: {
          field: "operations",
          type: "quantitative",
          title: null,
          axis: { tickCount: 2, format: "~s" },
        },
        color: {
          field: "policy",
          type: "nominal",
          legend: null,
          scale: { domain: [...shown], range: shown.map((one) => colourOf(one, policies)) },
        },
      },
    },
  };
  const note = shown.includes(RECORDED) ? " The last is what the trace itself recorded." : "";
  return await renderChart({
    title: "How many TLBI instructions an operation takes",
    description: `Operations by size; both axes start where the smallest class begins.${note}`,
    spec,
    isWide: true,
    table: foldedTable(
      "Sizes of operations: numbers",
      [
        { header: "policy" },
        { header: "TLBI from", align: "right" },
        { header: "below", align: "right" },
        { header: "operations", align: "right" },
      ],
      sizes.map((row) => [
        row.policy,
        formatCount(row.tlbi_from),
        formatCount(row.tlbi_below),
        formatCount(row.operations),
      ]),
    ),
  });
}
