import { BLACKOUT_PARTS } from "../../replay/migration/blackout.ts";
import type { DowntimeEstimate, PolicyEstimate } from "../../replay/migration/estimate-types.ts";
import { QUANTITIES, QUANTITY_IDS, type QuantityId } from "../../replay/migration/quantities.ts";
import { twoFigures } from "../../replay/migration/significant.ts";
import { formatTable, type TableColumn, type TerminalOptions } from "../terminal.ts";
import { estimateText, intervalText } from "./text-values.ts";
import { axisOf, whisker, WHISKER_WIDTH } from "./whiskers.ts";

/** The quantities of every policy side by side, each with its interval or with the reason why it has none. */
export function formatQuantities(estimate: DowntimeEstimate, options: TerminalOptions): string {
  const { policies } = estimate;
  const columns: readonly TableColumn[] = [
    { header: "quantity", align: "left", key: true },
    ...policies.map(({ id }) => ({ header: id, align: "left" }) as const),
  ];
  const rows = QUANTITY_IDS.filter((id) => isShown(id, policies)).map((id) => [
    QUANTITIES[id].title,
    ...policies.map((policy) => {
      const one = estimateOf(policy, id);
      return one === undefined ? "–" : estimateText(one);
    }),
  ]);
  const heading =
    "Estimated, not measured. Median [5 % to 95 %] over the constants and the inputs given as ranges\n";
  return heading + formatTable(columns, rows, options) + reasons(policies);
}

/** Of what applies to few cases, nothing is said where it does not apply. */
function isShown(id: QuantityId, policies: readonly PolicyEstimate[]): boolean {
  if (id !== "postcopy_stall" && id !== "forced_switchover") return true;
  return policies.some((policy) => {
    const one = estimateOf(policy, id);
    return one?.interval !== undefined || one?.bounds !== undefined;
  });
}

function estimateOf(
  { estimates }: PolicyEstimate,
  id: QuantityId,
): PolicyEstimate["estimates"][number] | undefined {
  return estimates.find(({ quantity }) => quantity === id);
}

/** Each reason once, with the quantities and policies that it holds for. */
function reasons(policies: readonly PolicyEstimate[]): string {
  const found = new Map<string, Map<QuantityId, string[]>>();
  for (const { id, estimates } of policies) {
    for (const { quantity, because } of estimates) {
      if (because === undefined || !isShown(quantity, policies)) continue;
      const quantities = found.get(because) ?? new Map<QuantityId, string[]>();
      quantities.set(quantity, [...(quantities.get(quantity) ?? []), id]);
      found.set(because, quantities);
    }
  }
  return [...found]
    .map(([because, quantities]) => {
      const names = [...quantities].map(([quantity, ids]) => {
        const only = ids.length === policies.length ? "" : ` (${ids.join(", ")})`;
        return QUANTITIES[quantity].title + only;
      });
      return `  – ${names.join(", ")}: ${because}\n`;
    })
    .join("");
}

const DRAWN: readonly QuantityId[] = ["source_downtime", "forced_switchover", "rollback_stall"];

/** Whiskers on a logarithmic axis, one a policy. */
export function formatWhiskers({ policies }: DowntimeEstimate): string {
  const width = Math.max(...policies.map(({ id }) => id.length));
  return DRAWN.map((quantity) => {
    const rows = policies.flatMap((policy) => {
      const interval = estimateOf(policy, quantity)?.interval;
      return interval === undefined ? [] : [{ id: policy.id, interval }];
    });
    const axis = axisOf(rows.map(({ interval }) => interval));
    if (axis === undefined) return "";
    const lines = rows.map(({ id, interval }) => {
      const drawn = whisker(interval, axis).padEnd(WHISKER_WIDTH);
      return `  ${id.padEnd(width)}  ${drawn}  ${intervalText(quantity, interval)}\n`;
    });
    return `\n${QUANTITIES[quantity].title}, ├ 5 % ● median ┤ 95 %, logarithmic\n${lines.join("")}`;
  }).join("");
}

/** Where the source downtime goes; parts at their most likely values add up, medians do not. */
export function formatComponents({ policies }: DowntimeEstimate, options: TerminalOptions): string {
  const shown = policies.filter(({ parts }) => parts.length > 0);
  if (shown.length === 0) return "";
  const columns: readonly TableColumn[] = [
    { header: "component", align: "left", key: true },
    ...shown.map(({ id }) => ({ header: id, align: "left" }) as const),
  ];
  const nonZero = BLACKOUT_PARTS.filter((part) =>
    shown.some(({ parts }) => parts.some((one) => one.part === part && one.interval.p95 > 0)),
  );
  const rows = nonZero.map((part) => [
    part.replace(/_/g, " "),
    ...shown.map(({ parts }) => {
      const found = parts.find((one) => one.part === part);
      return found === undefined ? "–" : intervalText("source_downtime", found.interval);
    }),
  ]);
  return `\nComponents of the source downtime, median [5 % to 95 %]\n${formatTable(columns, rows, options)}`;
}

/** Policies on the same draws against the first. */
export function formatDifferences(
  { differences, policies }: DowntimeEstimate,
  options: TerminalOptions,
): string {
  if (differences.length === 0) return "";
  const columns: readonly TableColumn[] = [
    { header: "policy", align: "left", key: true },
    { header: "quantity", align: "left" },
    { header: "difference", align: "left" },
    { header: "ratio", align: "left" },
    { header: "verdict", align: "left" },
  ];
  const rows = differences.map(({ policy, quantity, difference, ratio, verdict, because }) => [
    policy,
    QUANTITIES[quantity].title,
    intervalText(quantity, difference),
    ratio === undefined
      ? "–"
      : `${twoFigures(ratio.p50)} [${twoFigures(ratio.p5)} to ${twoFigures(ratio.p95)}]`,
    because === undefined ? verdict : `${verdict}: ${because}`,
  ]);
  const first = policies[0]?.id ?? "";
  return `\nAgainst ${first}, on the same draws, median [5 % to 95 %]\n${formatTable(columns, rows, options)}`;
}
