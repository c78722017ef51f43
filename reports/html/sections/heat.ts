import type { TopLevelSpec } from "vega-lite";
import type { HeatTableRow } from "../../../replay/timeline/timeline-rows.ts";
import { formatCount } from "../../terminal.ts";
import { type Chart, renderChart } from "../chart.ts";
import { foldedTable } from "../data-table.ts";
import { html, type Html } from "../markup.ts";
import { policiesOf, type ResultSet } from "../../result-set.ts";
import type { Section } from "../section.ts";
import { SERIES, STEPS } from "../theme.ts";
import { bytesText, hexText } from "../units.ts";
import { type HeatRun, heatRuns, PAGE_CLASSES, pageClass } from "./heat-cells.ts";

/** Where in the VMs' memory translations were mapped, invalidated, and invalidated for nothing. */
export const heatSection: Section = {
  id: "heat",
  title: "IPA space over time",
  link: "Heat map",
  missing: ({ tables, summary }) => {
    if (summary.inference !== undefined)
      return "Only inferred: the trace does not show the tables.";
    if (tables.heat === undefined) {
      return "These results have no heat table: it is made of arm64 stage-2 traces, by analyze with --out.";
    }
    return tables.heat.length === 0 ? "The trace shows no mapping." : undefined;
  },
  render,
};

/** Drawings of this many marks stay within the page's size; further ones are in the table only. */
const MOST_MARKS = 6000;
const MOST_VMS = 2;

async function render(results: ResultSet): Promise<Html> {
  const heat = results.tables.heat ?? [];
  const vms = [...new Set(heat.map(({ vm }) => vm))];
  const policies = policiesOf(results.summary);
  const panels: { name: string; figure: Html }[] = [];
  const leftOut: string[] = vms.slice(MOST_VMS).map((vm) => `VM ${vm}`);
  let marks = 0;
  for (const vm of vms.slice(0, MOST_VMS)) {
    const own = heat.filter((row) => row.vm === vm);
    for (const layer of layersOf(vm, own, policies)) {
      if (layer.runs.length === 0) continue;
      if (marks + layer.runs.length > MOST_MARKS) {
        leftOut.push(layer.name);
        continue;
      }
      marks += layer.runs.length;
      panels.push({ name: layer.name, figure: await renderChart(chartOf(layer)) });
    }
  }
  return html`<p>Rows are parts of a VM's IPA space, the lowest at the bottom; only parts in which something happened have one. <em>Over-invalidated</em>: stage-2 translations that a call named although they had not changed. Entries that combine both stages go with every call of VM, IPA and RANGE, under every policy.</p>
<div class="controls"><label>Show <select data-panels="heat">${panels.map(
    ({ name }) => html`<option>${name}</option>`,
  )}</select></label></div>
${panels.map(
  ({ name, figure }) => html`<div data-panel="heat" data-value="${name}">${figure}</div>`,
)}
${leftOut.length === 0 ? undefined : html`<p class="soft">Only in the table <code>heat</code>: ${leftOut.join(", ")}.</p>`}
${totalsTable(heat, policies)}`;
}

interface Layer {
  readonly name: string;
  readonly description: string;
  readonly rowBytes: number;
  readonly ipas: readonly number[];
  readonly runs: readonly HeatRun[];
  readonly looks: readonly string[];
  readonly colours: readonly string[];
}

const SIZES = ["level 1 blocks", "level 2 blocks", "pages", "mixed"] as const;

function layersOf(vm: number, rows: readonly HeatTableRow[], policies: readonly string[]): Layer[] {
  const rowBytes = rows[0]?.ipa_bytes ?? 0;
  const mapped = heatRuns(
    rows.filter(({ layer }) => layer.startsWith("mapped_")),
    ["mapped_level1", "mapped_level2", "mapped_level3"],
    last,
    sizeLook,
  );
  const layers: Layer[] = [
    {
      name: `VM ${vm}: what is mapped, by size`,
      description: `Size of most mappings in each part of ${bytesText(rowBytes)}, as far as the trace shows.`,
      rowBytes,
      ...mapped,
      looks: [...SIZES],
      colours: [SERIES[3]!, SERIES[0]!, SERIES[1]!, SERIES[7]!],
    },
  ];
  const kinds = [
    ["invalidated", "invalidated", "Pages whose stage-2 translation a call named"],
    ["over_invalidated", "over-invalidated", "Pages that were named although unchanged"],
  ] as const;
  for (const policy of policies) {
    for (const [layer, word, description] of kinds) {
      const cells = rows.filter((row) => row.layer === layer && row.policy === policy);
      layers.push({
        name: `VM ${vm}, ${policy}: ${word}`,
        description: `${description} under ${policy}, in each part of ${bytesText(rowBytes)}.`,
        rowBytes,
        ...heatRuns(cells, [layer], sum, ([pages = 0]) =>
          pages > 0 ? pageClass(pages) : undefined,
        ),
        looks: PAGE_CLASSES,
        colours: STEPS,
      });
    }
  }
  return layers;
}

const last = (_: number, later: number): number => later;
const sum = (earlier: number, later: number): number => earlier + later;

/** The size that more than nine in ten mapped pages have. */
function sizeLook(pages: readonly number[]): string | undefined {
  const all = pages.reduce(sum, 0);
  if (all === 0) return undefined;
  const at = pages.findIndex((one) => one > 0.9 * all);
  return SIZES[at < 0 ? 3 : at]!;
}

function chartOf({ name, description, ipas, runs, looks, colours }: Layer): Chart {
  const spec: TopLevelSpec = {
    width: 660,
    height: { step: ipas.length > 48 ? 6 : 12 },
    data: { values: runs.map((run) => ({ ...run, ipa: hexText(run.ipa) })) },
    mark: { type: "rect" },
    encoding: {
      y: {
        field: "ipa",
        type: "ordinal",
        title: "IPA",
        sort: ipas.toReversed().map(hexText),
        axis: { labelOverlap: true, labelFont: "ui-monospace, monospace", labelFontSize: 11 },
      },
      x: { field: "start", type: "quantitative", title: "seconds since the first event" },
      x2: { field: "end" },
      color: {
        field: "look",
        type: "ordinal",
        title: null,
        scale: { domain: [...looks], range: [...colours] },
      },
    },
  };
  return { title: name, description, spec, isWide: true };
}

function totalsTable(heat: readonly HeatTableRow[], policies: readonly string[]): Html {
  const sums = new Map<string, number>();
  for (const { vm, layer, policy, pages } of heat) {
    const key = `${vm}/${layer}/${policy}`;
    sums.set(key, (sums.get(key) ?? 0) + pages);
  }
  const vms = [...new Set(heat.map(({ vm }) => vm))];
  const rows = vms.flatMap((vm) =>
    policies.map((policy) => [
      `VM ${vm}`,
      policy,
      formatCount(sums.get(`${vm}/changed/`) ?? 0),
      formatCount(sums.get(`${vm}/invalidated/${policy}`) ?? 0),
      formatCount(sums.get(`${vm}/over_invalidated/${policy}`) ?? 0),
    ]),
  );
  return foldedTable(
    "Heat map: pages changed, invalidated and over-invalidated",
    [
      { header: "VM" },
      { header: "policy" },
      { header: "pages changed", align: "right" },
      { header: "pages invalidated", align: "right" },
      { header: "of those unchanged", align: "right" },
    ],
    rows,
  );
}
