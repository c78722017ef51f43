import type { GroupEntry, Rollup } from "../../batch/rollup.ts";
import { Html, html } from "../markup.ts";
import { type FleetPart, numberOf } from "./part.ts";

/** Tables of this many metric and policy pairs are drawn; the rest is in rollup.json. */
const MOST_PANELS = 24;
/** Rows, and columns, of a table. */
const MOST_ROWS = 60;
const MOST_COLUMNS = 24;

/** Host models and VM types against kernels: where a figure is high. */
export function heatPart(rollup: Rollup): FleetPart {
  const policies = [...new Set(rollup.groups.map(({ policy }) => policy))];
  const metrics = rollup.metrics
    .map(({ name }) => name)
    .filter((name) => rollup.groups.some((group) => group.metrics[name] !== undefined))
    .sort((a, b) => Number(b === rollup.worst_by) - Number(a === rollup.worst_by));
  const panels = metrics
    .flatMap((metric) => policies.map((policy) => ({ metric, policy })))
    .filter(({ metric, policy }) => has(rollup.groups, metric, policy))
    .slice(0, MOST_PANELS);
  const name = ({ metric, policy }: (typeof panels)[number]): string => `${metric}, ${policy}`;
  return {
    id: "heat",
    title: "Hosts against kernels",
    why: "No group has a figure.",
    body:
      panels.length === 0
        ? undefined
        : html`<p>95th percentile over the traces of each host model and VM type, by kernel; the stronger the colour, the higher. Percentiles of different groups cannot be added up.</p>
<div class="controls"><label>Figure <select data-panels="heat">${panels.map(
            (panel) => html`<option>${name(panel)}</option>`,
          )}</select></label></div>
${panels.map(
  (panel) =>
    html`<div data-panel="heat" data-value="${name(panel)}">${table(rollup, panel.metric, panel.policy)}</div>`,
)}`,
  };
}

function has(groups: readonly GroupEntry[], metric: string, policy: string): boolean {
  return groups.some((group) => group.policy === policy && group.metrics[metric] !== undefined);
}

function table(rollup: Rollup, metric: string, policy: string): Html {
  const own = rollup.groups.filter((group) => group.policy === policy);
  const kernels = unique(own.map(({ kernel }) => kernel));
  const hosts = unique(own.map(({ host_model, vm_type }) => `${host_model}\u0000${vm_type}`));
  const values = own.flatMap((group) => group.metrics[metric]?.p95 ?? []);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const unit = rollup.metrics.find(({ name }) => name === metric)?.unit ?? "";
  const caption = `${metric} (${unit}) under ${policy}: 95th percentile, number of traces`;
  const rows = hosts.slice(0, MOST_ROWS).map((host) => {
    const [model = "", vm = ""] = host.split("\u0000");
    const cells = kernels.slice(0, MOST_COLUMNS).map((kernel) => {
      const found = own.find(
        (group) => group.kernel === kernel && group.host_model === model && group.vm_type === vm,
      )?.metrics[metric];
      if (found === undefined) return html`<td class="n soft">–</td>`;
      return html`<td class="${new Html(`q${stepOf(found.p95, low, high)}`)}">${numberOf(found.p95)} <small>n=${found.n}</small></td>`;
    });
    return html`<tr><th scope="row">${model}</th><td>${vm}</td>${cells}</tr>`;
  });
  const left = [
    ...(hosts.length > MOST_ROWS ? [`${hosts.length - MOST_ROWS} more rows`] : []),
    ...(kernels.length > MOST_COLUMNS ? [`${kernels.length - MOST_COLUMNS} more kernels`] : []),
  ];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr><th scope="col">host model</th><th scope="col">VM type</th>${kernels
    .slice(0, MOST_COLUMNS)
    .map(
      (kernel) => html`<th scope="col" class="n">${kernel}</th>`,
    )}</tr></thead><tbody>${rows}</tbody></table></div>
${left.length === 0 ? undefined : html`<p class="soft">${left.join(" and ")} in rollup.json.</p>`}`;
}

function size(x: number): number {
  return Math.log1p(Math.max(0, x));
}

/** 1 to 6, in equal steps of the logarithm: figures of fleets differ by powers of ten. */
function stepOf(value: number, low: number, high: number): number {
  const span = size(high) - size(low);
  if (span <= 0) return 3;
  return 1 + Math.min(5, Math.floor((6 * (size(value) - size(low))) / span));
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}
