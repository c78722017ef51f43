import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { TraceError } from "../../ingest/errors.ts";
import { suggest } from "../policies/suggest.ts";
import { type Calibration, COST_UNITS, type CostRange, type CostUnit } from "./cost.ts";
import { COST_NAMES, type CostName, type CostTable, shippedTable } from "./cost-table.ts";

/**
 * A site's own constants, as `downtime calibrate` writes them and `downtime --costs FILE` reads them:
 *
 *     { "calibration": "idle",
 *       "costs": [{ "name": "t_ipa", "unit": "us", "low": 1.6, "mode": 1.7, "high": 1.8,
 *                   "measuredOn": "host 7, idle", "source": "kvm_page_table_test", "date": "2026-11" }] }
 */
export interface SiteCost extends CostRange {
  readonly name: CostName;
  readonly unit: CostUnit;
  readonly measuredOn: string;
  readonly source: string;
  readonly date: string;
}

export interface SiteCosts {
  readonly calibration: Calibration;
  readonly costs: readonly SiteCost[];
}

/** No constant of this model is near: a value above is a mistake in the unit. */
const MOST_SECONDS = 3600;
const MOST_FACTOR = 1000;

const finite = v.pipe(v.number("is not a number"), v.finite("is not finite"));
const text = v.pipe(v.string("is not a text"), v.trim(), v.nonEmpty("is empty"));
const siteSchema = v.strictObject(
  {
    calibration: v.picklist(["idle", "loaded"], "is neither idle nor loaded"),
    costs: v.array(
      v.strictObject({
        name: text,
        unit: v.picklist(["ns", "us", "ms", "s", "entry", "factor"], "is not a unit of costs"),
        low: finite,
        mode: finite,
        high: finite,
        measuredOn: text,
        source: text,
        date: text,
      }),
      "is not a list",
    ),
  },
  "is missing, or not known here: an object has calibration and costs",
);

/** @throws TraceError BAD_COST_FILE, UNREADABLE. */
export async function readSiteCosts(path: string): Promise<SiteCosts> {
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TraceError("UNREADABLE", `cannot be read: ${reason}`, path);
  }
  return parseSiteCosts(content, path);
}

/** @throws TraceError BAD_COST_FILE. */
export function parseSiteCosts(content: string, path: string): SiteCosts {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (error) {
    throw bad(path, `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = v.safeParse(siteSchema, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw bad(path, `${v.getDotPath(issue) ?? "the file"} ${issue.message}`);
  }
  const costs = parsed.output.costs.map((cost) => ({
    ...cost,
    name: costName(cost.name, (why) => bad(path, why)),
  }));
  for (const cost of costs) checkRange(cost, (why) => bad(path, why));
  const names = costs.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw bad(path, `gives '${twice}' twice`);
  return { calibration: parsed.output.calibration, costs };
}

/** The name, or what `refuse` makes of one that no cost has. */
export function costName(name: string, refuse: (why: string) => TraceError): CostName {
  const found = COST_NAMES.find((one) => one === name);
  if (found !== undefined) return found;
  const nearest = suggest(name, COST_NAMES);
  throw refuse(
    `no cost is called '${name}'${nearest === undefined ? "" : `: did you mean '${nearest}'?`}`,
  );
}

/** Order, sign, size and dimension of a range. */
export function checkRange(
  cost: CostRange & { readonly name: CostName; readonly unit: CostUnit },
  refuse: (why: string) => TraceError,
): void {
  const { name, low, mode, high, unit } = cost;
  if (!(low <= mode && mode <= high)) {
    throw refuse(`${name}: ${low} to ${mode} to ${high} does not ascend`);
  }
  if (low < 0) throw refuse(`${name}: a cost is not negative (${low})`);
  const shipped = shippedTable("idle").costs.find((one) => one.name === name)!;
  if (dimensionOf(unit) !== dimensionOf(shipped.unit)) {
    throw refuse(`${name} is given in ${unit}, and is counted in ${shipped.unit}`);
  }
  const most = dimensionOf(unit) === "time" ? MOST_SECONDS : MOST_FACTOR * 1000;
  if (high * COST_UNITS[unit] > most) {
    throw refuse(`${name}: ${high} ${unit} cannot be meant: is the unit right?`);
  }
}

function dimensionOf(unit: CostUnit): "time" | "entry" | "factor" {
  return unit === "entry" || unit === "factor" ? unit : "time";
}

/**
 * The table with a site's own values in it. A file of the other calibration is refused: idle and loaded
 * numbers are never mixed.
 * @throws TraceError BAD_COST_FILE
 */
export function withSiteCosts(table: CostTable, site: SiteCosts, origin: string): CostTable {
  const own = new Map(site.costs.map((cost) => [cost.name, cost] as const));
  const mixed = table.costs.find(
    ({ name, conditions }) => own.has(name) && conditions !== "either",
  );
  if (site.calibration !== table.calibration && mixed !== undefined) {
    throw bad(
      origin,
      `holds ${site.calibration} costs (${mixed.name}), and the estimate uses ${table.calibration} ones`,
      `give --calibration ${site.calibration}`,
    );
  }
  const costs = table.costs.map((cost) => {
    const replaced = own.get(cost.name);
    if (replaced === undefined) return cost;
    return { ...cost, ...replaced, evidence: "site" as const, table: `site:${cost.name}`, origin };
  });
  return { calibration: table.calibration, costs };
}

function bad(path: string, why: string, hint?: string): TraceError {
  return new TraceError("BAD_COST_FILE", why, path, hint);
}
