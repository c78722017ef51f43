import type { CellRow } from "../result-tables.ts";

/** A figure that each policy has in each trace, and that a roll-up shows as a distribution. */
export interface Metric {
  readonly name: string;
  readonly unit: string;
  /** One sentence. */
  readonly meaning: string;
}

export interface MetricRule extends Metric {
  readonly table: string;
  readonly column: string;
  /** Rows that count; all where it is not given. */
  readonly where?: (row: CellRow) => boolean;
  /** What several rows of one policy make. */
  readonly combine: "sum" | "max";
  /** Divided by the seconds that the trace spans. */
  readonly perSecond?: true;
}

function flushes(name: string, unit: string, meaning: string): MetricRule {
  return { name, unit, meaning, table: "flushes", column: name, combine: "sum" };
}

const isCombined = (row: CellRow): boolean => row["hypothesis"] === "combined";

/** The figures of a roll-up, in the order in which it shows them. A new one is an entry here. */
export const METRIC_RULES: readonly MetricRule[] = [
  flushes("calls", "call", "Calls of invalidation primitives that are certain."),
  flushes("tlbi", "instruction", "TLBI instructions in those calls."),
  flushes("dsb", "instruction", "DSB instructions in those calls."),
  flushes("unknown_calls", "call", "Calls that may have been issued besides, at most."),
  {
    ...flushes("tlbi", "instruction per second", "TLBI instructions per second of the trace."),
    name: "tlbi_per_s",
    perSecond: true,
  },
  {
    name: "combined_refills",
    unit: "access",
    meaning: "Refills of combined TLB entries, median over the seeds, hypothesis `combined`.",
    table: "refills",
    column: "combined_refills",
    where: isCombined,
    combine: "sum",
  },
  {
    name: "walk_references",
    unit: "memory reference",
    meaning: "Memory references of the walks behind those refills.",
    table: "refills",
    column: "walk_references",
    where: isCombined,
    combine: "sum",
  },
];

/** The table of `downtime`: a row a policy and quantity, whose intervals are over draws. */
const ESTIMATES = "downtime_estimates";

/** Quantities of an estimate that are rolled up, and the columns of their intervals. */
const QUANTITIES: readonly (readonly [quantity: string, what: string])[] = [
  ["guest_downtime", "last guest instruction on the source to the first on the destination"],
  ["source_downtime", "source vCPUs stopped until the source declares the migration done"],
  ["copy_stall_max", "longest time without progress of a vCPU while memory is copied"],
  ["rollback_stall_max", "longest time without progress of a vCPU after a migration that failed"],
  ["total_time", "the whole migration"],
];

function estimate(quantity: string, column: "p50" | "p95", meaning: string): MetricRule {
  return {
    name: `${quantity}_s_${column}`,
    unit: "s",
    meaning: `${meaning}; ${column} of the draws of each trace.`,
    table: ESTIMATES,
    column,
    where: (row) => row["quantity"] === quantity,
    combine: "max",
  };
}

/** Of the estimates, which are there where a downtime was asked for. */
export const DOWNTIME_RULES: readonly MetricRule[] = QUANTITIES.flatMap(([quantity, what]) => [
  estimate(quantity, "p50", what),
  estimate(quantity, "p95", what),
]);

/** What makes the shares of a group. */
export const DOWNTIME: {
  readonly table: string;
  readonly quantity: string;
  readonly slo: string;
} = {
  table: ESTIMATES,
  /** The migration converges where more than half of the draws give this quantity a value. */
  quantity: "source_downtime",
  /** This is held against the SLO: 95 of 100 draws of the trace are below. */
  slo: "guest_downtime_s_p95",
};

/** By which metric the worst traces are chosen, where nobody says: the first that there is. */
export const WORST_BY: readonly string[] = [DOWNTIME.slo, "combined_refills", "tlbi"];
