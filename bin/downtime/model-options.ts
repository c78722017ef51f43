import { DEFAULT_DRAWS, DEFAULT_SEED } from "../../replay/migration/draws.ts";
import { EPOCH_IDS } from "../../replay/migration/epochs.ts";
import type { OptionSpec } from "../options.ts";
import { numberRange } from "../unit-values.ts";
import { choice, single, wholeNumber } from "../values.ts";
import { parseCosts } from "./cost-option.ts";
import { HOST_MODELS } from "./host-models.ts";
import type { DowntimeValues } from "./values.ts";

export type Specs = {
  readonly [Name in keyof DowntimeValues]: OptionSpec<DowntimeValues[Name]>;
};

const ROLLBACK = "Roll-back:";
const MODEL = "Constants and draws:";

/** 64 TiB in blocks of 1 GiB. */
const MOST_BLOCKS = 65_536;

type ModelOption =
  | "blocks"
  | "fill"
  | "faulting-vcpus"
  | "clean-vcpus"
  | "epoch"
  | "repeat-tlbi"
  | "host-model"
  | "calibration"
  | "costs"
  | "cost"
  | "draws"
  | "seed";

/** Options of `downtime` that say what a roll-back meets, and what is computed with. */
export const MODEL_OPTIONS: Pick<Specs, ModelOption> = {
  blocks: {
    group: ROLLBACK,
    describe: "Blocks that the guest comes back to, such as 11 or 4..16",
    fallback: "those of the trace, else the hot set's",
    coerce: (raw) => numberRange("blocks", raw, 0, MOST_BLOCKS),
  },
  fill: {
    group: ROLLBACK,
    describe: "Share of each block that is mapped by pages then, 0 to 1, such as 0.6..1",
    fallback: "that of the trace, else 1",
    coerce: (raw) => numberRange("fill", raw, 0, 1),
  },
  "faulting-vcpus": {
    group: ROLLBACK,
    describe: "vCPUs that fault at once after a roll-back, 1 to 1024",
    fallback: "all",
    coerce: (raw) => wholeNumber("faulting-vcpus", raw, 1, 1024),
  },
  "clean-vcpus": {
    group: ROLLBACK,
    describe: "vCPUs that each clean a block's cache, on old kernels without FWB",
    fallback: "1",
    coerce: (raw) => wholeNumber("clean-vcpus", raw, 1, 1024),
  },
  epoch: {
    group: ROLLBACK,
    describe: `Lock and table walk of this epoch for every policy: ${EPOCH_IDS.join(", ")}`,
    fallback: "those of each policy's own kernel",
    coerce: (raw) => choice("epoch", raw, EPOCH_IDS),
  },
  "repeat-tlbi": {
    group: ROLLBACK,
    describe: "The CPUs need every TLBI repeated (errata 1286807, 4118414 and the like)",
    fallback: "off",
  },
  "host-model": {
    group: MODEL,
    describe: `Constants of a machine that was measured: ${HOST_MODELS.map(({ id }) => id).join(", ")}`,
    fallback: "ranges over all",
    coerce: (raw) =>
      choice(
        "host-model",
        raw,
        HOST_MODELS.map(({ id }) => id),
      ),
  },
  calibration: {
    group: MODEL,
    describe: "Costs of an idle or of a loaded machine; never both",
    fallback: "idle",
    coerce: (raw) => choice("calibration", raw, ["idle", "loaded"]),
  },
  costs: {
    group: MODEL,
    describe: "JSON file of a site's own constants, as `downtime calibrate` writes it",
    fallback: "none",
    coerce: (raw) => single("costs", raw),
  },
  cost: {
    group: MODEL,
    describe: "Replace a constant, such as t_ipa=2us or t_vmid=1..2us; repeatable",
    fallback: "none",
    coerce: parseCosts,
  },
  draws: {
    group: MODEL,
    describe: "Draws of the constants, 100 to 100000",
    fallback: String(DEFAULT_DRAWS),
    coerce: (raw) => wholeNumber("draws", raw, 100, 100_000),
  },
  seed: {
    group: MODEL,
    describe: "Seed of the draws",
    fallback: String(DEFAULT_SEED),
    coerce: (raw) => wholeNumber("seed", raw, 0, 0xffff_ffff),
  },
};
