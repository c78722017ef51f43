import { type OutputFile, SET_MARKER } from "../output-set.ts";
import { tableFiles } from "../table-files.ts";
import type { ToolIdentity } from "../tool.ts";
import { downtimeJson } from "./json.ts";
import {
  componentRows,
  costRows,
  differenceRows,
  estimateRows,
  passRows,
  phaseRows,
  sensitivityRows,
  structureRows,
} from "./rows.ts";
import {
  COMPONENTS,
  COSTS,
  DIFFERENCES,
  ESTIMATES,
  PASSES,
  PHASES_TABLE,
  SENSITIVITIES,
  STRUCTURES,
} from "./schema.ts";
import { WIDE, wideRows } from "./wide.ts";
import type { DowntimeView } from "./view.ts";

/** The result files of one estimate: each table as CSV and Arrow, and summary.json. */
export async function downtimeFiles(
  view: DowntimeView,
  tool: ToolIdentity,
): Promise<readonly OutputFile[]> {
  const { estimate, trace } = view;
  return [
    ...(await tableFiles(WIDE, wideRows(view), tool)),
    ...(await tableFiles(ESTIMATES, estimateRows(estimate), tool)),
    ...(await tableFiles(PASSES, passRows(estimate), tool)),
    ...(await tableFiles(COMPONENTS, componentRows(estimate), tool)),
    ...(await tableFiles(DIFFERENCES, differenceRows(estimate), tool)),
    ...(await tableFiles(STRUCTURES, structureRows(estimate), tool)),
    ...(await tableFiles(SENSITIVITIES, sensitivityRows(estimate), tool)),
    ...(await tableFiles(COSTS, costRows(estimate), tool)),
    ...(trace === undefined ? [] : await tableFiles(PHASES_TABLE, phaseRows(trace), tool)),
    { name: SET_MARKER, bytes: downtimeJson(view) },
  ];
}
