import type { StallEntry, StallTotal } from "../../stall-entry.ts";
import type { Summary } from "../../summary.ts";
import { formatCount } from "../../terminal.ts";
import { dataTable, foldedTable } from "../data-table.ts";
import { html, type Html } from "../markup.ts";
import { numberText, stallText } from "../units.ts";
import type { Measure } from "./policies.ts";

/** The flushes of each policy in time: what is known of a stall, under which conditions, and from where. */

export const IDLE_TITLE = "idle machine";

/** `an idle machine`. */
function machineText(calibration: string): string {
  return calibration === "idle" ? "an idle machine" : `a ${calibration} machine`;
}

export function stallCell({ stall }: Summary, policy: string): string {
  const idle = stall?.find(({ calibration }) => calibration === "idle");
  const total = idle?.policies.find((one) => one.policy === policy);
  if (total === undefined) return "not priced";
  if (total.stall_us === null) return "unknown";
  return `${total.unpriced.length === 0 ? "" : "≥ "}${stallText(total.stall_us)}`;
}

export function stallMeasure({ stall }: Summary): readonly Measure[] {
  const idle = stall?.find(({ calibration }) => calibration === "idle");
  const values = (idle?.policies ?? []).flatMap(({ policy, stall_us: us }) =>
    us === null ? [] : [{ policy, value: us.median, low: us.low, high: us.high }],
  );
  if (values.every(({ high }) => high === 0)) return [];
  const most = Math.max(...values.map(({ high }) => high));
  const [unit, by] = most >= 1e4 ? ["ms", 1e3] : ["µs", 1];
  return [
    {
      title: `Stall, estimated (${IDLE_TITLE})`,
      description:
        "Time in flushes, one after the other, by published constants: median; whiskers from 5 to 95 %, all undecided calls at the upper end, calls without a price left out.",
      unit,
      values: values.map(({ policy, value, low, high }) => ({
        policy,
        value: twoDigits(value / by),
        low: twoDigits(low / by),
        high: twoDigits(high / by),
      })),
    },
  ];
}

function twoDigits(value: number): number {
  return Number(value.toPrecision(2));
}

export function stallTables({ stall }: Summary): Html {
  if (stall === undefined || stall.length === 0) {
    return html`<p class="soft">Stall: unknown, because these results were not priced. Constants are known of flushes of arm64's stage 2; analyze applies them with --html or --out.</p>`;
  }
  return html`<h3>Stall, estimated</h3>
<p>What the flushes alone take of their CPUs' time, had they been issued one after the other: not measured, without TLB refills and waiting for locks. An idle and a loaded machine are two estimates from different experiments, which do not reconcile; neither bounds the other. Median [5 to 95 %] of ${formatCount(stall[0]!.draws)} draws of the constants, with all undecided calls made at the upper end.</p>
${stall.map(calibrationTable)}
${reasons(stall)}
${stall.map(constantsTable)}`;
}

function calibrationTable({ calibration, policies }: StallEntry): Html {
  const than = policies[0]?.policy ?? "";
  return dataTable(
    `Stall on ${machineText(calibration)}, and its paired difference from ${than}`,
    [
      { header: "policy" },
      { header: "priced calls", align: "right" },
      { header: "without a price", align: "right" },
      { header: "stall", align: "right" },
      { header: "difference", align: "right" },
      { header: "verdict" },
    ],
    policies.map((total) => [
      total.policy,
      formatCount(total.priced_calls),
      total.unpriced.length === 0
        ? "0"
        : total.unpriced
            .map(({ primitive, calls }) => `${formatCount(calls)} ${primitive}`)
            .join(", "),
      total.stall_us === null
        ? "unknown"
        : `${total.unpriced.length === 0 ? "" : "≥ "}${stallText(total.stall_us)}`,
      total.difference_us === null ? "" : stallText(total.difference_us),
      html`<span class="why">${verdictText(total)}</span>`,
    ]),
  );
}

function verdictText({ verdict, because }: StallTotal): string {
  if (verdict === null) return "the reference";
  return because === null ? verdict : `${verdict}, because ${because}`;
}

/** Why calls have no price, each reason once. */
function reasons(stall: readonly StallEntry[]): Html | undefined {
  const texts = new Set(
    stall.flatMap(({ policies }) =>
      policies.flatMap(({ unpriced }) =>
        unpriced.map(({ primitive, because }) => `${primitive}: unknown, because ${because}.`),
      ),
    ),
  );
  if (texts.size === 0) return undefined;
  return html`<p>Calls without a price are not in the stall (≥). In a difference each that stays on its CPU takes between nothing and what it would take if it were broadcast.</p><ul>${[...texts].map((text) => html`<li>${text}</li>`)}</ul>`;
}

function constantsTable({ calibration, constants }: StallEntry): Html {
  return foldedTable(
    `Constants of the stall on ${machineText(calibration)}, and their sources`,
    [
      { header: "constant" },
      { header: "of" },
      { header: "low", align: "right" },
      { header: "likely", align: "right" },
      { header: "high", align: "right" },
      { header: "unit" },
      { header: "conditions" },
      { header: "measured on" },
      { header: "source" },
      { header: "evidence" },
    ],
    constants.map((one) => [
      one.name,
      one.meaning,
      numberText(one.low),
      numberText(one.likely),
      numberText(one.high),
      one.unit,
      one.conditions,
      one.measured_on,
      `${one.source} (${one.date})`,
      one.evidence,
    ]),
  );
}
