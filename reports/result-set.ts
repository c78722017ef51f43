import type { MissCurveRow } from "../replay/tlb/miss-curve.ts";
import type { TimelineRow } from "../replay/timeline/flush-density.ts";
import type { OperationSizeRow, PairedRow } from "../replay/timeline/operation-sizes.ts";
import type { TimelinePhaseRow } from "../replay/timeline/phase-rows.ts";
import type { HeatTableRow, StallEventRow, StallRow } from "../replay/timeline/timeline-rows.ts";
import type { Summary } from "./summary.ts";
import { RECORDED } from "./totals.ts";

/** The finished results of one trace, as `analyze` has them and as they stand in a result folder. */
export interface ResultSet {
  readonly summary: Summary;
  /** Tables that are not in the summary; absent where the run did not make them. */
  readonly tables: ResultTables;
}

export interface ResultTables {
  readonly timeline?: readonly TimelineRow[] | undefined;
  readonly paired?: readonly PairedRow[] | undefined;
  readonly operation_sizes?: readonly OperationSizeRow[] | undefined;
  readonly stalls?: readonly StallRow[] | undefined;
  readonly stall_events?: readonly StallEventRow[] | undefined;
  readonly heat?: readonly HeatTableRow[] | undefined;
  readonly timeline_phases?: readonly TimelinePhaseRow[] | undefined;
  readonly miss_curve?: readonly MissCurveRow[] | undefined;
}

/** Policies in the order in which they were asked for, then `recorded` where the trace has it. */
export function policiesOf({ configuration, flushes }: Summary): readonly string[] {
  const names = new Set<string>();
  for (const { name } of configuration) {
    if (name.startsWith("policy ")) names.add(name.slice("policy ".length));
  }
  for (const { policy } of flushes) names.add(policy);
  const hasRecorded = names.delete(RECORDED);
  return hasRecorded ? [...names, RECORDED] : [...names];
}
