/**
 * One constant of the cost model, as data: what it is, how much of it is known, and under which
 * conditions. Nothing is computed from a cost without its range.
 */

/** Units in which costs are written; computing is in seconds, entries and bare factors. */
export const COST_UNITS = {
  ns: 1e-9,
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  entry: 1,
  factor: 1,
} as const;
export type CostUnit = keyof typeof COST_UNITS;

/**
 * How busy the machine was when the number was taken: waiting for other CPUs' broadcasts is in a
 * `loaded` number and not in an `idle` one. `either`: work of one CPU, which does not broadcast.
 */
export type Calibration = "idle" | "loaded";
export type Conditions = Calibration | "either";

/**
 * How a statement is backed: `source` read in source code, `list` in a mailing-list post, `derived` worked
 * out from those, `memory` general knowledge that nobody has measured here, `site` the user's own.
 */
export type Evidence = "source" | "list" | "derived" | "memory" | "site";

/** A value with the range in which it is believed to lie (90 % and more of the belief), in `unit`. */
export interface CostRange {
  readonly low: number;
  readonly mode: number;
  readonly high: number;
}

export interface Cost<Name extends string = string> extends CostRange {
  readonly name: Name;
  /** One line: the cost of what. */
  readonly meaning: string;
  readonly unit: CostUnit;
  /** What one is one of, such as `page` in "µs per page"; empty where it is a total. */
  readonly per: string;
  readonly conditions: Conditions;
  /** Machine and load under which it was measured, in words. */
  readonly measuredOn: string;
  readonly source: string;
  /** Of the source: a year, or year and month. */
  readonly date: string;
  readonly evidence: Evidence;
  /**
   * Measurements that come from one table err together: costs of the same table are drawn with a common
   * part (`draws.ts`).
   */
  readonly table: string;
}

/** In the base unit: seconds, entries or a factor. */
export function inBaseUnit(value: number, unit: CostUnit): number {
  return value * COST_UNITS[unit];
}

/** `1.8 µs/page`. */
export function unitText({ unit, per }: Pick<Cost, "unit" | "per">): string {
  if (unit === "factor") return per === "" ? "×" : `× per ${per}`;
  const name = unit === "us" ? "µs" : unit === "entry" ? "entries" : unit;
  return per === "" ? name : `${name}/${per}`;
}
