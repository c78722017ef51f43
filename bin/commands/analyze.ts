/** `analyze TRACE…`: replay under several policies and compare what each would have issued. */
import path from "node:path";
import type { ArgumentsCamelCase, Argv } from "yargs";
import { TraceError } from "../../ingest/errors.ts";
import { toArrow } from "../../reports/arrow.ts";
import { formatComparison } from "../../reports/comparison.ts";
import { toCsv } from "../../reports/csv.ts";
import { type OutputFile, SET_MARKER, writeOutputSet } from "../../reports/output-set.ts";
import type { RefillReport } from "../../reports/refill-entry.ts";
import { formatRefills } from "../../reports/refills.ts";
import { resultTables } from "../../reports/result-tables.ts";
import { FLUSHES } from "../../reports/schema.ts";
import { type Summary, summaryJson } from "../../reports/summary.ts";
import { tableFiles } from "../../reports/table-files.ts";
import { formatInference } from "../../reports/inference.ts";
import { formatNotes } from "../../reports/notes.ts";
import { terminalOptions } from "../../reports/terminal.ts";
import { analyzeTrace } from "../analyze-trace.ts";
import type { Command } from "../command.ts";
import { ExitCode, raiseExitCode } from "../exit-codes.ts";
import { type SharedValues, withOptions } from "../options.ts";
import { printResult } from "../stdout.ts";
import { checkTlbOptions, TLB_OPTIONS, type TlbOptions } from "../tlb-model.ts";
import { PRESET_HELP } from "../tlb-values.ts";
import { type TraceOptions, withTraceOptions } from "../trace-options.ts";
import { logOf, type TraceRun, userPoliciesOf } from "../trace-run.ts";
import { toolIdentity } from "../version.ts";

type AnalyzeArguments = TraceOptions & TlbOptions & Pick<SharedValues, "out" | "format">;

export const analyzeCommand: Command = {
  command: "analyze <traces..>",
  describe: "Replay traces under flush policies and compare what each would issue",
  builder: (yargs: Argv<object>): Argv<AnalyzeArguments> =>
    withOptions(
      withTraceOptions(yargs, ["TLB presets (how well the entries are known):", ...PRESET_HELP]),
      ...TLB_OPTIONS,
      "out",
      "format",
    ),
  handler: analyze,
};

async function analyze(args: ArgumentsCamelCase<AnalyzeArguments>): Promise<void> {
  const format = args.format ?? "table";
  if (args.traces.length > 1 && (format === "csv" || format === "arrow")) {
    throw new TraceError(
      "BAD_OPTION",
      `--format ${format} writes one table, and there are ${args.traces.length} traces`,
      undefined,
      "use --out DIR, which makes a folder for each trace, or --format json",
    );
  }
  checkTlbOptions(args);
  const userPolicies = await userPoliciesOf(args);
  const folders = args.out === undefined ? [] : outputFolders(args.out, args.traces);
  for (const [i, trace] of args.traces.entries()) {
    const { run, summary, refills } = await analyzeTrace(
      trace,
      args,
      userPolicies,
      process.argv.slice(2),
    );
    const folder = folders[i];
    if (folder !== undefined) {
      await writeResults(folder, summary);
      logOf(args).info(`results in ${folder}`);
    }
    await print(run, summary, refills, format, args.traces.length > 1);
    if (run.reader.diagnostics.hasDataLoss || run.inference !== undefined)
      raiseExitCode(ExitCode.DATA_LOSS);
  }
}

/** One trace writes into the folder itself; several get a folder each, named after them. */
function outputFolders(out: string, traces: readonly string[]): readonly string[] {
  if (traces.length === 1) return [out];
  const names = traces.map((trace) => nameOf(trace));
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) {
    throw new TraceError(
      "BAD_OPTION",
      `two traces would write to the folder '${repeated}' of --out`,
    );
  }
  return names.map((name) => path.join(out, name));
}

/** `capture/trace.txt.gz` is named after its folder, any other file after itself. */
function nameOf(trace: string): string {
  if (trace === "-") return "stdin";
  const resolved = path.resolve(trace);
  const base = path.basename(resolved).replace(/\.(gz|txt|csv)/g, "");
  return base === "trace" ? path.basename(path.dirname(resolved)) : base;
}

async function writeResults(folder: string, summary: Summary): Promise<void> {
  const files: OutputFile[] = [];
  for (const { schema, rows } of resultTables(summary)) {
    files.push(...(await tableFiles(schema, rows, toolIdentity())));
  }
  files.push({ name: SET_MARKER, bytes: summaryJson(summary) });
  writeOutputSet(folder, files);
}

async function print(
  run: TraceRun,
  summary: Summary,
  refills: RefillReport | undefined,
  format: NonNullable<SharedValues["format"]>,
  isOneOfSeveral: boolean,
): Promise<void> {
  switch (format) {
    case "csv":
      await printResult(toCsv(FLUSHES, summary.flushes));
      break;
    case "arrow":
      await printResult(await toArrow(FLUSHES, summary.flushes, toolIdentity()));
      break;
    case "json":
      await printResult(isOneOfSeveral ? `${JSON.stringify(summary)}\n` : summaryJson(summary));
      break;
    case "table": {
      const terminal = terminalOptions(process.stdout);
      const policies = run.policies.map((policy) => policy.id);
      let heading = isOneOfSeveral ? `${run.path}\n\n` : "";
      if (summary.inference !== undefined) {
        await printResult(heading + formatInference(summary.inference));
        heading = "";
      }
      await printResult(heading + formatComparison(summary.flushes, { ...terminal, policies }));
      if (refills !== undefined) {
        await printResult(formatRefills(refills, summary.flushes, terminal));
      }
      await printResult(formatNotes(summary));
      break;
    }
  }
}
