import type { CostValues } from "../costs/cost-table.ts";
import { BLACKOUT_PARTS, type BlackoutPart } from "./blackout.ts";
import { costsOfDraw, type Draws, type InputName } from "./draws.ts";
import { evaluate, type RollbackCase } from "./evaluate.ts";
import type { Mechanics } from "./mechanics.ts";
import type { MigrationInput } from "./migration-input.ts";
import { QUANTITY_IDS, type QuantityId } from "./quantities.ts";
import { type RollbackInput, RollbackSolver } from "./rollback.ts";

/** What is estimated: either part may be missing. */
export interface Scenario {
  readonly migration: MigrationInput | undefined;
  readonly rollback: RollbackInput | undefined;
}

/** Results of one policy, one number a draw; NaN where the draw has none. */
export interface PolicyDraws {
  readonly mechanics: Mechanics;
  readonly quantities: ReadonlyMap<QuantityId, Float64Array>;
  readonly parts: ReadonlyMap<BlackoutPart, Float64Array>;
  /** Draws that converge; undefined without a migration. */
  readonly converged: number | undefined;
}

/** Every policy on the same draws. */
export function runMonteCarlo(
  scenario: Scenario,
  policies: readonly Mechanics[],
  draws: Draws,
): readonly PolicyDraws[] {
  const solver =
    scenario.rollback === undefined ? undefined : new RollbackSolver(scenario.rollback);
  const results = policies.map((mechanics) => new Accumulator(mechanics, draws.count, scenario));
  const values: Record<string, number> = {};
  for (let i = 0; i < draws.count; i += 1) {
    const costs: CostValues = costsOfDraw(draws, i, values);
    const migration = drawnMigration(scenario.migration, draws, i);
    const rollback = drawnRollback(solver, scenario, draws, i);
    for (const result of results) result.add(i, migration, rollback, costs);
  }
  return results.map((result) => result.finish());
}

class Accumulator {
  readonly #mechanics: Mechanics;
  readonly #quantities: ReadonlyMap<QuantityId, Float64Array>;
  readonly #parts: ReadonlyMap<BlackoutPart, Float64Array>;
  readonly #hasMigration: boolean;
  #converged = 0;

  constructor(mechanics: Mechanics, count: number, scenario: Scenario) {
    this.#mechanics = mechanics;
    this.#hasMigration = scenario.migration !== undefined;
    this.#quantities = new Map(QUANTITY_IDS.map((id) => [id, new Float64Array(count)]));
    this.#parts = new Map(
      BLACKOUT_PARTS.map((part) => [part, new Float64Array(count).fill(Number.NaN)]),
    );
  }

  add(
    index: number,
    migration: MigrationInput | undefined,
    rollback: RollbackCase | undefined,
    costs: CostValues,
  ): void {
    const { values, precopy, blackout } = evaluate(migration, rollback, this.#mechanics, costs);
    for (const [id, column] of this.#quantities) column[index] = values[id];
    if (precopy?.outcome === "converged") this.#converged += 1;
    if (blackout === undefined || Number.isNaN(values.source_downtime)) return;
    for (const [part, column] of this.#parts) column[index] = blackout.parts[part];
  }

  finish(): PolicyDraws {
    return {
      mechanics: this.#mechanics,
      quantities: this.#quantities,
      parts: this.#parts,
      converged: this.#hasMigration ? this.#converged : undefined,
    };
  }
}

function drawnMigration(
  migration: MigrationInput | undefined,
  draws: Draws,
  index: number,
): MigrationInput | undefined {
  if (migration === undefined || draws.inputs.size === 0) return migration;
  const drawn = (name: InputName): number | undefined => draws.inputs.get(name)?.[index];
  const { dirty } = migration;
  const bandwidthBytesPerS = drawn("bandwidth") ?? migration.bandwidthBytesPerS;
  if (dirty.kind === "curve") return { ...migration, bandwidthBytesPerS };
  const bytesPerS = drawn("dirty_rate") ?? dirty.bytesPerS;
  if (dirty.kind === "rate-only") {
    return { ...migration, bandwidthBytesPerS, dirty: { kind: "rate-only", bytesPerS } };
  }
  const setBytes = drawn("hot_set") ?? dirty.setBytes;
  return { ...migration, bandwidthBytesPerS, dirty: { ...dirty, bytesPerS, setBytes } };
}

/** Drawn numbers of blocks are whole; a drawn fill multiplies what the blocks hold. */
function drawnRollback(
  solver: RollbackSolver | undefined,
  { rollback }: Scenario,
  draws: Draws,
  index: number,
): RollbackCase | undefined {
  if (solver === undefined || rollback === undefined) return undefined;
  const drawn = draws.inputs.get("blocks")?.[index];
  const blocks = drawn === undefined ? rollback.ptes.length : Math.round(drawn);
  return {
    solver,
    blocks: Math.min(blocks, rollback.ptes.length),
    fill: draws.inputs.get("fill")?.[index] ?? 1,
  };
}
