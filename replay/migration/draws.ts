import { SeededRandom } from "../accesses/seeded-random.ts";
import { inBaseUnit } from "../costs/cost.ts";
import type { CostName, CostTable, CostValues } from "../costs/cost-table.ts";
import { drawRanged, drawTriangular, normalCdf, normalPair, type Ranged } from "./distribution.ts";

/** Inputs that may be given as ranges. */
export const INPUT_NAMES = ["bandwidth", "dirty_rate", "hot_set", "blocks", "fill"] as const;
export type InputName = (typeof INPUT_NAMES)[number];
export type InputRanges = Readonly<Partial<Record<InputName, Ranged>>>;

/**
 * Draws of all constants and inputs. Every policy and every structure sees the same ones (common random
 * numbers), so that their differences are not those of the draws.
 */
export interface Draws {
  readonly count: number;
  readonly seed: number;
  readonly costs: ReadonlyMap<CostName, Float64Array>;
  readonly inputs: ReadonlyMap<InputName, Float64Array>;
}

export const DEFAULT_DRAWS = 4000;
export const DEFAULT_SEED = 1;

/**
 * Constants that come from one table of measurements share this much of their error (correlation of the normal
 * numbers behind them). Assumed: a machine that is slow in one row is slow in the next.
 */
export const SAME_TABLE_CORRELATION = 0.5;

export function drawAll(table: CostTable, inputs: InputRanges, count: number, seed: number): Draws {
  const shared = new Map<string, Float64Array>();
  const costs = new Map<CostName, Float64Array>();
  const ownPart = Math.sqrt(1 - SAME_TABLE_CORRELATION);
  const sharedPart = Math.sqrt(SAME_TABLE_CORRELATION);
  for (const cost of table.costs) {
    const own = normals(`cost:${cost.name}`, count, seed);
    let common = shared.get(cost.table);
    if (common === undefined) {
      common = normals(`table:${cost.table}`, count, seed);
      shared.set(cost.table, common);
    }
    const column = own.map((z, i) => {
      const u = normalCdf(z * ownPart + common[i]! * sharedPart);
      return inBaseUnit(drawTriangular(cost.low, cost.mode, cost.high, u), cost.unit);
    });
    costs.set(cost.name, column);
  }
  const drawn = new Map<InputName, Float64Array>();
  for (const name of INPUT_NAMES) {
    const ranged = inputs[name];
    if (ranged === undefined) continue;
    const random = new SeededRandom(hash(`input:${name}`, seed));
    drawn.set(
      name,
      Float64Array.from({ length: count }, () => drawRanged(ranged, random.unit())),
    );
  }
  return { count, seed, costs, inputs: drawn };
}

/** A stream of its own for each name: a constant more or less leaves the others' draws as they are. */
function normals(name: string, count: number, seed: number): Float64Array {
  const random = new SeededRandom(hash(name, seed));
  const values = new Float64Array(count);
  for (let i = 0; i < count; i += 2) {
    const [a, b] = normalPair(random.unit(), random.unit());
    values[i] = a;
    if (i + 1 < count) values[i + 1] = b;
  }
  return values;
}

/** FNV-1a of the name, mixed with the seed. */
function hash(name: string, seed: number): number {
  let value = 0x811c9dc5 ^ seed;
  for (let i = 0; i < name.length; i += 1) {
    value = Math.imul(value ^ name.charCodeAt(i), 0x01000193);
  }
  return value;
}

/** Fills `into` with the constants of one draw. */
export function costsOfDraw(
  draws: Draws,
  index: number,
  into: Record<CostName, number>,
): CostValues {
  for (const [name, column] of draws.costs) into[name] = column[index]!;
  return into;
}
