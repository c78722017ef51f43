import { type Calibration, COST_UNITS, type CostUnit } from "../../replay/costs/cost.ts";
import type { CostName, CostTable } from "../../replay/costs/cost-table.ts";
import { checkRange, costName, withSiteCosts } from "../../replay/costs/site-costs.ts";
import { badOption, type RawValue, repeated } from "../values.ts";

/** `--cost t_ipa=2us` or `--cost t_ipa=1.8..2.2us`: a point, or a range whose middle is the most likely. */
export interface CostChange {
  readonly name: CostName;
  readonly unit: CostUnit;
  readonly low: number;
  readonly mode: number;
  readonly high: number;
}

const OPTION = "cost";

export function parseCosts(raw: RawValue): readonly CostChange[] {
  const changes = repeated(OPTION, raw).map(parseOne);
  const twice = changes.find(({ name }, i) => changes.findIndex((one) => one.name === name) !== i);
  if (twice !== undefined) throw badOption(OPTION, `sets '${twice.name}' twice`);
  return changes;
}

function parseOne(text: string): CostChange {
  const hint = "write it like t_ipa=2us, t_ipa=1.8..2.2us, kappa=1.3x or n_refill=1280entry";
  const match = /^(\w+)=(-?[\d.]+?)(?:\.\.(-?[\d.]+))?(ns|us|µs|ms|s|x|entry)$/.exec(text);
  if (match === null)
    throw badOption(OPTION, `'${text}' is not of the form NAME=VALUE and unit`, hint);
  const [, given = "", from = "", to, unitText = ""] = match;
  const name = costName(given, (why) => badOption(OPTION, why));
  const unit = unitOf(unitText);
  const low = Number(from);
  const high = to === undefined ? low : Number(to);
  const change = { name, unit, low, mode: (low + high) / 2, high };
  if (Number.isNaN(change.mode)) throw badOption(OPTION, `'${text}' is not a number`, hint);
  checkRange(change, (why) => badOption(OPTION, why, hint));
  return change;
}

function unitOf(text: string): CostUnit {
  if (text === "x") return "factor";
  const found = Object.keys(COST_UNITS).find((unit): unit is CostUnit => unit === text);
  return found ?? "us";
}

/** The table with what the options change. */
export function withChanges(
  table: CostTable,
  changes: readonly CostChange[],
  calibration: Calibration,
): CostTable {
  if (changes.length === 0) return table;
  const costs = changes.map((change) => ({
    ...change,
    measuredOn: "given on the command line",
    source: "--cost",
    date: "this run",
  }));
  return withSiteCosts(table, { calibration, costs }, "--cost");
}
