import type { TopLevelSpec } from "vega-lite";
import type { MissCurveRow } from "../../../replay/tlb/miss-curve.ts";
import { formatCount } from "../../terminal.ts";
import { renderChart } from "../chart.ts";
import { foldedTable } from "../data-table.ts";
import { html, type Html } from "../markup.ts";
import { colourOf } from "../policy-colours.ts";
import { policiesOf, type ResultSet } from "../../result-set.ts";
import type { Section } from "../section.ts";

/** Misses and refills against the size of a TLB. */
export const curvesSection: Section = {
  id: "curves",
  title: "Miss curves",
  link: "Miss curves",
  missing: ({ tables, summary }) => {
    if (tables.miss_curve !== undefined && tables.miss_curve.length > 0) return undefined;
    return summary.refills === undefined
      ? "No TLB was modelled: run analyze with --tlb PRESET."
      : "The modelled TLB was run without its miss curves.";
  },
  render,
};

/** The first size of each half power of two: what a reader can tell apart. */
function thinned(rows: readonly MissCurveRow[]): readonly MissCurveRow[] {
  const kept = new Map<string, MissCurveRow>();
  for (const row of rows) {
    const step = Math.floor(Math.log2(row.entries) * 2);
    const key = `${row.policy}/${row.hypothesis}/${row.sets}/${step}`;
    if (!kept.has(key)) kept.set(key, row);
  }
  return [...kept.values()];
}

async function render(results: ResultSet): Promise<Html> {
  const policies = policiesOf(results.summary);
  const all = thinned(results.tables.miss_curve ?? []);
  const hypotheses = [...new Set(all.map(({ hypothesis }) => hypothesis))];
  const figures: Html[] = [];
  for (const hypothesis of hypotheses) {
    const rows = all.filter((row) => row.hypothesis === hypothesis);
    const shown = policies.filter((policy) => rows.some((row) => row.policy === policy));
    const values = rows.flatMap(({ policy, entries, sets, misses, refills }) => [
      { policy, entries, sets, count: misses, what: "misses" },
      { policy, entries, sets, count: refills, what: "refills" },
    ]);
    const spec: TopLevelSpec = {
      data: {
        values: values.filter(({ sets }) => sets === 1 || rows.every((row) => row.sets !== 1)),
      },
      facet: { column: { field: "what", type: "nominal", title: null } },
      resolve: { scale: { y: "independent" } },
      spec: {
        width: 300,
        height: 200,
        mark: { type: "line", strokeWidth: 2, interpolate: "step-after" },
        encoding: {
          x: {
            field: "entries",
            type: "quantitative",
            scale: { type: "log", base: 2 },
            title: "TLB entries",
            axis: { format: "," },
          },
          y: {
            field: "count",
            type: "quantitative",
            title: "page accesses",
            axis: { format: "~s" },
          },
          color: {
            field: "policy",
            type: "nominal",
            title: null,
            scale: { domain: [...shown], range: shown.map((one) => colourOf(one, policies)) },
          },
          strokeDash: { field: "policy", type: "nominal", title: null, sort: [...shown] },
        },
      },
    };
    figures.push(
      await renderChart({
        title: `Hypothesis: ${hypothesis}`,
        description:
          "Misses of an LRU array of each size, and those of them that only the flushes cause.",
        spec,
        isWide: true,
        table: foldedTable(
          `Miss curve (${hypothesis}): numbers`,
          [
            { header: "policy" },
            { header: "sets", align: "right" },
            { header: "entries", align: "right" },
            { header: "accesses", align: "right" },
            { header: "misses", align: "right" },
            { header: "refills", align: "right" },
            { header: "avoided", align: "right" },
          ],
          rows.map((row) => [
            row.policy,
            formatCount(row.sets),
            formatCount(row.entries),
            formatCount(row.accesses),
            formatCount(row.misses),
            formatCount(row.refills),
            formatCount(row.avoided),
          ]),
        ),
      }),
    );
  }
  return html`${figures}`;
}
