import { inBaseUnit } from "../costs/cost.ts";
import { modes } from "../costs/cost-table.ts";
import type { EstimateRequest, PolicyEstimate } from "./estimate-types.ts";
import { evaluateScenario } from "./estimate.ts";
import type { QuantityId } from "./quantities.ts";

/** What one constant alone does to a quantity, moved through its range with all else at its mode. */
export interface TornadoBar {
  readonly policy: string;
  readonly quantity: QuantityId;
  /** Name of the constant. */
  readonly name: string;
  /** The quantity with the constant at the low and at the high end of its range. */
  readonly atLow: number;
  readonly atHigh: number;
  readonly atMode: number;
}

const QUANTITIES: readonly QuantityId[] = [
  "source_downtime",
  "forced_switchover",
  "rollback_stall",
];
const MOST_BARS = 10;

/** The constants that move a quantity most, the largest swing first; those that move nothing are left out. */
export function tornadoOf(
  request: EstimateRequest,
  policies: readonly PolicyEstimate[],
): readonly TornadoBar[] {
  return policies.flatMap(({ id, mechanics, atModes }) => {
    const { scenario, ranges, table } = request;
    const base = modes(table);
    const ends = table.costs.map(({ name, low, high, unit }) => {
      const at = (value: number): Readonly<Record<QuantityId, number>> => {
        const costs = { ...base, [name]: inBaseUnit(value, unit) };
        return evaluateScenario(scenario, ranges, mechanics, costs).values;
      };
      return { name, low: at(low), high: at(high) };
    });
    return QUANTITIES.flatMap((quantity) =>
      ends
        .map(
          ({ name, low, high }): TornadoBar => ({
            policy: id,
            quantity,
            name,
            atLow: low[quantity],
            atHigh: high[quantity],
            atMode: atModes.values[quantity],
          }),
        )
        .filter(({ atLow, atHigh }) => swing(atLow, atHigh) > 0)
        .sort((a, b) => swing(b.atLow, b.atHigh) - swing(a.atLow, a.atHigh))
        .slice(0, MOST_BARS),
    );
  });
}

/** NaN where the quantity does not apply: no bar. */
function swing(low: number, high: number): number {
  return Math.abs(high - low);
}
