import { inspect } from "node:util";
import type { FlushRow, InstructionRow } from "../replay/results.ts";
import type { MissCurveRow } from "../replay/tlb/miss-curve.ts";
import type { RefillRow } from "../replay/tlb/refills/refill-result.ts";

/**
 * The result tables as data: every writer (CSV, Arrow, terminal) takes its columns, their order, types,
 * units and meanings from here, so that no two of them can disagree.
 */

/** Grows by one when a column is added, removed, reordered or changes its meaning. */
export const SCHEMA_VERSION = 1;

export type ColumnType = "utf8" | "int64" | "float64";

/** A cell as the writers see it: an int64 may come as a safe integer or as a bigint. */
export type Cell = string | number | bigint | null;

export interface Column<Row> {
  readonly name: keyof Row & string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** What one is one of: `call`, `page`, `ns`; empty for names. */
  readonly unit: string;
  /** One sentence. */
  readonly meaning: string;
}

export interface TableSchema<Row> {
  /** Stem of the file names: `flushes` gives `flushes.csv` and `flushes.arrow`. */
  readonly name: string;
  readonly columns: readonly Column<Row>[];
  /** How the rows are ordered. */
  readonly order: string;
}

export type Named<Name> = Omit<Column<unknown>, "name"> & { readonly name: Name };

export function label<Name extends string>(name: Name, meaning: string): Named<Name> {
  return { name, type: "utf8", nullable: false, unit: "", meaning };
}

export function count<Name extends string>(name: Name, unit: string, meaning: string): Named<Name> {
  return { name, type: "int64", nullable: false, unit, meaning };
}

export const FLUSHES: TableSchema<FlushRow> = {
  name: "flushes",
  order:
    "policies as requested, then `recorded`; within a policy, paths and then primitives in table order",
  columns: [
    label("policy", "Policy that issues the calls; `recorded` for what the trace itself recorded."),
    label("path", "Stage-2 operation that causes the calls."),
    label("primitive", "KVM invalidation primitive that is called."),
    count("calls", "call", "Calls that are certain."),
    count("tlbi", "instruction", "TLBI instructions in those calls."),
    count("dsb", "instruction", "DSB instructions in those calls."),
    {
      ...count("pages", "page", "Pages that those calls name; null where they name a whole VMID."),
      nullable: true,
    },
    count(
      "unknown_calls",
      "call",
      "At most so many more calls may have been issued: the trace does not show what decides.",
    ),
  ],
};

export const INSTRUCTION_COUNTS: TableSchema<InstructionRow> = {
  name: "instructions",
  order:
    "policies as requested, then `recorded`; within a policy, instructions in the order of the encoder's list",
  columns: [
    label("policy", "Policy that issues the instructions; `recorded` for the recorded calls."),
    label("instruction", "TLBI operation, in lower case and without operands."),
    count("count", "instruction", "Instructions in the calls that are certain."),
  ],
};

export const MISS_CURVE: TableSchema<MissCurveRow> = {
  name: "miss_curve",
  order: "policies as requested; within a policy, hypotheses, then sets, then entries ascending",
  columns: [
    label("policy", "Policy whose flushes the TLB sees."),
    label("hypothesis", "What the hardware is taken to invalidate with each TLBI."),
    count("sets", "set", "Sets of the LRU array; 1 means fully associative."),
    count("entries", "entry", "Entries of the array, all sets together."),
    count("accesses", "access", "Page accesses simulated, each as often as its episode weighs."),
    count("misses", "access", "Accesses that miss in an array of that size."),
    count(
      "refills",
      "access",
      "Accesses that miss, but hit without the policy's flushes in the paired run.",
    ),
    count(
      "avoided",
      "access",
      "Accesses that hit, but miss in the paired run: a flush left room, so less was evicted.",
    ),
  ],
};

export function estimate<Name extends string>(
  name: Name,
  unit: string,
  meaning: string,
): Named<Name> {
  return { name, type: "float64", nullable: true, unit, meaning };
}

export const REFILLS: TableSchema<RefillRow> = {
  name: "refills",
  order:
    "policies as requested; within a policy, hypotheses (minimum, combined, over-invalidating) and then paths in table order",
  columns: [
    label("policy", "Policy whose flushes cost the refills."),
    label("tlb", "Preset of the modelled TLB; summary.json has every number of it."),
    label("stream", "Where the guest's accesses come from; `generated` is assumed, not measured."),
    estimate(
      "combined_refills",
      "access",
      "Accesses that miss and would have hit had only changed translations been dropped: median over the seeds; null where the trace shows nobody in a guest.",
    ),
    estimate(
      "stage2_refills",
      "translation",
      "Stage-2 translations in walks that had to be walked and would have been found: median; null also where no flush is of one stage (x86).",
    ),
    estimate(
      "walk_references",
      "memory reference",
      "Memory references of walks beyond those of hardware that drops only what changed: median.",
    ),
    estimate(
      "stale_hits",
      "hit",
      "Hits on translations that the page table no longer held, most over all runs; in the first row of each policy and hypothesis.",
    ),
    label("hypothesis", "What the hardware is taken to do: minimum, combined, over-invalidating."),
    label("path", "Stage-2 operation whose flush took the entry away."),
    estimate("refills_seed_min", "access", "Least combined_refills of the seeds."),
    estimate("refills_seed_max", "access", "Most combined_refills of the seeds."),
    estimate("refills_low", "access", "Least combined_refills of all scenarios."),
    estimate("refills_high", "access", "Most combined_refills of all scenarios."),
    count("seeds", "seed", "Runs of the base scenario."),
    count("visits", "page visit", "Page visits simulated in one of them."),
    count("episodes", "episode", "Brackets of the trace in which a policy flushes."),
    count("episodes_simulated", "episode", "Those simulated; the others are weighed in."),
  ],
};

/**
 * The cell of a row, checked against its column. What does not fit is a fault of this program, never
 * of its input: it throws a plain Error rather than write a wrong number.
 */
export function cellOf<Row>(row: Row, column: Column<Row>): Cell {
  const value: unknown = row[column.name];
  if (value === null) {
    if (column.nullable) return null;
    throw unfit(column, "null");
  }
  if (column.type === "utf8" && typeof value === "string") return value;
  if (column.type === "int64" && isInt64(value)) return value;
  if (column.type === "float64" && typeof value === "number" && Number.isFinite(value)) {
    return value;
  }
  throw unfit(column, inspect(value));
}

function isInt64(value: unknown): value is number | bigint {
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value;
  return Number.isSafeInteger(value);
}

function unfit<Row>(column: Column<Row>, found: string): Error {
  return new Error(
    `column ${column.name} is ${column.type}${column.nullable ? " or null" : ""}: cannot hold ${found}`,
  );
}
