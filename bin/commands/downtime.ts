/** `downtime [TRACE…]`: what each policy does to a live migration, estimated with intervals. */
import type { ArgumentsCamelCase, Argv, CommandModule } from "yargs";
import { TraceError } from "../../ingest/errors.ts";
import { toArrow } from "../../reports/arrow.ts";
import { toCsv } from "../../reports/csv.ts";
import { downtimeFiles } from "../../reports/downtime/files.ts";
import { downtimeJson } from "../../reports/downtime/json.ts";
import { estimateRows } from "../../reports/downtime/rows.ts";
import { ESTIMATES } from "../../reports/downtime/schema.ts";
import { formatDowntime } from "../../reports/downtime/text.ts";
import type { DowntimeView } from "../../reports/downtime/view.ts";
import { writeOutputSet } from "../../reports/output-set.ts";
import { terminalOptions } from "../../reports/terminal.ts";
import type { Command } from "../command.ts";
import { calibrateCommand } from "../downtime/calibrate.ts";
import { checkValues } from "../downtime/check-values.ts";
import { unmetGates } from "../downtime/gates.ts";
import { withDowntimeOptions } from "../downtime/options.ts";
import type { DowntimeValues } from "../downtime/values.ts";
import { viewOf } from "../downtime/view-of.ts";
import { downtimePageOf } from "../downtime/page-of.ts";
import { writePage } from "../analyze-output.ts";
import { ExitCode, raiseExitCode } from "../exit-codes.ts";
import { type SharedValues, withOptions } from "../options.ts";
import { printResult } from "../stdout.ts";
import { type TraceOptions, withTraceOptions } from "../trace-options.ts";
import { logOf } from "../trace-run.ts";
import { badOption } from "../values.ts";
import { toolIdentity } from "../version.ts";

export type DowntimeArguments = TraceOptions &
  DowntimeValues &
  Pick<SharedValues, "out" | "html" | "format">;

export const downtimeCommand: Command = {
  command: "downtime [traces..]",
  describe:
    "Estimate what policies do to a live migration, from traces, parameters or a VMM's report",
  builder: (yargs: Argv<object>): Argv<DowntimeArguments> =>
    withOptions(
      withDowntimeOptions(withTraceOptions(withSubcommands(yargs), [], false)),
      "out",
      "html",
      "format",
    ),
  handler: downtime,
};

/** `downtime calibrate FILE…` stands in the place of a trace. */
function withSubcommands(yargs: Argv<object>): Argv<object> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked where the command is defined
  return yargs.command(calibrateCommand as CommandModule<object, never>);
}

async function downtime(args: ArgumentsCamelCase<DowntimeArguments>): Promise<void> {
  const traces = args.traces ?? [];
  const format = args.format ?? "table";
  if (traces.length > 1 && args.out !== undefined) {
    throw badOption("out", `holds one estimate, and there are ${traces.length} traces`);
  }
  if (traces.length > 1 && (format === "html" || args.html !== undefined)) {
    throw badOption("html", `holds one estimate, and there are ${traces.length} traces`);
  }
  if (traces.length > 1 && (format === "csv" || format === "arrow")) {
    throw new TraceError(
      "BAD_OPTION",
      `--format ${format} writes one table, and there are ${traces.length} traces`,
    );
  }
  checkValues(args);
  for (const trace of traces.length === 0 ? [undefined] : traces) {
    const { view, hasDataLoss } = await viewOf(trace, args, process.argv.slice(2));
    if (hasDataLoss) raiseExitCode(ExitCode.DATA_LOSS);
    if (args.out !== undefined) {
      writeOutputSet(args.out, await downtimeFiles(view, toolIdentity()));
      logOf(args).info(`results in ${args.out}`);
    }
    if (args.html !== undefined) {
      await writePage(args.html, await downtimePageOf(view));
      logOf(args).info(`page in ${args.html}`);
    }
    if (args.html !== "-") await print(view, format, traces.length > 1);
    for (const why of unmetGates(args.require ?? [], view.estimate)) {
      logOf(args).warn(why);
      raiseExitCode(ExitCode.GATE_NOT_MET);
    }
  }
}

async function print(
  view: DowntimeView,
  format: NonNullable<SharedValues["format"]>,
  isOneOfSeveral: boolean,
): Promise<void> {
  switch (format) {
    case "csv":
      await printResult(toCsv(ESTIMATES, estimateRows(view.estimate)));
      break;
    case "arrow":
      await printResult(await toArrow(ESTIMATES, estimateRows(view.estimate), toolIdentity()));
      break;
    case "json":
      await printResult(downtimeJson(view, isOneOfSeveral));
      break;
    case "html":
      await printResult(await downtimePageOf(view));
      break;
    case "table":
      await printResult(formatDowntime(view, terminalOptions(process.stdout)));
      break;
  }
}
