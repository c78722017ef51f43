import type { CellRow } from "../result-tables.ts";
import type { Column, TableSchema } from "../schema.ts";
import type { Rollup } from "./rollup.ts";

function text(name: string, meaning: string): Column<CellRow> {
  return { name, type: "utf8", nullable: false, unit: "", meaning };
}

function figure(name: string, meaning: string): Column<CellRow> {
  return { name, type: "float64", nullable: false, unit: "as in `unit`", meaning };
}

/** The groups of a roll-up as a table: a row a group and metric. */
export const GROUPS: TableSchema<CellRow> = {
  name: "groups",
  order: "by host_model, vm_type, kernel and policy; within them metrics as rollup.json lists them",
  columns: [
    text("host_model", "Host model; `unknown` where nobody says."),
    text("vm_type", "VM type; `unknown` where nobody says."),
    text("kernel", "Kernel; `unknown` where nobody says."),
    text("policy", "Policy; `recorded` for what the traces themselves recorded."),
    text("metric", "What the figures are of."),
    text("unit", "What one of them is one of."),
    {
      name: "n",
      type: "int64",
      nullable: false,
      unit: "trace",
      meaning: "Traces with this figure.",
    },
    figure("min", "Least of the traces."),
    figure("p50", "Median, by nearest rank."),
    figure("p95", "95th percentile, by nearest rank."),
    figure("p99", "99th percentile, by nearest rank."),
    figure("max", "Most of the traces."),
    figure("mean", "Arithmetic mean."),
  ],
};

export function groupRows(rollup: Rollup): readonly CellRow[] {
  return rollup.groups.flatMap(({ host_model, vm_type, kernel, policy, metrics }) =>
    rollup.metrics.flatMap(({ name, unit }) => {
      const found = metrics[name];
      if (found === undefined) return [];
      return [{ host_model, vm_type, kernel, policy, metric: name, unit, ...found }];
    }),
  );
}
