import type { CpuFeature } from "../../ingest/beside/host-facts.ts";
import type { CostTable } from "../../replay/costs/cost-table.ts";
import type { Configuration } from "../../replay/configuration.ts";
import { DEFAULT_SEED } from "../../replay/migration/draws.ts";
import { EPOCH_IDS, type EpochId } from "../../replay/migration/epochs.ts";
import type { PolicyChoice } from "../../replay/migration/estimate-types.ts";
import { pricePhases } from "../../replay/migration/phase-prices.ts";
import { createPhaseRecorder } from "../../replay/phases/create.ts";
import { traceInputs } from "../../replay/phases/phase-inputs.ts";
import type { PhaseRecorder } from "../../replay/phases/phase-recorder.ts";
import type { Policy } from "../../replay/policies/flags.ts";
import { isAtLeast, type KernelVersion } from "../../replay/policies/kernel-version.ts";
import { AUTO, defaultPolicies } from "../../replay/policies/select.ts";
import type { TraceView } from "../../reports/downtime/view.ts";
import { inputEntry } from "../../reports/summary.ts";
import type { TraceOptions } from "../trace-options.ts";
import { type RunRequest, runTrace } from "../trace-run.ts";
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
  const ids = args.policy ?? [...(ofCase ?? DEFAULT_IDS), ...userPolicies.map(({ id }) => id)];
  return policyChoices(ids, userPolicies, args.flag ?? [], undefined);
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
    ...setting,
    choose: (configuration, own) => {
      kernel = configuration.kernel;
      choices = choicesOf(args, configuration, own);
      const policies = choices.flatMap((choice) => ("policy" in choice ? [choice.policy] : []));
      // Epochs are not replayed: their flushes are those of their kernels' policies.
      return policies.length > 0 ? policies : defaultPolicies(configuration.recordedPolicy);
    },
    model: (config) => {
      recorder = createPhaseRecorder(config, {
        kernel,
        ...(args["clear-shift"] === undefined ? {} : { clearChunkPages: 2 ** args["clear-shift"] }),
      });
      return recorder;
    },
  });
  const inputs = traceInputs(recorder!);
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
  };
}

/** As `analyze`: what the trace was recorded on, an old kernel and a new one, unless others are asked for. */
function choicesOf(
  args: TraceOptions,
  { recordedPolicy }: Configuration,
  own: readonly Policy[],
): readonly PolicyChoice[] {
  const standard = defaultPolicies(recordedPolicy).map(({ id }) =>
    id === recordedPolicy?.id ? AUTO : id,
  );
  const ids = args.policy ?? [...standard, ...own.map(({ id }) => id)];
  return policyChoices(ids, own, args.flag ?? [], recordedPolicy);
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
