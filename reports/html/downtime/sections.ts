import { renderChart } from "../chart.ts";
import { dataTable, foldedTable } from "../data-table.ts";
import { html, type Html } from "../markup.ts";
import {
  intervalChart,
  intervalText,
  passChart,
  phaseChart,
  secondsText,
  tornadoChart,
} from "./charts.ts";
import type { DowntimeView, EstimateView, PolicyView } from "./view.ts";

/** A part of a downtime page; undefined where the estimate has nothing for it, with the reason. */
export interface DowntimePart {
  readonly id: string;
  readonly title: string;
  readonly body: Html | undefined;
  readonly why: string;
}

export async function downtimeParts(view: DowntimeView): Promise<readonly DowntimePart[]> {
  return [
    {
      id: "estimates",
      title: "Estimates",
      body: estimates(view),
      why: "",
    },
    {
      id: "phases",
      title: "Phases of the trace",
      body: await phases(view),
      why: "There is no trace, or it shows no migration.",
    },
    {
      id: "passes",
      title: "Passes of pre-copy",
      body: await passes(view),
      why: "The estimate has no migration: no memory size or bandwidth was given.",
    },
    {
      id: "blackout",
      title: "Blackout",
      body: await blackout(view),
      why: "No part of the blackout is estimated: the guest is not stopped in this scenario.",
    },
    {
      id: "rollback",
      title: "Roll-back by kernel epoch",
      body: await rollback(view),
      why: "The estimate has no roll-back: no broken blocks are known or given.",
    },
    {
      id: "tornado",
      title: "What to measure first",
      body: await tornado(view),
      why: "No constant moves a quantity that is estimated.",
    },
    { id: "constants", title: "Constants and choices", body: constants(view), why: "" },
  ];
}

function estimates({ policies, differences }: DowntimeView): Html {
  const quantities = [
    ...new Set(policies.flatMap((one) => one.estimates.map(({ quantity }) => quantity))),
  ];
  const rows = quantities.map((quantity) => {
    const first = find(policies[0]!, quantity);
    return [
      html`<span title="${first?.meaning}">${first?.title ?? quantity} (${first?.unit})</span>`,
      ...policies.map((policy) => estimateText(find(policy, quantity))),
    ];
  });
  return html`<p>Medians with 90 % intervals over the constants and inputs: estimated, not measured. Where there is no number, the reason stands.</p>
${dataTable("Estimates of each policy", [{ header: "quantity" }, ...policies.map(({ id }) => ({ header: id }))], rows)}
${dataTable(
  "Each policy: how pre-copy ends",
  [
    { header: "policy" },
    { header: "epoch" },
    { header: "because" },
    { header: "outcome at most likely values" },
    { header: "share of draws that converge", align: "right" },
  ],
  policies.map(({ id, epoch, kernels, outcome, pConverge }) => [
    id,
    epoch,
    kernels,
    outcome ?? "—",
    pConverge === undefined ? "—" : `${Math.round(pConverge * 100)} %`,
  ]),
)}
${
  differences.length === 0
    ? undefined
    : dataTable(
        "Paired differences: both policies on the same draws",
        [
          { header: "policy" },
          { header: "than" },
          { header: "quantity" },
          { header: "median", align: "right" },
          { header: "5 %", align: "right" },
          { header: "95 %", align: "right" },
          { header: "verdict" },
        ],
        differences.map(({ policy, than, quantity, p5, p50, p95, verdict }) => [
          policy,
          than,
          quantity,
          secondsText(p50),
          secondsText(p5),
          secondsText(p95),
          verdict,
        ]),
      )
}`;
}

function find(policy: PolicyView, quantity: string): EstimateView | undefined {
  return policy.estimates.find((one) => one.quantity === quantity);
}

function estimateText(estimate: EstimateView | undefined): Html | string {
  if (estimate === undefined) return "—";
  if (estimate.interval !== undefined) return intervalText(estimate.interval);
  const { bounds } = estimate;
  const known =
    bounds === undefined
      ? ""
      : ` At least ${secondsText(bounds.low)}${bounds.high === undefined ? "" : `, at most ${secondsText(bounds.high)}`}.`;
  return html`<span class="soft why">unknown: ${estimate.because ?? "no draw has a value"}.${known}</span>`;
}

/** What the trace shows: when each phase was, and the flushes in it under each policy. */
async function phases({ phases: all }: DowntimeView): Promise<Html | undefined> {
  if (all.length === 0) return undefined;
  const policies = [...new Set(all.map(({ policy }) => policy))];
  const chart = phaseChart(all, policies);
  return html`${await renderChart(chart)}`;
}

async function passes({ policies }: DowntimeView): Promise<Html | undefined> {
  const shown = policies.filter((policy) => policy.passes.length > 0);
  if (shown.length === 0) return undefined;
  const panels: Html[] = [];
  for (const { id, passes: own } of shown) {
    const figure = await renderChart(passChart(id, own));
    panels.push(html`<div data-panel="passes" data-value="${id}">${figure}</div>`);
  }
  return html`<div class="controls"><label>Policy <select data-panels="passes">${shown.map(
    ({ id }) => html`<option>${id}</option>`,
  )}</select></label></div>${panels}`;
}

async function blackout({ policies }: DowntimeView): Promise<Html | undefined> {
  const rows = policies.flatMap(({ id, parts }) =>
    parts.map(({ part, p5, p50, p95 }) => ({ row: words(part), policy: id, p5, p50, p95 })),
  );
  if (rows.length === 0) return undefined;
  const chart = intervalChart(
    "Parts of the blackout",
    "Median of each part, whiskers from 5 to 95 % of the draws.",
    rows,
    policies.map(({ id }) => id),
  );
  return await renderChart(chart);
}

async function rollback({ policies }: DowntimeView): Promise<Html | undefined> {
  const titles = new Map<string, string>();
  for (const { estimates: own } of policies) {
    for (const { quantity, title, interval } of own) {
      if (interval !== undefined && quantity.startsWith("rollback_stall")) {
        titles.set(quantity, title);
      }
    }
  }
  if (titles.size === 0) return undefined;
  const names = policies.map(({ id, epoch }) => (id === epoch ? id : `${id} (${epoch})`));
  const figures: Html[] = [];
  for (const [quantity, title] of titles) {
    const rows = policies.flatMap(({ estimates: own }, i) => {
      const interval = own.find((one) => one.quantity === quantity)?.interval;
      return interval === undefined ? [] : [{ row: names[i]!, policy: names[i]!, ...interval }];
    });
    const description = "By policy and the epoch of its kernel; whiskers from 5 to 95 %.";
    figures.push(await renderChart(intervalChart(capital(title), description, rows, names)));
  }
  return html`${figures}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

async function tornado({ tornado: bars }: DowntimeView): Promise<Html | undefined> {
  const keys = [...new Set(bars.map(({ quantity, policy }) => `${quantity}, ${policy}`))];
  if (keys.length === 0) return undefined;
  const panels: Html[] = [];
  for (const key of keys) {
    const own = bars.filter((bar) => `${bar.quantity}, ${bar.policy}` === key);
    const figure = await renderChart(tornadoChart(own[0]!.quantity, own[0]!.policy, own));
    panels.push(html`<div data-panel="tornado" data-value="${key}">${figure}</div>`);
  }
  return html`<div class="controls"><label>Quantity <select data-panels="tornado">${keys.map(
    (key) => html`<option>${key}</option>`,
  )}</select></label></div>${panels}`;
}

function constants({ constants: all, structures, draws, seed }: DowntimeView): Html {
  return html`<p>${draws} draws, seed ${seed}; every policy sees the same ones.</p>
${
  structures.length === 0
    ? undefined
    : dataTable(
        "Choices that nothing settles: each is computed, none is averaged",
        [
          { header: "choice" },
          { header: "taken" },
          { header: "instead" },
          { header: "policy" },
          { header: "quantity" },
          { header: "as taken, median" },
          { header: "with the other" },
          { header: "decides" },
        ],
        structures.map((row) => [
          row.dimension,
          row.chosen,
          row.instead,
          row.policy,
          row.quantity,
          row.chosenMedian === undefined ? "—" : secondsText(row.chosenMedian),
          intervalText(row.insteadInterval),
          row.decides ? "yes" : "no",
        ]),
      )
}
${foldedTable(
  "Constants with their ranges and sources",
  [
    { header: "constant" },
    { header: "low", align: "right" },
    { header: "mode", align: "right" },
    { header: "high", align: "right" },
    { header: "unit" },
    { header: "meaning" },
    { header: "evidence" },
    { header: "source" },
    { header: "from" },
  ],
  all.map(({ name, low, mode, high, unit, meaning, evidence, source, origin }) => [
    name,
    String(low),
    String(mode),
    String(high),
    unit,
    meaning,
    evidence,
    source,
    origin,
  ]),
)}`;
}

/** `last_write_protect` as words. */
function words(name: string): string {
  return name.replaceAll("_", " ");
}
