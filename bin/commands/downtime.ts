/** `downtime [TRACE…]`: what each policy does to a live migration, estimated with intervals. */
import type { ArgumentsCamelCase, Argv, CommandModule } from "yargs";
import { TraceError } from "../../ingest/errors.ts";
import { readMigrationReportFile } from "../../ingest/migration/registry.ts";
import { estimateDowntime, VMM_RESOLUTION_S } from "../../replay/migration/estimate.ts";
import { toArrow } from "../../reports/arrow.ts";
import { toCsv } from "../../reports/csv.ts";
import { downtimeFiles } from "../../reports/downtime/files.ts";
import { downtimeJson } from "../../reports/downtime/json.ts";
import { estimateRows } from "../../reports/downtime/rows.ts";
import { ESTIMATES } from "../../reports/downtime/schema.ts";
import { formatDowntime } from "../../reports/downtime/text.ts";
import type { DowntimeView, ReportView } from "../../reports/downtime/view.ts";
import { writeOutputSet } from "../../reports/output-set.ts";
import { terminalOptions } from "../../reports/terminal.ts";
import type { Command } from "../command.ts";
import { calibrateCommand } from "../downtime/calibrate.ts";
import { caseViewOf } from "../downtime/case-view.ts";
import { checkValues } from "../downtime/check-values.ts";
import { costTableOf } from "../downtime/cost-tables.ts";
import { checkGates, unmetGates } from "../downtime/gates.ts";
import { withDowntimeOptions } from "../downtime/options.ts";
import { factsOfReport, mergeFacts, reportView } from "../downtime/report-source.ts";
import { requestOf } from "../downtime/request-of.ts";
import { warningsOf } from "../downtime/source-facts.ts";
import { SettingList } from "../downtime/setting-list.ts";
import { choicesWithoutTrace, readTrace, type TraceSource } from "../downtime/trace-run.ts";
import type { DowntimeValues } from "../downtime/values.ts";
import { downtimePageOf } from "../downtime/page-of.ts";
import { writePage } from "../analyze-output.ts";
import { ExitCode, raiseExitCode } from "../exit-codes.ts";
import { type SharedValues, withOptions } from "../options.ts";
import { printResult } from "../stdout.ts";
import { type TraceOptions, withTraceOptions } from "../trace-options.ts";
import { logOf, userPoliciesOf } from "../trace-run.ts";
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
    const view = await viewOf(trace, args);
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

/** One estimate: of a trace, or of parameters alone. */
async function viewOf(trace: string | undefined, args: DowntimeArguments): Promise<DowntimeView> {
  const settings = new SettingList();
  const table = await costTableOf(args, settings);
  const userPolicies = await userPoliciesOf(args);
  const reports = await Promise.all(
    (args["vmm-report"] ?? []).map(async (path) => ({
      path,
      report: await readMigrationReportFile(path),
    })),
  );
  const source: TraceSource | undefined =
    trace === undefined ? undefined : await readTrace(trace, args, userPolicies, table);
  const facts = mergeFacts([
    ...reports.map(({ path, report }) => factsOfReport(report, path)),
    ...(source === undefined ? [] : [source.facts]),
  ]);
  const request = requestOf(args, {
    facts,
    table,
    settings,
    choices: source?.choices ?? choicesWithoutTrace(args, userPolicies),
    cpu: source?.cpu ?? (args.cpu === undefined ? undefined : { value: args.cpu, origin: "--cpu" }),
    otherwiseEpoch: source?.otherwiseEpoch ?? "e5",
    resolutionS: source?.resolutionS ?? VMM_RESOLUTION_S,
  });
  refuseNothing(trace, args, request.scenario.migration ?? request.scenario.rollback);
  const estimate = estimateDowntime(request);
  checkGates(
    args.require ?? [],
    estimate.policies.map(({ id }) => id),
  );
  if (source?.hasDataLoss === true) raiseExitCode(ExitCode.DATA_LOSS);
  return {
    tool: toolIdentity(),
    argv: process.argv.slice(2),
    estimate,
    settings: settings.entries,
    warnings: [...warningsOf(facts.warnings, settings.entries), ...(source?.assumptions ?? [])],
    trace: source?.view,
    published: args.case === undefined ? undefined : caseViewOf(args.case, request),
    hostModel: args["host-model"],
    kernel: args.kernel ?? source?.kernel,
    reports: reports.map(({ path, report }): ReportView => reportView(report, path, estimate)),
  };
}

/** Without anything to estimate from there is no report, but usage. */
function refuseNothing(
  trace: string | undefined,
  args: DowntimeArguments,
  scenario: object | undefined,
): void {
  if (trace !== undefined || scenario !== undefined || args["vmm-report"] !== undefined) return;
  throw new TraceError(
    "BAD_OPTION",
    "there is nothing to estimate from: neither a trace nor enough of a migration",
    undefined,
    "give a trace, --case ye-2020, or --memory, --bandwidth, --dirty-rate and --hot-set",
  );
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
