import type { Policy } from "../replay/policies/flags.ts";
import { AUTO, defaultPolicies, selectPolicies } from "../replay/policies/select.ts";
import type { Configuration, Setting } from "../replay/configuration.ts";
import { UNKNOWN_LEVEL } from "../replay/nested/nested-level.ts";
import type { RefillReport } from "../reports/refill-entry.ts";
import type { ResultTables } from "../reports/result-set.ts";
import { buildSummary, type Summary } from "../reports/summary.ts";
import { architectureReport, type ArchitectureTlb, architectureTlb } from "./architecture-tlb.ts";
import type { Log } from "./log.ts";
import { withLines } from "./stall-lines.ts";
import type { StreamFile } from "./stream-file.ts";
import {
  type ChosenModel,
  chooseModel,
  noRefills,
  reportOf,
  type TlbOptions,
} from "./tlb-model.ts";
import type { TraceOptions } from "./trace-options.ts";
import type { TraceProgress } from "./trace-progress.ts";
import type { TraceRun } from "./opened-trace.ts";
import { logOf, runTrace } from "./trace-run.ts";
import { toolIdentity } from "./version.ts";

/** What `analyze` finds out about one trace. */
export interface AnalyzedTrace {
  readonly run: TraceRun;
  readonly summary: Summary;
  /** Undefined without --tlb, and where the stage-2 operations are only inferred: nothing was simulated. */
  readonly refills: RefillReport | undefined;
  /** Tables that are not in the summary. */
  readonly tables: ResultTables;
}

/** How it is run; none of it changes what is found out. */
export interface AnalysisSetting {
  /** stderr where it is not given. */
  readonly log?: Log;
  /** Follow when and where invalidations are issued: for result folders and pages. */
  readonly timeline?: boolean;
  readonly progress?: TraceProgress | undefined;
  /** The file of guest accesses that `--stream` names, read once for all traces. */
  readonly streamFile?: StreamFile | undefined;
  /** Most content that is unpacked from the trace. */
  readonly maxContentBytes?: number | undefined;
}

export type AnalysisOptions = Omit<TraceOptions, "traces"> & TlbOptions;

/**
 * Replays one trace under the policies of the options and sums it up. A single command line and a batch
 * of thousands do this same thing.
 * @param argv the command line that the summary names.
 * @throws TraceError as `runTrace` does.
 */
export async function analyzeTrace(
  trace: string,
  args: AnalysisOptions,
  userPolicies: readonly Policy[],
  argv: readonly string[],
  setting: AnalysisSetting = {},
): Promise<AnalyzedTrace> {
  const log = setting.log ?? logOf(args);
  let chosen: ChosenModel | undefined;
  let other: ArchitectureTlb | undefined;
  const run = await runTrace(trace, { ...args, traces: [trace] }, userPolicies, {
    model: (config, reader) => {
      chosen = chooseModel(args, config, setting.streamFile, () => reader.baseNs);
      return chosen?.model;
    },
    tlb: (architecture, because) => {
      other = architectureTlb(args, architecture, because);
      return other?.request;
    },
    operationsOnly: false,
    compare: false,
    infers: true,
    choose: (configuration, own) => policiesOf(args, configuration, own),
    timeline: setting.timeline ?? false,
    progress: setting.progress,
    log,
    maxContentBytes: setting.maxContentBytes,
  });
  const refills = other === undefined ? refillsOf(run, chosen) : architectureReport(other, run);
  const isStage2 = run.architecture.architecture?.start === undefined;
  if (args.tlb !== undefined && refills === undefined && isStage2) {
    log.warn("no refills: where operations are only inferred, no TLB is modelled");
  }
  const unmodelled = refills === undefined && chosen !== undefined ? [noRefills(chosen)] : [];
  return {
    run,
    summary: summaryOf(run, argv, refills, unmodelled),
    refills,
    tables: await tablesOf(run, refills),
  };
}

/** The tables that stand beside the summary, the lines of kept events read again from the trace. */
async function tablesOf(run: TraceRun, refills: RefillReport | undefined): Promise<ResultTables> {
  const missCurve = refills?.result.missCurve ?? [];
  const curve = missCurve.length === 0 ? {} : { miss_curve: missCurve };
  if (run.timeline === undefined) return curve;
  const { timeline, paired, operation_sizes, stalls, stall_events, heat } = run.timeline;
  const events = await withLines(stall_events, run);
  const phases = run.phases ?? [];
  return {
    ...curve,
    timeline,
    paired,
    operation_sizes,
    stalls,
    stall_events: events,
    heat,
    ...(phases.length === 0 ? {} : { timeline_phases: phases }),
  };
}

function policiesOf(
  args: AnalysisOptions,
  { recordedPolicy }: Configuration,
  own: readonly Policy[],
): readonly Policy[] {
  if (args.policy === undefined && args.flag === undefined && own.length === 0) {
    return defaultPolicies(recordedPolicy);
  }
  const ids = args.policy ?? [
    ...defaultPolicies(recordedPolicy).map(({ id }) => (id === recordedPolicy?.id ? AUTO : id)),
    ...own.map(({ id }) => id),
  ];
  return selectPolicies({
    ids,
    userPolicies: own,
    overrides: args.flag ?? [],
    recordedKernelPolicy: recordedPolicy,
  });
}

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
    stall: run.stall,
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
