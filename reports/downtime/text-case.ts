import { durationText, twoFigures } from "../../replay/migration/significant.ts";
import type { DowntimeEstimate } from "../../replay/migration/estimate-types.ts";
import type { QuantityId } from "../../replay/migration/quantities.ts";
import type { Reported } from "../../replay/migration/cases/published-case.ts";
import { formatTable, type TableColumn, type TerminalOptions } from "../terminal.ts";
import { intervalText } from "./text-values.ts";
import type { CaseView } from "./view.ts";

/** A published case: what it reports, what follows from it, and what the model says without its result. */
export function formatCase(
  { published, agnostic, singleBlock }: CaseView,
  estimate: DowntimeEstimate,
  options: TerminalOptions,
): string {
  const findings = published.findings.map(
    ({ kind, value, sentence }) =>
      `  ${kind.padEnd(13)}  ${value === undefined ? "" : `${value}: `}${sentence}\n`,
  );
  return [
    `${published.title}\n${published.source}\n\n`,
    "What of it is derivable, inferred, contradictory\n",
    ...findings,
    "\nReported figures against the model, blocks and fill inferred from the result\n",
    reportedTable(published.reported, { estimate, singleBlock, published }, options),
    "\nWith nothing taken from the result (1 to 192 blocks, any fill): what can be said without a trace\n",
    agnosticLines(agnostic),
  ].join("");
}

interface Sides {
  readonly estimate: DowntimeEstimate;
  readonly singleBlock: DowntimeEstimate;
  readonly published: CaseView["published"];
}

function reportedTable(
  reported: readonly Reported[],
  { estimate, singleBlock, published }: Sides,
  options: TerminalOptions,
): string {
  const columns: readonly TableColumn[] = [
    { header: "figure", align: "left", key: true },
    { header: "policy", align: "left" },
    { header: "reported", align: "right" },
    { header: "estimated with FWB", align: "left" },
    { header: "without FWB", align: "left" },
  ];
  const rows = reported.map((figure) => {
    const policy = published[figure.policy];
    const isStall = figure.what === "roll-back stall";
    const from = isStall ? estimate : singleBlock;
    return [
      figure.what,
      policy,
      `${figure.isUpperBound ? "< " : ""}${durationText(figure.seconds)}`,
      heldAgainst(from, policy, figure, "chosen"),
      heldAgainst(from, policy, figure, "instead"),
    ];
  });
  return formatTable(columns, rows, options);
}

const STALL: QuantityId = "rollback_stall";

/** The interval, and whether the figure lies in it. */
function heldAgainst(
  from: DowntimeEstimate,
  policy: string,
  { seconds, isUpperBound }: Reported,
  side: "chosen" | "instead",
): string {
  const row = from.structures.find(
    (one) => one.dimension === "FWB" && one.policy === policy && one.quantity === STALL,
  );
  const interval = side === "chosen" ? row?.chosenInterval : row?.insteadInterval;
  if (interval === undefined) return "–";
  const { p5, p95 } = interval;
  // Both are known to two figures: 1.2 s is not outside of an interval that ends at 1.17 s.
  const inside = twoFigures(p5) === twoFigures(seconds) || twoFigures(p95) === twoFigures(seconds);
  let verdict = inside || (p5 <= seconds && seconds <= p95) ? "inside" : "OUTSIDE";
  if (isUpperBound) {
    verdict = "agrees";
    if (p95 >= seconds) verdict = p5 < seconds ? "agrees in part" : "OUTSIDE";
  }
  return `${intervalText(STALL, interval)} ${verdict}`;
}

function agnosticLines({ structures }: DowntimeEstimate): string {
  return structures
    .filter(({ dimension, quantity }) => dimension === "FWB" && quantity === STALL)
    .map(({ policy, chosenInterval, insteadInterval }) => {
      const text = (interval: typeof chosenInterval): string =>
        interval === undefined ? "–" : intervalText(STALL, interval);
      return `  ${policy}: roll-back stall ${text(chosenInterval)} with FWB, ${text(insteadInterval)} without\n`;
    })
    .join("");
}
