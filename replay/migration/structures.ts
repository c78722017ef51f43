import type { Draws } from "./draws.ts";
import type { EstimateRequest, PolicyEstimate, StructureRow } from "./estimate-types.ts";
import { type Interval, intervalOf } from "./intervals.ts";
import { mechanicsOf } from "./mechanics-of-request.ts";
import { type PolicyDraws, runMonteCarlo } from "./monte-carlo.ts";
import { QUANTITIES, type QuantityId } from "./quantities.ts";
import { durationRangeText } from "./significant.ts";

/** Quantities in which structures are compared. */
const STRUCTURAL: readonly QuantityId[] = [
  "source_downtime",
  "forced_switchover",
  "rollback_stall",
];

/** Every alternative on the same draws, one at a time. */
export function compareStructures(
  request: EstimateRequest,
  chosen: readonly PolicyDraws[],
  draws: Draws,
): readonly StructureRow[] {
  return request.alternatives.flatMap((alternative) => {
    const other = alternative.apply(request);
    const results = runMonteCarlo(other.scenario, mechanicsOf(other), draws);
    return results.flatMap((result, i) =>
      STRUCTURAL.flatMap((quantity) => {
        const chosenInterval = intervalOf(chosen[i]!.quantities.get(quantity)!);
        const insteadInterval = intervalOf(result.quantities.get(quantity)!);
        if (chosenInterval === undefined && insteadInterval === undefined) return [];
        return [
          {
            dimension: alternative.dimension,
            chosen: alternative.chosen,
            instead: alternative.instead,
            policy: result.mechanics.id,
            quantity,
            chosenInterval,
            insteadInterval,
            decides: decides(chosenInterval, insteadInterval),
          },
        ];
      }),
    );
  });
}

function decides(chosen: Interval | undefined, instead: Interval | undefined): boolean {
  if (chosen === undefined || instead === undefined) return chosen !== instead;
  return instead.p50 < chosen.p5 || instead.p50 > chosen.p95;
}

/** The first line of every report: whether a choice that nothing settles matters more than all constants. */
export function headlineOf(
  rows: readonly StructureRow[],
  policies: readonly PolicyEstimate[],
  request: EstimateRequest,
): string {
  const deciding = rows.filter((row) => row.decides);
  const [worst] = [...deciding].sort((a, b) => factorOf(b) - factorOf(a));
  if (worst !== undefined) return decidingText(worst);
  if (
    policies.every(({ estimates }) =>
      estimates.every(
        ({ quantity, interval }) => quantity === "unmap_gib" || interval === undefined,
      ),
    )
  ) {
    return "Nothing can be estimated from what is given; each quantity says what is missing";
  }
  if (request.alternatives.length === 0) {
    return "Structure is settled by what is given: intervals are those of constants and inputs";
  }
  const dimensions = [...new Set(request.alternatives.map(({ dimension }) => dimension))];
  return `Structure does not decide: ${dimensions.join(", ")} move${dimensions.length === 1 ? "s" : ""} no median out of the interval of the constants`;
}

/** Infinite where one side has no value. */
function factorOf({ chosenInterval, insteadInterval }: StructureRow): number {
  if (chosenInterval === undefined || insteadInterval === undefined) return Infinity;
  const a = Math.max(chosenInterval.p50, Number.MIN_VALUE);
  const b = Math.max(insteadInterval.p50, Number.MIN_VALUE);
  return Math.max(a / b, b / a);
}

function decidingText(row: StructureRow): string {
  const { title } = QUANTITIES[row.quantity];
  return (
    `STRUCTURE DECIDES, more than all constants: ${row.dimension}. The ${title} under ${row.policy} is ` +
    `${medianText(row.chosenInterval)} (${row.chosen}), ${medianText(row.insteadInterval)} (${row.instead})`
  );
}

function medianText(interval: Interval | undefined): string {
  if (interval === undefined) return "without a value";
  return durationRangeText(interval);
}
