/** `diff A B`: what changed between two result folders. */
import type { ArgumentsCamelCase, Argv } from "yargs";
import { TraceError } from "../../ingest/errors.ts";
import { toArrow } from "../../reports/arrow.ts";
import { toCsv } from "../../reports/csv.ts";
import { DIFF, diffResults, isResult } from "../../reports/diff.ts";
import { formatDiff } from "../../reports/diff-text.ts";
import { readResultFolder } from "../../reports/result-folder.ts";
import { SCHEMA_VERSION } from "../../reports/schema.ts";
import { terminalOptions } from "../../reports/terminal.ts";
import type { Command } from "../command.ts";
import { ExitCode, raiseExitCode } from "../exit-codes.ts";
import { type SharedValues, withOptions } from "../options.ts";
import { printResult } from "../stdout.ts";
import { toolIdentity } from "../version.ts";

type DiffArguments = Pick<SharedValues, "format" | "quiet" | "debug"> & {
  readonly before: string;
  readonly after: string;
};

export const diffCommand: Command = {
  command: "diff <before> <after>",
  describe: "Tell what differs between two result folders; exit code 4 where results do",
  builder: (yargs: Argv<object>): Argv<DiffArguments> =>
    withOptions(
      yargs
        .positional("before", {
          type: "string",
          demandOption: true,
          describe: "Result folder of the first run",
        })
        .positional("after", {
          type: "string",
          demandOption: true,
          describe: "Result folder of the second run",
        }),
      "format",
      "quiet",
      "debug",
    ),
  handler: diff,
};

async function diff(args: ArgumentsCamelCase<DiffArguments>): Promise<void> {
  const format = args.format ?? "table";
  if (format === "html") {
    throw new TraceError("BAD_OPTION", "diff prints table, csv, json or arrow, not html");
  }
  const [before, after] = [await readResultFolder(args.before), await readResultFolder(args.after)];
  const rows = diffResults(before, after);
  if (format === "csv") await printResult(toCsv(DIFF, rows));
  else if (format === "arrow") await printResult(await toArrow(DIFF, rows, toolIdentity()));
  else if (format === "json") {
    const { name, version } = toolIdentity();
    const report = {
      tool: { name, version },
      schema_version: SCHEMA_VERSION,
      before: args.before,
      after: args.after,
      is_equal: rows.length === 0,
      differences: rows,
    };
    await printResult(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    const names = [args.before, args.after] as const;
    await printResult(formatDiff(rows, names, terminalOptions(process.stdout)));
  }
  if (rows.some(isResult)) raiseExitCode(ExitCode.GATE_NOT_MET);
}
