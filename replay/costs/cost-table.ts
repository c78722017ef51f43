import { type Calibration, type Cost, inBaseUnit } from "./cost.ts";
import { PAGE_COSTS, type PageCostName } from "./page-costs.ts";
import { TLBI_COSTS, type TlbiCostName } from "./tlbi-costs.ts";
import { VMM_COSTS, type VmmCostName } from "./vmm-costs.ts";

/** Every constant that ships; one name may have an idle and a loaded value, never both in one table. */
export const SHIPPED_COSTS: readonly Cost<CostName>[] = [
  ...TLBI_COSTS,
  ...PAGE_COSTS,
  ...VMM_COSTS,
];

export type CostName = TlbiCostName | PageCostName | VmmCostName;

/** In the order of the table. */
export const COST_NAMES: readonly CostName[] = [...new Set(SHIPPED_COSTS.map(({ name }) => name))];

/** What the solvers compute with: seconds, entries and factors. */
export type CostValues = Readonly<Record<CostName, number>>;

/** A cost that is in force, and who says so. */
export interface EffectiveCost extends Cost<CostName> {
  /** `shipped`, or the file or option that overrides it. */
  readonly origin: string;
}

/** All constants of one calibration, one of each name, in the order of the table. */
export interface CostTable {
  readonly calibration: Calibration;
  readonly costs: readonly EffectiveCost[];
}

/** The shipped table of a calibration: a cost of the other one never stands in for a missing one. */
export function shippedTable(calibration: Calibration): CostTable {
  const costs = COST_NAMES.map((name) => {
    const found = SHIPPED_COSTS.filter(
      (cost) =>
        cost.name === name && (cost.conditions === calibration || cost.conditions === "either"),
    );
    if (found.length !== 1) {
      throw new Error(`${found.length} costs are called ${name} in the ${calibration} calibration`);
    }
    return { ...found[0]!, origin: "shipped" };
  });
  return { calibration, costs };
}

/** The most likely value of each. */
export function modes(table: CostTable): CostValues {
  return valuesOf(table, ({ mode, unit }) => inBaseUnit(mode, unit));
}

function valuesOf(table: CostTable, value: (cost: EffectiveCost) => number): CostValues {
  const entries = table.costs.map((cost) => [cost.name, value(cost)] as const);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table has each name once
  return Object.fromEntries(entries) as CostValues;
}

/** The same with some values replaced, in base units: for what-ifs, fits and tests. */
export function withValues(values: CostValues, replaced: Partial<CostValues>): CostValues {
  return { ...values, ...replaced };
}
