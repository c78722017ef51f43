import type { TopLevelSpec } from "vega-lite";
import type { DriftEntry, Rollup } from "../../batch/rollup.ts";
import { plural } from "../../terminal.ts";
import { renderChart } from "../chart.ts";
import { dataTable } from "../data-table.ts";
import { html } from "../markup.ts";
import { SERIES } from "../theme.ts";
import { type FleetPart, numberOf } from "./part.ts";

const CHARTED = 20;
const LISTED = 100;

/** What changed since an earlier roll-up. */
export async function driftPart({ drift }: Rollup): Promise<FleetPart> {
  const part = {
    id: "drift",
    title: "Drift",
    why: "No earlier roll-up was given to compare with.",
  };
  if (drift === null) return { ...part, body: undefined };
  const changes = drift.changes.toSorted(
    (a, b) => Math.abs(b.relative ?? Infinity) - Math.abs(a.relative ?? Infinity),
  );
  const head = html`<p>${plural(changes.length, "figure")} changed since the roll-up of ${drift.tool_before.name} ${drift.tool_before.version}; ${plural(drift.groups_appeared.length, "group")} new, ${drift.groups_vanished.length} gone.</p>
${drift.parameters_changed ? html`<div class="note"><p>The parameters of the analysis differ: changes may come from them.</p></div>` : undefined}`;
  if (changes.length === 0) return { ...part, body: head };
  const values = changes
    .filter(({ relative }) => relative !== null)
    .slice(0, CHARTED)
    .map((change) => ({ name: nameOf(change), relative: change.relative }));
  const spec: TopLevelSpec = {
    width: 420,
    height: { step: 18 },
    data: { values },
    mark: { type: "bar", height: 11 },
    encoding: {
      y: {
        field: "name",
        type: "nominal",
        title: null,
        sort: values.map(({ name }) => name),
      },
      x: { field: "relative", type: "quantitative", title: "change", axis: { format: "+%" } },
      color: { condition: { test: "datum.relative > 0", value: SERIES[1]! }, value: SERIES[0]! },
    },
  };
  const figure =
    values.length === 0
      ? undefined
      : await renderChart({
          title: "Largest relative changes",
          description: "Against the earlier roll-up: to the right it became more.",
          spec,
          isWide: true,
        });
  const table = dataTable(
    `The ${Math.min(LISTED, changes.length)} largest changes`,
    [
      { header: "group" },
      { header: "figure" },
      { header: "before", align: "right" },
      { header: "after", align: "right" },
      { header: "change", align: "right" },
      { header: "traces before, after", align: "right" },
    ],
    changes
      .slice(0, LISTED)
      .map((change) => [
        groupOf(change),
        `${change.metric} ${change.statistic}`,
        numberOf(change.before),
        numberOf(change.after),
        change.relative === null ? "from 0" : `${(100 * change.relative).toFixed(1)} %`,
        `${change.n_before}, ${change.n_after}`,
      ]),
  );
  return {
    ...part,
    body: html`${head}${figure}<details><summary>Changes: numbers</summary>${table}</details>`,
  };
}

function groupOf({ host_model, vm_type, kernel, policy }: DriftEntry): string {
  return `${host_model}, ${vm_type}, ${kernel}, ${policy}`;
}

function nameOf(change: DriftEntry): string {
  return `${groupOf(change)}: ${change.metric} ${change.statistic}`;
}
