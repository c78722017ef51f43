import type { CpuFeature } from "../../ingest/beside/host-facts.ts";
import type { CostTable } from "../../replay/costs/cost-table.ts";
import { DEFAULT_DRAWS, DEFAULT_SEED } from "../../replay/migration/draws.ts";
import { EPOCH_IDS, type EpochId } from "../../replay/migration/epochs.ts";
import type { EstimateRequest, PolicyChoice } from "../../replay/migration/estimate-types.ts";
import type { CpuChoice } from "../../replay/migration/mechanics.ts";
import type { Scenario } from "../../replay/migration/monte-carlo.ts";
import { resample } from "../../replay/migration/bootstrap.ts";
import type { Policy } from "../../replay/policies/flags.ts";
import { AUTO, selectPolicies } from "../../replay/policies/select.ts";
import { alternativesOf } from "./alternatives.ts";
import { HOST_MODELS } from "./host-models.ts";
import { migrationOf } from "./migration-of.ts";
import { rollbackOf } from "./rollback-of.ts";
import type { SettingList } from "./setting-list.ts";
import type { Given, SourceFacts } from "./source-facts.ts";
import type { DowntimeValues } from "./values.ts";

/** What the command knows besides its own options. */
export interface RequestContext {
  readonly facts: SourceFacts;
  readonly table: CostTable;
  readonly settings: SettingList;
  readonly choices: readonly PolicyChoice[];
  /** Features that an option or the trace's machine settles. */
  readonly cpu: Given<readonly CpuFeature[]> | undefined;
  /** Lock and walk of policies that are no kernel's own: of the recorded kernel, where it is known. */
  readonly otherwiseEpoch: EpochId;
  readonly resolutionS: number;
}

/** The request that options, trace and report add up to. @throws TraceError BAD_OPTION */
export function requestOf(values: DowntimeValues, context: RequestContext): EstimateRequest {
  const { facts, settings } = context;
  const parts = migrationOf(values, facts, settings);
  const rolled = rollbackOf(values, facts, parts, settings);
  const cpu = cpuOf(values, context);
  const scenario: Scenario = { migration: parts.migration, rollback: rolled.rollback };
  const draws = values.draws ?? drawsFor(rolled.rollback?.ptes.length ?? 0);
  const seed = values.seed ?? DEFAULT_SEED;
  settings.text("draws", String(draws), drawsOrigin(values.draws, draws));
  settings.text("seed", String(seed), values.seed === undefined ? "default" : "--seed");
  if (values.epoch !== undefined) settings.text("epoch", values.epoch, "--epoch");
  const { bandwidth, dirty_rate, hot_set } = parts.ranges;
  const { blocks, fill } = rolled.ranges;
  const request = {
    scenario,
    whyNoMigration: parts.because,
    whyNoRollback: rolled.because,
    ranges: {
      ...(bandwidth === undefined ? {} : { bandwidth }),
      ...(dirty_rate === undefined ? {} : { dirty_rate }),
      ...(hot_set === undefined ? {} : { hot_set }),
      ...(blocks === undefined ? {} : { blocks }),
      ...(fill === undefined ? {} : { fill }),
    },
    table: context.table,
    policies: context.choices,
    cpu: cpu.choice,
    forcedEpoch: values.epoch,
    otherwiseEpoch: context.otherwiseEpoch,
    draws,
    seed,
    resolutionS: context.resolutionS,
    sampling: resample(
      scenario,
      facts.paces,
      facts.blockPtes !== undefined && values.blocks === undefined,
      seed,
    ),
  };
  const alternatives = alternativesOf(request, {
    fwb: cpu.fwbIsOpen,
    tlbirange: cpu.rangeIsOpen,
    vmm: parts.vmmIsAssumed,
    stopRule: values["stop-rule"] === undefined && parts.vmm.canThrottle,
    mostPtes: values.blocks === undefined ? facts.blockPtesMost : undefined,
    cleanVcpus: cpu.fwbIsOpen && values["clean-vcpus"] === undefined,
  });
  return { ...request, alternatives };
}

/** `--policy` of this command: shipped ids, a user's own, `auto`, and the five epochs by name. */
export function policyChoices(
  ids: readonly string[],
  userPolicies: readonly Policy[],
  overrides: Parameters<typeof selectPolicies>[0]["overrides"],
  recordedKernelPolicy: Policy | undefined,
  recordedEpoch?: EpochId,
): readonly PolicyChoice[] {
  return ids.map((id): PolicyChoice => {
    const epoch = EPOCH_IDS.find((one) => one === id);
    if (epoch !== undefined) return { epoch };
    const [policy] = selectPolicies({ ids: [id], userPolicies, overrides, recordedKernelPolicy });
    const isRecorded = id === AUTO && recordedEpoch !== undefined;
    return { policy: policy!, ...(isRecorded ? { recorded: recordedEpoch } : {}) };
  });
}

/** Blocks up to which the default number of draws takes seconds. */
const EASY_BLOCKS = 20_000;
const FEWEST_DRAWS = 200;

/** Fewer draws where each has very many blocks: their ends are still within some percent. */
function drawsFor(blocks: number): number {
  if (blocks <= EASY_BLOCKS) return DEFAULT_DRAWS;
  return Math.max(FEWEST_DRAWS, Math.round((DEFAULT_DRAWS * EASY_BLOCKS) / blocks));
}

function drawsOrigin(given: number | undefined, draws: number): string {
  if (given !== undefined) return "--draws";
  return draws === DEFAULT_DRAWS ? "default" : `fewer than ${DEFAULT_DRAWS}: there are many blocks`;
}

interface CpuParts {
  readonly choice: CpuChoice;
  readonly fwbIsOpen: boolean;
  readonly rangeIsOpen: boolean;
}

/** Features that nothing settles are assumed to be there, and their absence is enumerated. */
function cpuOf(values: DowntimeValues, { cpu, settings }: RequestContext): CpuParts {
  const model = HOST_MODELS.find(({ id }) => id === values["host-model"]);
  const fwb = cpu?.value.includes("fwb") ?? model?.fwb;
  const tlbirange = cpu?.value.includes("tlbirange");
  const origin = cpu?.origin ?? (model === undefined ? "" : `--host-model ${model.id}`);
  const open = "assumed: not known, and enumerated below";
  settings.text("FWB", (fwb ?? true) ? "yes" : "no", fwb === undefined ? open : origin);
  settings.text(
    "FEAT_TLBIRANGE",
    (tlbirange ?? true) ? "yes" : "no",
    tlbirange === undefined ? open : origin,
  );
  if (values["repeat-tlbi"]) settings.text("repeated TLBIs", "yes", "--repeat-tlbi");
  return {
    choice: {
      fwb: fwb ?? true,
      tlbirange: tlbirange ?? true,
      repeatsTlbi: values["repeat-tlbi"],
    },
    fwbIsOpen: fwb === undefined,
    rangeIsOpen: tlbirange === undefined,
  };
}
