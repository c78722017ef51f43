import type { DowntimeEstimate, PolicyEstimate } from "../../replay/migration/estimate-types.ts";
import type { InputRanges } from "../../replay/migration/draws.ts";
import { isBounded } from "../../replay/migration/evaluate.ts";
import type { MigrationInput } from "../../replay/migration/migration-input.ts";
import type { Pass, PrecopyOutcome } from "../../replay/migration/precopy-result.ts";
import { durationText, twoFigures } from "../../replay/migration/significant.ts";
import { formatCount, formatTable, type TableColumn, type TerminalOptions } from "../terminal.ts";
import { bytesText, percentText } from "./text-values.ts";

const COLUMNS: readonly TableColumn[] = [
  { header: "pass", align: "right", key: true },
  { header: "sent", align: "right" },
  { header: "time", align: "right" },
  { header: "dirtied", align: "right" },
  { header: "left dirty", align: "right" },
  { header: "threshold", align: "right" },
  { header: "implied downtime", align: "right" },
  { header: "clears", align: "right" },
  { header: "flushes", align: "right" },
  { header: "clear time", align: "right" },
  { header: "lost to faults", align: "right" },
  { header: "throttle", align: "right" },
];

const OUTCOMES: Readonly<Record<PrecopyOutcome, string>> = {
  converged: "converges",
  plateau: "DOES NOT CONVERGE: what is dirty does not shrink any more",
  "pass-limit": "DOES NOT CONVERGE within 10,000 passes",
  forced: "is stopped by the layer above",
  cancelled: "is cancelled by the layer above",
  "post-copy": "goes on as post-copy",
};

const FIRST_ROWS = 12;
const LAST_ROWS = 3;

/** Per-pass tables of the first and the last policy: those between lie between. */
export function formatPasses(
  { policies, request }: DowntimeEstimate,
  options: TerminalOptions,
): string {
  const { migration } = request.scenario;
  if (migration === undefined) return "";
  const shown = policies.filter((_, i) => i === 0 || i === policies.length - 1);
  const tables = shown.map((policy) => policyPasses(policy, migration.bandwidthBytesPerS, options));
  const lambda = lambdaText(migration, request.ranges);
  if (!isBounded(migration)) return `${tables.join("\n")}${lambda}`;
  const chances = policies.flatMap(({ id, pConverge, pConvergeSampling }) => {
    if (pConverge === undefined) return [];
    const sampled =
      pConvergeSampling === undefined
        ? ""
        : `, ${percentText(pConvergeSampling)} of samples with constants fixed`;
    return [`${id} ${percentText(pConverge)} of draws${sampled}`];
  });
  return `${tables.join("\n")}${lambda}Converges: ${chances.join("; ")}\n`;
}

/** λ, writes over bandwidth, and what it says; nothing where a trace gives more than a rate. */
function lambdaText(
  migration: MigrationInput,
  { bandwidth, dirty_rate: rate }: InputRanges,
): string {
  const { dirty, downtimeLimitS } = migration;
  if (dirty.kind === "curve" || rate === undefined || bandwidth === undefined) return "";
  const low = rate.low / bandwidth.high;
  const high = rate.high / bandwidth.low;
  const value = low === high ? twoFigures(low) : `${twoFigures(low)} to ${twoFigures(high)}`;
  const threshold = bytesText(migration.bandwidthBytesPerS * downtimeLimitS);
  const unless = `it converges only where less than ${threshold} is written at all (bandwidth × downtime limit), or with throttling`;
  let meaning = "below 1, so passes shrink";
  if (low >= 1) meaning = `at least 1, so passes do not shrink: ${unless}`;
  else if (high >= 1) meaning = `from 1 on passes do not shrink: ${unless}`;
  const worst = isBounded(migration)
    ? ""
    : "The table is the worst case, in which all memory is written: a rate alone does not say whether it converges (--hot-set)\n";
  return `λ = dirty rate / bandwidth = ${value}: ${meaning}\n${worst}`;
}

function policyPasses(
  { id, atModes }: PolicyEstimate,
  bandwidth: number,
  options: TerminalOptions,
): string {
  const { precopy } = atModes;
  if (precopy === undefined) return "";
  const { passes, outcome, totalS, passCount } = precopy;
  const count = passCount === 1 ? "1 pass" : `${formatCount(passCount)} passes`;
  const heading = `Passes under ${id}, every value at its most likely: ${OUTCOMES[outcome]} after ${count}, ${durationText(totalS)}\n`;
  const rows = passes.map((pass) => rowOf(pass, bandwidth));
  const cut = rows.length > FIRST_ROWS + LAST_ROWS + 1;
  const left = rows.length - FIRST_ROWS - LAST_ROWS;
  const shown = cut
    ? [...rows.slice(0, FIRST_ROWS), [`… ${left} more`], ...rows.slice(-LAST_ROWS)]
    : rows;
  return heading + formatTable(COLUMNS, shown, options);
}

function rowOf(pass: Pass, bandwidth: number): readonly string[] {
  return [
    String(pass.number),
    bytesText(pass.sentBytes),
    durationText(pass.seconds),
    bytesText(pass.dirtiedBytes),
    bytesText(pass.remainingBytes),
    bytesText(pass.thresholdBytes),
    durationText(pass.remainingBytes / bandwidth),
    formatCount(Math.round(pass.clears)),
    formatCount(Math.round(pass.flushCalls)),
    durationText(pass.clearS),
    percentText(pass.faultShare),
    percentText(pass.throttleShare),
  ];
}
