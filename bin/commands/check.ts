/** `check TRACE…`: what a trace is, what is missing from it, and what it can and cannot answer. */
import type { ArgumentsCamelCase, Argv } from "yargs";
import { TraceError } from "../../ingest/errors.ts";
import { checkReport, unreadableReport } from "../../reports/check/report.ts";
import type { CheckReport, UnreadableReport } from "../../reports/check/schema.ts";
import { formatCheck, formatUnreadable } from "../../reports/check/table.ts";
import { terminalOptions } from "../../reports/terminal.ts";
import { type Gate, GATES, whyNot } from "../check/gate.ts";
import { surveyTrace } from "../check/survey-trace.ts";
import type { Command } from "../command.ts";
import { exitCodeOf } from "../errors.ts";
import { ExitCode, raiseExitCode } from "../exit-codes.ts";
import { type SharedValues, withOptions } from "../options.ts";
import { printResult } from "../stdout.ts";
import { type MachineOptions, withMachineOptions } from "../trace-options.ts";
import { logOf } from "../trace-run.ts";
import { choices } from "../values.ts";

type CheckArguments = MachineOptions &
  Pick<SharedValues, "format"> & {
    readonly traces: readonly string[];
    readonly require: readonly Gate[] | undefined;
  };

export const checkCommand: Command = {
  command: "check <traces..>",
  describe: "Say whether traces are usable: losses, missing probes, clock, invariants",
  builder: (yargs: Argv<object>): Argv<CheckArguments> =>
    withOptions(
      withMachineOptions(yargs).option("require", {
        type: "string",
        requiresArg: true,
        group: "Output:",
        describe: `Exit code 4 unless these hold: a list of ${GATES.join(", ")} (default: nothing)`,
        coerce: (raw: string): readonly Gate[] => choices("require", raw, GATES),
      }),
      "format",
    ).epilogue(
      "Exit codes of check: 0 described, nothing lost (also where no policy can be replayed on it); " +
        "1 no trace, or not readable; 3 data was lost, or some of several traces could not be read; " +
        "4 --require does not hold.",
    ),
  handler: check,
};

async function check(args: ArgumentsCamelCase<CheckArguments>): Promise<void> {
  const format = args.format ?? "table";
  if (format !== "table" && format !== "json") {
    throw new TraceError("BAD_OPTION", `check prints a table or json, not ${format}`);
  }
  let failed = 0;
  for (const [i, trace] of args.traces.entries()) {
    const report = await reportOf(trace, args);
    const isUnreadable = !("input" in report);
    if (isUnreadable) failed += 1;
    if (format === "json") await printResult(`${JSON.stringify(report)}\n`);
    else {
      const options = terminalOptions(process.stdout);
      const text = isUnreadable ? formatUnreadable(report, options) : formatCheck(report, options);
      await printResult(i === 0 ? text : `\n${text}`);
    }
    if (!isUnreadable) judge(report, args);
  }
  if (failed === args.traces.length) raiseExitCode(ExitCode.FAILED);
  else if (failed > 0) raiseExitCode(ExitCode.DATA_LOSS);
}

/** A file that is no trace is described too: it must not keep the others from being checked. */
async function reportOf(
  trace: string,
  args: CheckArguments,
): Promise<CheckReport | UnreadableReport> {
  try {
    return checkReport(await surveyTrace(trace, args));
  } catch (error) {
    if (!(error instanceof TraceError) || exitCodeOf(error) === ExitCode.USAGE) throw error;
    return unreadableReport(trace, error);
  }
}

function judge(report: CheckReport, args: CheckArguments): void {
  const isLossy = report.errors.some(
    ({ severity }) => severity === "dataLoss" || severity === "error",
  );
  if (isLossy) raiseExitCode(ExitCode.DATA_LOSS);
  for (const gate of args.require ?? []) {
    const why = whyNot(gate, report);
    if (why === undefined) continue;
    logOf(args).warn(`${report.trace}: --require ${gate} does not hold: ${why}`);
    raiseExitCode(ExitCode.GATE_NOT_MET);
  }
}
