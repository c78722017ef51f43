import type { Rollup } from "../../batch/rollup.ts";
import { formatCount, plural } from "../../terminal.ts";
import { htmlDocument } from "../document.ts";
import { html, type Html } from "../markup.ts";
import { type FleetPart, numberOf } from "./part.ts";
import { distributionsPart } from "./distributions.ts";
import { driftPart } from "./drift.ts";
import { heatPart } from "./heat-table.ts";
import { lossesPart, parametersPart, worstPart } from "./tables.ts";

/** The page of a fleet: one self-contained file, however many traces the roll-up is of. */
export async function fleetPage(rollup: Rollup): Promise<string> {
  const parts: readonly FleetPart[] = [
    heatPart(rollup),
    await distributionsPart(rollup),
    worstPart(rollup),
    await driftPart(rollup),
    lossesPart(rollup),
    parametersPart(rollup),
  ];
  const shown = parts.filter(({ body }) => body !== undefined);
  const missing = parts.filter(({ body }) => body === undefined);
  return htmlDocument({
    title: `Stage-2 TLB maintenance of a fleet: ${plural(rollup.traces.done, "trace")}`,
    subtitle: `${rollup.tool.name} ${rollup.tool.version}`,
    links: [["answer", "Answer"], ...shown.map(({ id, title }) => [id, title] as const)],
    body: html`${overview(rollup)}
${shown.map(({ id, title, body }) => html`<section id="${id}"><h2>${title}</h2>${body}</section>`)}
${
  missing.length === 0
    ? undefined
    : html`<section id="missing"><h2>Not shown</h2><ul>${missing.map(
        ({ title, why }) => html`<li><strong>${title}</strong>: ${why}</li>`,
      )}</ul></section>`
}`,
    scripts: ["page"],
  });
}

function overview(rollup: Rollup): Html {
  const { traces, groups, worst_by } = rollup;
  const bounds = traces.lossy + traces.inferred;
  const unit = rollup.metrics.find(({ name }) => name === worst_by)?.unit ?? "";
  const worst = groups
    .flatMap((group) => {
      const found = worst_by === null ? undefined : group.metrics[worst_by];
      return found === undefined ? [] : [{ group, found }];
    })
    .reduce<
      { group: (typeof groups)[number]; found: { p50: number; p95: number; n: number } } | undefined
    >((a, b) => (a === undefined || b.found.p95 > a.found.p95 ? b : a), undefined);
  const sentence =
    worst === undefined
      ? "No trace has a figure to compare."
      : `Highest ${worst_by ?? ""} at the 95th percentile: ${numberOf(worst.found.p95)} (${unit}; median ${numberOf(worst.found.p50)}, n = ${worst.found.n}) for ${worst.group.host_model}, ${worst.group.vm_type}, ${worst.group.kernel} under ${worst.group.policy}.`;
  const open = traces.failed + traces.missing;
  return html`<section id="answer" aria-label="Answer"><p class="answer">${sentence}</p>
<p class="soft">Percentiles over traces: estimated by replay, not measured.</p>
<div class="${open > 0 ? "loss" : "good"}"><p><strong>${formatCount(traces.done)} of ${plural(traces.planned, "trace")} done</strong>: ${traces.failed} failed, ${traces.missing} missing; besides, ${traces.refused} left out by the plan and ${traces.duplicates} named twice.</p></div>
${bounds === 0 ? undefined : html`<div class="note"><p><strong>${plural(bounds, "trace")} with bounds only</strong>: ${traces.lossy} lost data, ${traces.inferred} were inferred from stock tracepoints.</p></div>`}
<dl class="facts">
<div><dt>Groups</dt><dd>${formatCount(groups.length)}</dd></div>
<div><dt>Host models</dt><dd>${countOf(groups.map(({ host_model }) => host_model))}</dd></div>
<div><dt>Kernels</dt><dd>${countOf(groups.map(({ kernel }) => kernel))}</dd></div>
<div><dt>Policies</dt><dd>${[...new Set(groups.map(({ policy }) => policy))].join(", ")}</dd></div>
<div><dt>SLO</dt><dd>${rollup.slo_ms === null ? "none named" : `${rollup.slo_ms} ms of downtime`}</dd></div>
</dl></section>`;
}

function countOf(names: readonly string[]): string {
  return formatCount(new Set(names).size);
}
