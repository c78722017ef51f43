import { TraceError } from "../../ingest/errors.ts";
import { readMigrationReportFile } from "../../ingest/migration/registry.ts";
import { isAtLeast, parseKernelVersion } from "../../replay/policies/kernel-version.ts";
import { estimateDowntime, VMM_RESOLUTION_S } from "../../replay/migration/estimate.ts";
import type { DowntimeView, ReportView } from "../../reports/downtime/view.ts";
import type { TraceOptions } from "../trace-options.ts";
import { userPoliciesOf } from "../trace-run.ts";
import { toolIdentity } from "../version.ts";
import { caseViewOf } from "./case-view.ts";
import { costTableOf } from "./cost-tables.ts";
import { checkGates } from "./gates.ts";
import { factsOfReport, mergeFacts, reportView } from "./report-source.ts";
import { requestOf } from "./request-of.ts";
import { warningsOf } from "./source-facts.ts";
import { SettingList } from "./setting-list.ts";
import { choicesWithoutTrace, type ReadSetting, readTrace, type TraceSource } from "./trace-run.ts";
import type { DowntimeValues } from "./values.ts";

export type DowntimeOptions = TraceOptions & DowntimeValues;

/** One estimate: of a trace, or of parameters alone. */
export async function viewOf(
  trace: string | undefined,
  args: DowntimeOptions,
  argv: readonly string[],
  setting: ReadSetting = {},
): Promise<{ readonly view: DowntimeView; readonly hasDataLoss: boolean }> {
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
    trace === undefined ? undefined : await readTrace(trace, args, userPolicies, table, setting);
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
  const view: DowntimeView = {
    tool: toolIdentity(),
    argv,
    estimate,
    settings: settings.entries,
    warnings: [
      ...warningsOf(facts.warnings, settings.entries),
      ...spinlockWarning(args.kernel ?? source?.kernel),
      ...(source?.assumptions ?? []),
    ],
    trace: source?.view,
    published: args.case === undefined ? undefined : caseViewOf(args.case, request),
    hostModel: args["host-model"],
    kernel: args.kernel ?? source?.kernel,
    reports: reports.map(({ path, report }): ReportView => reportView(report, path, estimate)),
  };
  return { view, hasDataLoss: source?.hasDataLoss === true };
}

/** From 5.14 to 5.17 a kernel is of the third epoch, whose faults are priced as under the lock of 5.18. */
function spinlockWarning(release: string | undefined): readonly string[] {
  const kernel = release === undefined ? undefined : parseKernelVersion(release);
  if (kernel === undefined || !isAtLeast(kernel, 5, 14) || isAtLeast(kernel, 5, 18)) return [];
  return [
    `${release}: write faults while copying are priced as under the rwlock of 5.18; this kernel's spinlock holds others up about three times as long (--cost t_ser_rwlock=1.04..1.4us says so)`,
  ];
}

/** Without anything to estimate from there is no report, but usage. */
function refuseNothing(
  trace: string | undefined,
  args: DowntimeOptions,
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
