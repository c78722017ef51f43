/** `analyze TRACE…`: replay under several policies and compare what each would have issued. */
import path from "node:path";
import type { ArgumentsCamelCase, Argv } from "yargs";
import { TraceError } from "../../ingest/errors.ts";
import { TLB_PRESETS } from "../../replay/tlb/presets/registry.ts";
import { formatPresets, presetsJson } from "../../reports/preset-list.ts";
import { pageOf, printAnalysis, writePage, writeResults } from "../analyze-output.ts";
import { analyzeTrace } from "../analyze-trace.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../errors.ts";
import { ExitCode, raiseExitCode } from "../exit-codes.ts";
import { type OutputFormat, type SharedValues, withOptions } from "../options.ts";
import { printResult } from "../stdout.ts";
import { readStream } from "../stream-file.ts";
import { checkTlbOptions, TLB_OPTIONS, type TlbOptions } from "../tlb-model.ts";
import { LIST, PRESET_HELP } from "../tlb-values.ts";
import { type TraceOptions, withTraceOptions } from "../trace-options.ts";
import { TraceProgress } from "../trace-progress.ts";
import { logOf, userPoliciesOf } from "../trace-run.ts";

type AnalyzeArguments = TraceOptions & TlbOptions & Pick<SharedValues, "out" | "html" | "format">;

export const analyzeCommand: Command = {
  command: "analyze [traces..]",
  describe: "Replay traces under flush policies and compare what each would issue",
  builder: (yargs: Argv<object>): Argv<AnalyzeArguments> =>
    withOptions(
      withTraceOptions(
        yargs,
        ["TLB presets (how well the entries are known):", ...PRESET_HELP],
        false,
      ),
      ...TLB_OPTIONS,
      "out",
      "html",
      "format",
    ),
  handler: analyze,
};

async function analyze(args: ArgumentsCamelCase<AnalyzeArguments>): Promise<void> {
  const format = args.format ?? "table";
  const { traces } = args;
  if (args.tlb === LIST) {
    await printPresets(args, traces, format);
    return;
  }
  if (traces.length === 0) throw new UsageError("analyze needs <traces..>", "analyze");
  checkOneTrace(args, format);
  checkTlbOptions(args);
  if (args.stream?.kind === "file" && args.stream.path === "-" && args.traces.includes("-")) {
    throw new TraceError("BAD_OPTION", "the trace and --stream cannot both be standard input");
  }
  const userPolicies = await userPoliciesOf(args);
  const streamFile = await readStream(args);
  if (streamFile?.hasDataLoss === true) raiseExitCode(ExitCode.DATA_LOSS);
  const folders = args.out === undefined ? [] : outputFolders(args.out, traces);
  const argv = process.argv.slice(2);
  const log = logOf(args);
  const timeline = args.out !== undefined || args.html !== undefined || format === "html";
  for (const [i, trace] of traces.entries()) {
    const progress = args.quiet ? undefined : new TraceProgress();
    const setting = { log, timeline, progress, streamFile };
    const analyzed = await analyzeTrace(trace, args, userPolicies, argv, setting).finally(() =>
      progress?.end(),
    );
    const folder = folders[i];
    if (folder !== undefined) {
      await writeResults(folder, analyzed);
      log.info(`results in ${folder}`);
    }
    if (args.html !== undefined) {
      await writePage(args.html, await pageOf(analyzed));
      log.info(`page in ${args.html}`);
    }
    if (args.html !== "-") await printAnalysis(analyzed, format, traces.length > 1);
    if (analyzed.run.reader.diagnostics.hasDataLoss || analyzed.run.inference !== undefined) {
      raiseExitCode(ExitCode.DATA_LOSS);
    }
  }
  if (process.stderr.isTTY) log.info(nextStep(args));
}

/** What is done next as a rule; for whoever sits at a terminal. */
function nextStep({ out, html, traces }: AnalyzeArguments): string {
  if (html !== undefined) return `next: open ${html} in a browser`;
  if (out !== undefined) return `next: tlbi-replay report ${traces.length > 1 ? `${out}/*` : out}`;
  return `next: tlbi-replay analyze ${traces.join(" ")} --html page.html`;
}

/** What is one table, or one page, is of one trace. */
function checkOneTrace({ traces, html }: AnalyzeArguments, format: OutputFormat): void {
  if (traces.length < 2) return;
  const hint = "use --out DIR, which makes a folder for each trace";
  if (format === "csv" || format === "arrow") {
    throw new TraceError(
      "BAD_OPTION",
      `--format ${format} writes one table, and there are ${traces.length} traces`,
      undefined,
      `${hint}, or --format json`,
    );
  }
  if (format === "html" || html !== undefined) {
    throw new TraceError(
      "BAD_OPTION",
      `a page is of one trace, and there are ${traces.length}`,
      undefined,
      `${hint}; then \`report\` makes the page of each`,
    );
  }
}

/** `--tlb list`: what is known of each preset, instead of an answer. */
async function printPresets(
  args: AnalyzeArguments,
  traces: readonly string[],
  format: OutputFormat,
): Promise<void> {
  const other = TLB_OPTIONS.find((name) => name !== "tlb" && args[name] !== undefined);
  if (traces.length > 0 || other !== undefined || args.out !== undefined) {
    throw new TraceError("BAD_OPTION", "tells the presets and replays nothing", "--tlb list");
  }
  if (format !== "table" && format !== "json") {
    throw new TraceError("BAD_OPTION", `lists nothing as ${format}`, "--tlb list", "use json");
  }
  await printResult(format === "json" ? presetsJson(TLB_PRESETS) : formatPresets(TLB_PRESETS));
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
