/** `analyze TRACE…`: replay under several policies and compare what each would have issued. */
import path from "node:path";
import type { ArgumentsCamelCase, Argv } from "yargs";
import { TraceError } from "../../ingest/errors.ts";
import type { Setting } from "../../replay/configuration.ts";
import { UNKNOWN_LEVEL } from "../../replay/nested/nested-level.ts";
import { AUTO, defaultPolicies, selectPolicies } from "../../replay/policies/select.ts";
import { shapeOf } from "../../replay/tlb/preset-shape.ts";
import { TLB_PRESETS } from "../../replay/tlb/presets/registry.ts";
import { toArrow } from "../../reports/arrow.ts";
import { formatComparison } from "../../reports/comparison.ts";
import { toCsv } from "../../reports/csv.ts";
import { type OutputFile, SET_MARKER, writeOutputSet } from "../../reports/output-set.ts";
import type { RefillReport } from "../../reports/refill-entry.ts";
import { formatPresets, presetsJson } from "../../reports/preset-list.ts";
import { formatRefills } from "../../reports/refills.ts";
import { FLUSHES, INSTRUCTION_COUNTS, MISS_CURVE, REFILLS } from "../../reports/schema.ts";
import { buildSummary, type Summary, summaryJson } from "../../reports/summary.ts";
import { tableFiles } from "../../reports/table-files.ts";
import { formatInference } from "../../reports/inference.ts";
import { formatNested } from "../../reports/nested.ts";
import { NESTED, NESTED_HINTS } from "../../reports/nested-schema.ts";
import { formatNotes } from "../../reports/notes.ts";
import { terminalOptions } from "../../reports/terminal.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../errors.ts";
import { ExitCode, raiseExitCode } from "../exit-codes.ts";
import { type SharedValues, withOptions } from "../options.ts";
import { printResult } from "../stdout.ts";
import {
  checkTlbOptions,
  noRefills,
  type ChosenModel,
  chooseModel,
  reportOf,
  TLB_OPTIONS,
  type TlbOptions,
} from "../tlb-model.ts";
import { readStream } from "../stream-file.ts";
import { LIST, PRESET_HELP } from "../tlb-values.ts";
import { type TraceOptions, withTraceOptions } from "../trace-options.ts";
import type { TraceRun } from "../opened-trace.ts";
import { logOf, runTrace, userPoliciesOf } from "../trace-run.ts";
import { toolIdentity } from "../version.ts";

type AnalyzeArguments = TraceOptions & TlbOptions & Pick<SharedValues, "out" | "format">;

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
  if (traces.length > 1 && (format === "csv" || format === "arrow")) {
    throw new TraceError(
      "BAD_OPTION",
      `--format ${format} writes one table, and there are ${traces.length} traces`,
      undefined,
      "use --out DIR, which makes a folder for each trace, or --format json",
    );
  }
  checkTlbOptions(args);
  if (args.stream?.kind === "file" && args.stream.path === "-" && args.traces.includes("-")) {
    throw new TraceError("BAD_OPTION", "the trace and --stream cannot both be standard input");
  }
  const userPolicies = await userPoliciesOf(args);
  const streamFile = await readStream(args);
  if (streamFile?.hasDataLoss === true) raiseExitCode(ExitCode.DATA_LOSS);
  const folders = args.out === undefined ? [] : outputFolders(args.out, traces);
  for (const [i, trace] of traces.entries()) {
    let chosen: ChosenModel | undefined;
    const run = await runTrace(trace, args, userPolicies, {
      model: (config, reader) => {
        chosen = chooseModel(args, config, streamFile, () => reader.baseNs);
        return chosen?.model;
      },
      tlb:
        args.tlb === undefined
          ? undefined
          : { id: args.tlb.id, shape: shapeOf(args.tlb, args["tlb-set"] ?? []).shape },
      operationsOnly: false,
      compare: false,
      infers: true,
      choose: (configuration, own) => {
        const recordedKernelPolicy = configuration.recordedPolicy;
        if (args.policy === undefined && args.flag === undefined && own.length === 0) {
          return defaultPolicies(recordedKernelPolicy);
        }
        const ids = args.policy ?? [
          ...defaultPolicies(recordedKernelPolicy).map(({ id }) =>
            id === recordedKernelPolicy?.id ? AUTO : id,
          ),
          ...own.map(({ id }) => id),
        ];
        return selectPolicies({
          ids,
          userPolicies: own,
          overrides: args.flag ?? [],
          recordedKernelPolicy,
        });
      },
    });
    const refills = refillsOf(run, chosen);
    const isStage2 = run.architecture.architecture?.start === undefined;
    if (args.tlb !== undefined && refills === undefined && isStage2) {
      logOf(args).warn("no refills: where operations are only inferred, no TLB is modelled");
    }
    const unmodelled = refills === undefined && chosen !== undefined ? [noRefills(chosen)] : [];
    const summary = summaryOf(run, process.argv.slice(2), refills, unmodelled);
    const folder = folders[i];
    if (folder !== undefined) {
      await writeResults(folder, summary, refills);
      logOf(args).info(`results in ${folder}`);
    }
    await print(run, summary, refills, format, traces.length > 1);
    if (run.reader.diagnostics.hasDataLoss || run.inference !== undefined)
      raiseExitCode(ExitCode.DATA_LOSS);
  }
}

/** `--tlb list`: what is known of each preset, instead of an answer. */
async function printPresets(
  args: AnalyzeArguments,
  traces: readonly string[],
  format: NonNullable<SharedValues["format"]>,
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

/** Undefined without --tlb, and where the stage-2 operations are only inferred: nothing was simulated. */
function refillsOf(run: TraceRun, chosen: ChosenModel | undefined): RefillReport | undefined {
  if (chosen === undefined || run.inference !== undefined) return undefined;
  return reportOf(
    chosen,
    run.policies.map(({ id }) => id),
    run.info.baseNs,
  );
}

function summaryOf(
  run: TraceRun,
  argv: readonly string[],
  refills: RefillReport | undefined,
  unmodelled: readonly string[],
): Summary {
  const { configuration, result, policies } = run;
  return buildSummary({
    tool: toolIdentity(),
    argv,
    configuration: [
      ...configuration.settings,
      ...levelSettings(run),
      ...policies.map(({ id, detail, flags }) => ({
        name: `policy ${id}`,
        value: JSON.stringify(flags),
        origin: detail ?? "as shipped",
      })),
    ],
    inference: run.inference,
    inputs: [{ info: run.info, diagnostics: run.reader.diagnostics }],
    assumptions: configuration.assumptions,
    flushes: result.flushes,
    instructions: result.instructions,
    refills,
    nested: run.nested,
    explanations: [...unmodelled, ...run.explanations(policies.map((policy) => policy.id))],
  });
}

/** Which hypervisor of arm64 recorded the trace: the host of guest hypervisors, or one that cannot be told. */
function levelSettings({ nested, architecture }: TraceRun): readonly Setting[] {
  if (architecture.architecture?.start !== undefined) return [];
  const { level, because } = nested?.level ?? UNKNOWN_LEVEL;
  const value = level === "unknown" ? "L0 or L1" : level;
  return [{ name: "level", value, origin: because }];
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

async function writeResults(
  folder: string,
  summary: Summary,
  refills: RefillReport | undefined,
): Promise<void> {
  const curve = refills?.result.missCurve ?? [];
  const files: readonly OutputFile[] = [
    ...(await tableFiles(FLUSHES, summary.flushes, toolIdentity())),
    ...(await tableFiles(INSTRUCTION_COUNTS, summary.instructions, toolIdentity())),
    ...(summary.refills === undefined
      ? []
      : await tableFiles(REFILLS, summary.refills.rows, toolIdentity())),
    ...(summary.nested === undefined
      ? []
      : [
          ...(await tableFiles(NESTED, summary.nested.rows, toolIdentity())),
          ...(await tableFiles(NESTED_HINTS, summary.nested.hints, toolIdentity())),
        ]),
    ...(curve.length === 0 ? [] : await tableFiles(MISS_CURVE, curve, toolIdentity())),
    { name: SET_MARKER, bytes: summaryJson(summary) },
  ];
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
      if (run.nested !== undefined) await printResult(formatNested(run.nested, terminal));
      await printResult(formatNotes(summary));
      break;
    }
  }
}
