import { TraceError } from "../../ingest/errors.ts";
import { estimateRows } from "../../reports/downtime/rows.ts";
import { ESTIMATES } from "../../reports/downtime/schema.ts";
import { type ResultTable, resultTable } from "../../reports/result-tables.ts";
import type { ReadSetting } from "../downtime/trace-run.ts";
import { type DowntimeOptions, viewOf } from "../downtime/view-of.ts";

/**
 * The estimate of one trace's migration as `downtime` makes it. A trace that shows no migration has none:
 * that is a warning, and its replay counts all the same.
 */
export async function downtimeTables(
  trace: string,
  options: DowntimeOptions,
  setting: ReadSetting,
): Promise<readonly ResultTable[]> {
  try {
    const { view } = await viewOf(trace, options, [], setting);
    return [resultTable(ESTIMATES, estimateRows(view.estimate))];
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    setting.log?.warn(`no estimate of downtime: ${error.message}`);
    return [];
  }
}
