import { type CostName, type CostTable, type CostValues, modes } from "../costs/cost-table.ts";
import { inBaseUnit } from "../costs/cost.ts";
import { middle } from "./distribution.ts";
import { drawAll, type Draws, type InputRanges } from "./draws.ts";
import type {
  DowntimeEstimate,
  Estimate,
  EstimateRequest,
  PolicyDifference,
  PolicyEstimate,
  Sensitivity,
} from "./estimate-types.ts";
import { evaluate, type Evaluation, isBounded } from "./evaluate.ts";
import { intervalOf, pairedDifference, rankCorrelation } from "./intervals.ts";
import type { Mechanics } from "./mechanics.ts";
import { mechanicsOf } from "./mechanics-of-request.ts";
import { type PolicyDraws, runMonteCarlo, type Scenario } from "./monte-carlo.ts";
import { QUANTITY_IDS, type QuantityId } from "./quantities.ts";
import { boundsOf, whyNone } from "./reasons.ts";
import { RollbackSolver } from "./rollback.ts";
import { compareStructures, headlineOf } from "./structures.ts";

/** Quantities that policies are compared in. */
export const COMPARED: readonly QuantityId[] = [
  "source_downtime",
  "lost_vcpu_success",
  "rollback_stall",
  "rollback_stall_max",
];
const SENSITIVE: readonly QuantityId[] = ["source_downtime", "forced_switchover", "rollback_stall"];
/** Resolution of what a VMM reports, s. Taken for everything where there is no trace. */
export const VMM_RESOLUTION_S = 1e-3;
const LEAST_CORRELATION = 0.1;
const MOST_SENSITIVITIES = 6;

/** The whole estimate: policies on the same draws, their differences, and what other structures would give. */
export function estimateDowntime(request: EstimateRequest): DowntimeEstimate {
  const draws = drawAll(request.table, request.ranges, request.draws, request.seed);
  const mechanics = mechanicsOf(request);
  const results = runMonteCarlo(request.scenario, mechanics, draws);
  const policies = results.map((result) => policyEstimate(request, result, draws));
  const structures = compareStructures(request, results, draws);
  return {
    request,
    policies,
    differences: differencesOf(results, request.resolutionS),
    structures,
    headline: headlineOf(structures, policies, request),
  };
}

function policyEstimate(
  request: EstimateRequest,
  result: PolicyDraws,
  draws: Draws,
): PolicyEstimate {
  const { mechanics, quantities, parts, converged } = result;
  const costs = modes(request.table);
  const atModes = evaluateScenario(request.scenario, request.ranges, mechanics, costs, true);
  const replicates = request.sampling.replicates.map((scenario) =>
    evaluateScenario(scenario, request.ranges, mechanics, costs),
  );
  const estimates = QUANTITY_IDS.map((quantity): Estimate => {
    const interval = intervalOf(quantities.get(quantity)!);
    const sampled = Float64Array.from(replicates, ({ values }) => values[quantity]);
    const point = atModes.values[quantity];
    return {
      quantity,
      point: interval === undefined || Number.isNaN(point) ? undefined : point,
      interval,
      sampling: intervalOf(sampled),
      because: interval === undefined ? whyNone(quantity, request, atModes) : undefined,
      bounds: interval === undefined ? boundsOf(quantity, request) : undefined,
    };
  });
  return {
    id: mechanics.id,
    mechanics,
    atModes,
    estimates,
    parts: [...parts].flatMap(([part, column]) => {
      const interval = intervalOf(column);
      return interval === undefined ? [] : [{ part, interval }];
    }),
    pConverge: converged === undefined || !isKnown(request) ? undefined : converged / draws.count,
    pConvergeSampling: convergedShare(replicates),
    sensitivities: SENSITIVE.flatMap((quantity) =>
      sensitivitiesOf(quantity, request, result, draws),
    ),
  };
}

/** A rate alone does not say whether it converges. */
function isKnown({ scenario }: EstimateRequest): boolean {
  return scenario.migration !== undefined && isBounded(scenario.migration);
}

function convergedShare(replicates: readonly Evaluation[]): number | undefined {
  const known = replicates.filter(({ precopy }) => precopy !== undefined);
  if (known.length === 0) return undefined;
  return known.filter(({ precopy }) => precopy?.outcome === "converged").length / known.length;
}

/** One scenario with every range at its middle. */
export function evaluateScenario(
  { migration, rollback }: Scenario,
  ranges: InputRanges,
  mechanics: Mechanics,
  costs: CostValues,
  keepPasses = false,
): Evaluation {
  const solver = rollback === undefined ? undefined : new RollbackSolver(rollback);
  const rollbackCase =
    solver === undefined || rollback === undefined
      ? undefined
      : {
          solver,
          blocks:
            ranges.blocks === undefined ? rollback.ptes.length : Math.round(middle(ranges.blocks)),
          fill: ranges.fill === undefined ? 1 : middle(ranges.fill),
        };
  return evaluate(migration, rollbackCase, mechanics, costs, keepPasses);
}

/** Each policy against the first. */
function differencesOf(
  [first, ...others]: readonly PolicyDraws[],
  resolutionS: number,
): readonly PolicyDifference[] {
  if (first === undefined) return [];
  return others.flatMap((one) =>
    COMPARED.flatMap((quantity) => {
      const found = pairedDifference(
        one.quantities.get(quantity)!,
        first.quantities.get(quantity)!,
        resolutionFor(quantity, resolutionS),
      );
      if (found === undefined) return [];
      return [{ policy: one.mechanics.id, than: first.mechanics.id, quantity, ...found }];
    }),
  );
}

/** VMMs report downtimes in whole milliseconds, whatever the trace can tell apart. */
function resolutionFor(quantity: QuantityId, resolutionS: number): number {
  return quantity === "source_downtime" ? Math.max(resolutionS, VMM_RESOLUTION_S) : resolutionS;
}

function sensitivitiesOf(
  quantity: QuantityId,
  request: EstimateRequest,
  result: PolicyDraws,
  draws: Draws,
): readonly Sensitivity[] {
  const outcome = result.quantities.get(quantity)!;
  if (intervalOf(outcome) === undefined) return [];
  const found: Sensitivity[] = [];
  for (const [name, column] of [...draws.inputs, ...draws.costs]) {
    const correlation = rankCorrelation(column, outcome);
    if (correlation === undefined || Math.abs(correlation) < LEAST_CORRELATION) continue;
    found.push({ quantity, name, correlation });
  }
  return found
    .filter(({ name }) => matters(name, quantity, request, result))
    .sort((a, b) => Math.abs(b.correlation) - Math.abs(a.correlation))
    .slice(0, MOST_SENSITIVITIES);
}

/** A constant that shares a table with one that matters correlates too; this one is moved alone. */
function matters(
  name: string,
  quantity: QuantityId,
  { scenario, ranges, table }: EstimateRequest,
  { mechanics }: PolicyDraws,
): boolean {
  const cost = table.costs.find((one) => one.name === name);
  if (cost === undefined) return true;
  const at = (value: number): number =>
    evaluateScenario(
      scenario,
      ranges,
      mechanics,
      replaced(table, cost.name, inBaseUnit(value, cost.unit)),
    ).values[quantity];
  return at(cost.low) !== at(cost.high);
}

function replaced(table: CostTable, name: CostName, value: number): CostValues {
  return { ...modes(table), [name]: value };
}
