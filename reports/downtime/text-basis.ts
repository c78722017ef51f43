import { unitText } from "../../replay/costs/cost.ts";
import type { DowntimeEstimate, StructureRow } from "../../replay/migration/estimate-types.ts";
import { QUANTITIES, type QuantityId } from "../../replay/migration/quantities.ts";
import { formatTable, type TableColumn, type TerminalOptions, visible } from "../terminal.ts";
import { intervalText } from "./text-values.ts";

/** What the numbers rest on: structures, what to measure first, samples, and every constant. */
export function formatBasis(estimate: DowntimeEstimate, options: TerminalOptions): string {
  return [
    structures(estimate, options),
    sensitivities(estimate),
    sampling(estimate, options),
    constants(estimate, options),
  ].join("");
}

function structures({ structures: rows }: DowntimeEstimate, options: TerminalOptions): string {
  if (rows.length === 0) return "";
  const columns: readonly TableColumn[] = [
    { header: "choice", align: "left", key: true },
    { header: "policy", align: "left" },
    { header: "quantity", align: "left" },
    { header: "as estimated", align: "left" },
    { header: "instead", align: "left" },
    { header: "decides", align: "left" },
  ];
  const moved = rows.filter(moves);
  const still = [...new Set(rows.map(({ instead }) => instead))].filter(
    (instead) => !moved.some((row) => row.instead === instead),
  );
  const none =
    still.length === 0 ? "" : `  without effect on any of these quantities: ${still.join("; ")}\n`;
  const body = moved.map((row) => [
    row.instead,
    row.policy,
    QUANTITIES[row.quantity].title,
    row.chosenInterval === undefined ? "–" : intervalText(row.quantity, row.chosenInterval),
    row.insteadInterval === undefined ? "–" : intervalText(row.quantity, row.insteadInterval),
    row.decides ? "yes" : "no",
  ]);
  return `\nStructure: what nothing settles, one choice at a time (never averaged)\n${moved.length === 0 ? "" : formatTable(columns, body, options)}${none}`;
}

/** Whether the other choice shows in the two figures that are printed. */
function moves({ quantity, chosenInterval, insteadInterval }: StructureRow): boolean {
  if (chosenInterval === undefined || insteadInterval === undefined) return true;
  return intervalText(quantity, chosenInterval) !== intervalText(quantity, insteadInterval);
}

function sensitivities({ policies }: DowntimeEstimate): string {
  const lines = policies.flatMap(({ id, sensitivities: found }) => {
    const quantities = [...new Set(found.map(({ quantity }) => quantity))];
    return quantities.map((quantity) => {
      const names = found
        .filter((one) => one.quantity === quantity)
        .map(({ name, correlation }) => `${name} ${signed(correlation)}`);
      return `  ${id}, ${QUANTITIES[quantity].title}: ${names.join(", ")}\n`;
    });
  });
  if (lines.length === 0) return "";
  return `\nWhat to measure first (rank correlation of constants and inputs with the result)\n${lines.join("")}`;
}

function signed(correlation: number): string {
  return `${correlation < 0 ? "-" : "+"}${Math.abs(correlation).toFixed(2)}`;
}

const SAMPLED: readonly QuantityId[] = [
  "source_downtime",
  "total_time",
  "lost_vcpu_rollback",
  "rollback_stall",
];

/** The other layer of uncertainty, in a table of its own. */
function sampling({ policies, request }: DowntimeEstimate, options: TerminalOptions): string {
  const { method, because } = request.sampling;
  if (because !== undefined) return `\nSampling layer: none (${because})\n`;
  const columns: readonly TableColumn[] = [
    { header: "policy", align: "left", key: true },
    { header: "quantity", align: "left" },
    { header: "sample drawn again", align: "left" },
  ];
  const rows = policies.flatMap(({ id, estimates }) =>
    estimates.flatMap(({ quantity, sampling: interval }) =>
      interval === undefined || !SAMPLED.includes(quantity)
        ? []
        : [[id, QUANTITIES[quantity].title, intervalText(quantity, interval)]],
    ),
  );
  const heading = `\nSampling layer: ${visible(method)}; constants fixed, so these intervals say nothing of the constants\n`;
  return heading + formatTable(columns, rows, options);
}

/** Four figures: a fit has no more. */
function figures(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function constants({ request }: DowntimeEstimate, options: TerminalOptions): string {
  const columns: readonly TableColumn[] = [
    { header: "constant", align: "left", key: true },
    { header: "value", align: "right" },
    { header: "range", align: "left" },
    { header: "unit", align: "left" },
    { header: "conditions", align: "left" },
    { header: "evidence", align: "left" },
    { header: "date", align: "left" },
    { header: "source", align: "left" },
  ];
  const rows = request.table.costs.map((cost) => [
    cost.name,
    figures(cost.mode),
    `${figures(cost.low)} to ${figures(cost.high)}`,
    unitText(cost),
    cost.conditions,
    cost.evidence,
    cost.date,
    cost.origin === "shipped" ? cost.source : `${cost.origin}: ${cost.source}`,
  ]);
  return `\nConstants (${request.table.calibration} calibration)\n${formatTable(columns, rows, options)}`;
}
