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

/**
 * What a table called `downtime` (one row a policy) adds: its numeric columns become metrics, largest of
 * several rows, and two of its columns make the shares of a group.
 */
export const DOWNTIME = {
  table: "downtime",
  /** Text or number: `no`, `false` and 0 do not converge; null is not counted. */
  converged: "converged",
  /** In ms, the first of these that the table has is held against the SLO. */
  slo: ["blackout_ms_p95", "blackout_ms_95", "blackout_ms_p50", "blackout_ms_50", "blackout_ms"],
} as const;

/** By which metric the worst traces are chosen, where nobody says: the first that there is. */
export const WORST_BY: readonly string[] = [...DOWNTIME.slo, "combined_refills", "tlbi"];
