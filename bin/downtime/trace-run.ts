import type { CpuFeature } from "../../ingest/beside/host-facts.ts";
import type { CostTable } from "../../replay/costs/cost-table.ts";
import type { Configuration } from "../../replay/configuration.ts";
import { DEFAULT_SEED } from "../../replay/migration/draws.ts";
import { EPOCH_IDS, type EpochId } from "../../replay/migration/epochs.ts";
import type { PolicyChoice } from "../../replay/migration/estimate-types.ts";
import { pricePhases } from "../../replay/migration/phase-prices.ts";
import { createPhaseRecorder } from "../../replay/phases/create.ts";
import { phasesFrom } from "./phase-values.ts";
import { traceInputs } from "../../replay/phases/phase-inputs.ts";
import type { PhaseRecorder } from "../../replay/phases/phase-recorder.ts";
import type { Policy } from "../../replay/policies/flags.ts";
import {
  isAtLeast,
  type KernelVersion,
  parseKernelVersion,
} from "../../replay/policies/kernel-version.ts";
import { AUTO, defaultPolicies } from "../../replay/policies/select.ts";
import { policyOfKernel } from "../../replay/policies/version-map.ts";
import type { TraceView } from "../../reports/downtime/view.ts";
import { inputEntry } from "../../reports/summary.ts";
import type { TraceOptions } from "../trace-options.ts";
import type { RunRequest } from "../opened-trace.ts";
import { runTrace } from "../trace-run.ts";
import { policyChoices } from "./request-of.ts";
import type { Given, SourceFacts } from "./source-facts.ts";
import { chooseVm, factsOfVm, resolutionOf } from "./trace-source.ts";
import type { DowntimeValues } from "./values.ts";

/** What one trace gives an estimate. */
export interface TraceSource {
  readonly facts: SourceFacts;
  readonly choices: readonly PolicyChoice[];
  readonly cpu: Given<readonly CpuFeature[]> | undefined;
  readonly otherwiseEpoch: EpochId;
  readonly resolutionS: number;
  readonly view: TraceView;
  readonly assumptions: readonly string[];
  readonly hasDataLoss: boolean;
  /** `uname -r` of the host, where it was saved. */
  readonly kernel: string | undefined;
}

/** Policies of an estimate from parameters alone: what kernels did, old to new. */
const DEFAULT_IDS: readonly string[] = ["legacy-5.8", "pgtable-5.10", "pgtable-6.5", "range-6.9"];

export function choicesWithoutTrace(
  args: TraceOptions & DowntimeValues,
  userPolicies: readonly Policy[],
): readonly PolicyChoice[] {
  const ofCase =
    args.case === undefined
      ? undefined
      : [args.case.before, args.case.after, "pgtable-6.5", "range-6.9"];
  const kernel = args.kernel === undefined ? undefined : parseKernelVersion(args.kernel);
  const recordedPolicy = kernel === undefined ? undefined : policyOfKernel(kernel);
  const own = userPolicies.map(({ id }) => id);
  const standard =
    ofCase ?? (recordedPolicy === undefined ? DEFAULT_IDS : standardIds(recordedPolicy));
  const ids = args.policy ?? [...standard, ...own];
  const epoch = kernel === undefined ? undefined : epochOf(kernel);
  return policyChoices(ids, userPolicies, args.flag ?? [], recordedPolicy, epoch);
}

/** The kernel's own policy as `auto`, and an old and a new one. */
function standardIds(recordedPolicy: Policy | undefined): readonly string[] {
  return defaultPolicies(recordedPolicy).map(({ id }) => (id === recordedPolicy?.id ? AUTO : id));
}

/** How a trace is read; none of it changes what is estimated. */
export type ReadSetting = Pick<RunRequest, "log" | "maxContentBytes">;

/** Replays the trace, and takes from its phases what an estimate needs. Throws as `runTrace` does. */
export async function readTrace(
  trace: string,
  args: TraceOptions & DowntimeValues,
  userPolicies: readonly Policy[],
  table: CostTable,
  setting: ReadSetting = {},
): Promise<TraceSource> {
  let recorder: PhaseRecorder | undefined;
  let choices: readonly PolicyChoice[] = [];
  let kernel: KernelVersion | undefined;
  const run = await runTrace(trace, args, userPolicies, {
    operationsOnly: false,
    compare: false,
    infers: false,
    stage2Only: true,
    ...setting,
    choose: (configuration, own) => {
      kernel = configuration.kernel;
      choices = choicesOf(args, configuration, own);
      const policies = choices.flatMap((choice) => ("policy" in choice ? [choice.policy] : []));
      // Epochs are not replayed: their flushes are those of their kernels' policies.
      return policies.length > 0 ? policies : defaultPolicies(configuration.recordedPolicy);
    },
    model: (config, reader) => {
      const { phase } = args;
      recorder = createPhaseRecorder(config, {
        kernel,
        ...(phase === undefined ? {} : { given: () => phasesFrom(reader.baseNs, phase) }),
        ...(args["clear-shift"] === undefined ? {} : { clearChunkPages: 2 ** args["clear-shift"] }),
      });
      return recorder;
    },
  });
  const inputs = traceInputs(recorder!, run.info.baseNs, run.info.durations);
  const vm = chooseVm(inputs, args.vm, run.path);
  const seed = args.seed ?? DEFAULT_SEED;
  return {
    facts: factsOfVm(vm, inputs.pageBytes, seed),
    choices,
    cpu: cpuOf(args, run.facts.cpuFeatures),
    otherwiseEpoch: epochOf(kernel),
    resolutionS: resolutionOf(inputs),
    view: {
      input: inputEntry(run.info, run.reader.diagnostics),
      vm,
      inputs,
      prices: pricePhases(vm.phases, table, args["repeat-tlbi"], seed),
    },
    assumptions: run.configuration.assumptions,
    hasDataLoss: run.reader.diagnostics.hasDataLoss,
    kernel: run.facts.kernelRelease?.value,
  };
}

/** As `analyze`: what the trace was recorded on, an old kernel and a new one, unless others are asked for. */
function choicesOf(
  args: TraceOptions,
  { recordedPolicy, kernel }: Configuration,
  own: readonly Policy[],
): readonly PolicyChoice[] {
  const ids = args.policy ?? [...standardIds(recordedPolicy), ...own.map(({ id }) => id)];
  const epoch = kernel === undefined ? undefined : epochOf(kernel);
  return policyChoices(ids, own, args.flag ?? [], recordedPolicy, epoch);
}

function cpuOf(
  { cpu }: TraceOptions,
  saved: { readonly value: readonly CpuFeature[]; readonly origin: string } | undefined,
): Given<readonly CpuFeature[]> | undefined {
  if (cpu !== undefined) return { value: cpu, origin: "--cpu" };
  return saved === undefined ? undefined : { value: saved.value, origin: saved.origin };
}

/** The epoch of a kernel; the newest where it is not known. */
function epochOf(kernel: KernelVersion | undefined): EpochId {
  if (kernel === undefined) return "e5";
  const since: readonly (readonly [EpochId, number, number])[] = [
    ["e5", 6, 6],
    ["e4", 6, 2],
    ["e3", 5, 14],
    ["e2", 5, 10],
  ];
  const found = since.find(([, major, minor]) => isAtLeast(kernel, major, minor));
  return found?.[0] ?? EPOCH_IDS[0];
}
