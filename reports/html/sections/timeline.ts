import type { TopLevelSpec } from "vega-lite";
import { formatCount } from "../../terminal.ts";
import { renderChart } from "../chart.ts";
import { foldedTable, type HtmlColumn } from "../data-table.ts";
import { html, type Html, jsonBlock } from "../markup.ts";
import { policiesOf, type ResultSet } from "../../result-set.ts";
import type { Section } from "../section.ts";
import { ROW_HEADER, SERIES } from "../theme.ts";
import { durationText } from "../units.ts";
import { phaseTable } from "./migration-phases.ts";
import { MEASURES, timelineData } from "./timeline-data.ts";

/** When invalidations are issued: zoomable on a screen, small multiples on paper. */
export const timelineSection: Section = {
  id: "timeline",
  title: "Flush timeline",
  link: "Timeline",
  missing: ({ tables, summary }) => {
    if (summary.inference !== undefined) {
      return "A trace without stage-2 probes shows bounds of totals, not when calls are issued.";
    }
    if (tables.timeline === undefined) {
      return "These results have no timeline table: it is made of arm64 stage-2 traces, by analyze with --out.";
    }
    return tables.timeline.length === 0 ? "No policy issues an invalidation." : undefined;
  },
  render,
};

/** Rows of the table behind the chart, and bins of the drawing on paper. */
const COARSE_BINS = 64;

function option(value: string, text: string): Html {
  return html`<option value="${value}">${text}</option>`;
}

async function render(results: ResultSet): Promise<Html> {
  const data = timelineData(results);
  return html`<p>Density of invalidations: each step is ${durationText(data.binNs)} wide. Drag to zoom, double-click for all; triangles are operations that can be opened.${results.summary.nested === undefined ? "" : " Invalidations of shadow tables (path nested) are not in it."}</p>
<div class="screen">
<div class="controls">
<label>Policy <select id="timeline-policy">${data.policies.map((policy) => option(policy, policy))}</select></label>
<label>Colour by <select id="timeline-colour">${option("primitive", "primitive")}${option("path", "path (what causes them)")}${data.phases.length === 0 ? undefined : option("phase", "phase of the migration")}</select></label>
<label>Height <select id="timeline-measure">${MEASURES.map((name, i) => option(String(i), name))}</select></label>
</div>
<div class="controls" role="group" aria-label="Zoom">
<button type="button" id="timeline-left" aria-label="Earlier">←</button>
<button type="button" id="timeline-out">Zoom out</button>
<button type="button" id="timeline-in">Zoom in</button>
<button type="button" id="timeline-right" aria-label="Later">→</button>
<button type="button" id="timeline-all">All</button>
<span class="soft" id="timeline-view" aria-live="polite"></span>
</div>
<div class="plot" id="timeline-plot" tabindex="0" role="group" aria-label="Flush timeline. Arrow keys move, plus and minus zoom, 0 shows all, n and p open the next and previous operation. The table below has the numbers."></div>
<div class="controls"><label>Operation <select id="timeline-kept"></select></label></div>
<div class="detail" id="timeline-detail" aria-live="polite" hidden></div>
</div>
${await paperCharts(
  results,
  data.keys.map(([, primitive]) => primitive),
)}
${phaseTable(results)}
${coarseTable(results)}
${jsonBlock("timeline-data", data)}`;
}

interface CoarseRow {
  readonly policy: string;
  readonly primitive: string;
  readonly start: number;
  readonly end: number;
  calls: number;
}

function coarseRows({ tables, summary }: ResultSet): CoarseRow[] {
  const rows = tables.timeline ?? [];
  let endNs = 1;
  for (const { start_ns, bin_ns } of rows) endNs = Math.max(endNs, start_ns + bin_ns);
  const binNs = endNs / COARSE_BINS;
  const sums = new Map<string, CoarseRow>();
  for (const { policy, primitive, start_ns, calls } of rows) {
    const bin = Math.floor(start_ns / binNs);
    const key = `${policy}/${primitive}/${bin}`;
    const sum = sums.get(key);
    if (sum === undefined) {
      const start = (bin * binNs) / 1e9;
      sums.set(key, { policy, primitive, start, end: start + binNs / 1e9, calls });
    } else sum.calls += calls;
  }
  const order = policiesOf(summary);
  return [...sums.values()].sort(
    (a, b) => order.indexOf(a.policy) - order.indexOf(b.policy) || a.start - b.start,
  );
}

/** @param keys primitives in the order in which the screen colours them. */
async function paperCharts(results: ResultSet, keys: readonly string[]): Promise<Html> {
  const rows = coarseRows(results);
  const primitives = [...new Set(keys)];
  const spec: TopLevelSpec = {
    data: { values: rows },
    facet: {
      row: {
        field: "policy",
        type: "nominal",
        sort: [...policiesOf(results.summary)],
        title: null,
        header: ROW_HEADER,
      },
    },
    resolve: { scale: { y: "independent" } },
    spec: {
      width: 620,
      height: 90,
      mark: { type: "bar" },
      encoding: {
        x: {
          field: "start",
          type: "quantitative",
          bin: { binned: true },
          title: "seconds since the first event",
        },
        x2: { field: "end" },
        y: {
          aggregate: "sum",
          field: "calls",
          type: "quantitative",
          title: "calls",
          axis: { tickCount: 3 },
        },
        color: {
          field: "primitive",
          type: "nominal",
          scale: { domain: primitives, range: primitives.map((_, i) => SERIES[i]!) },
          title: null,
        },
      },
    },
  };
  return await renderChart({
    title: "Calls over time, by primitive",
    description: `Calls in ${COARSE_BINS} equal parts of the trace, each policy with its own scale.`,
    spec,
    isWide: true,
    className: "paper",
  });
}

function coarseTable(results: ResultSet): Html {
  const columns: readonly HtmlColumn[] = [
    { header: "policy" },
    { header: "primitive" },
    { header: "from (s)", align: "right" },
    { header: "to (s)", align: "right" },
    { header: "calls", align: "right" },
  ];
  const rows = coarseRows(results).map(({ policy, primitive, start, end, calls }) => [
    policy,
    primitive,
    start.toFixed(4),
    end.toFixed(4),
    formatCount(calls),
  ]);
  return foldedTable(`Timeline: numbers, in ${COARSE_BINS} parts`, columns, rows);
}
