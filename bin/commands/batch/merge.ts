/** `batch merge`: the results of a manifest as datasets and as a roll-up. */
import { readFile, stat } from "node:fs/promises";
import type { ArgumentsCamelCase, Argv } from "yargs";
import { TraceError } from "../../../ingest/errors.ts";
import {
  DATASET_FORMATS,
  type DatasetFormat,
} from "../../../reports/batch/datasets/dataset-writer.ts";
import {
  PARTITION_COLUMNS,
  type PartitionColumn,
} from "../../../reports/batch/datasets/partition.ts";
import { parseRollup } from "../../../reports/batch/rollup-schema.ts";
import { formatRollup } from "../../../reports/batch/rollup-text.ts";
import { type Rollup, rollupJson } from "../../../reports/batch/rollup.ts";
import { terminalOptions } from "../../../reports/terminal.ts";
import { mergeBatch } from "../../batch/merge/merge.ts";
import { readOwnManifest } from "../../batch/read-own-manifest.ts";
import { openStore } from "../../batch/store/open-store.ts";
import type { Command } from "../../command.ts";
import { ExitCode, raiseExitCode } from "../../exit-codes.ts";
import { type SharedValues, withOptions } from "../../options.ts";
import { printResult } from "../../stdout.ts";
import { logOf } from "../../trace-run.ts";
import { badOption, choices, type RawValue, repeated, single, wholeNumber } from "../../values.ts";

interface MergeArguments extends Pick<SharedValues, "quiet" | "debug" | "format" | "out"> {
  readonly manifest: string;
  readonly results: readonly string[] | undefined;
  readonly dataset: readonly DatasetFormat[] | undefined;
  readonly partition: readonly PartitionColumn[] | undefined;
  readonly "slo-ms": number | undefined;
  readonly worst: number | undefined;
  readonly "worst-by": string | undefined;
  readonly baseline: string | undefined;
  readonly "require-complete": boolean | undefined;
}

const GROUP = "Roll-up:";
const DEFAULT_WORST = 20;
const MAX_BASELINE_BYTES = 512 * 1024 * 1024;

export const mergeCommand: Command = {
  command: "merge <manifest>",
  describe: "Gather the results of a manifest: datasets and a roll-up",
  builder: (yargs: Argv<object>): Argv<MergeArguments> =>
    withOptions(
      yargs
        .positional("manifest", {
          type: "string",
          demandOption: true,
          describe: "What `batch plan` wrote",
        })
        .options({
          results: {
            type: "string",
            requiresArg: true,
            group: "Input:",
            describe: "Store of results: a folder, or s3://BUCKET/PREFIX; may be repeated",
            coerce: (raw: RawValue): readonly string[] => repeated("results", raw),
          },
          dataset: {
            type: "string",
            requiresArg: true,
            group: "Output:",
            describe: `Formats of the datasets: a list of ${DATASET_FORMATS.join(", ")} (default: parquet)`,
            coerce: (raw: RawValue): readonly DatasetFormat[] =>
              choices("dataset", raw, DATASET_FORMATS),
          },
          partition: {
            type: "string",
            requiresArg: true,
            group: "Output:",
            describe: `Divide the datasets by a list of ${PARTITION_COLUMNS.join(", ")} (default: undivided)`,
            coerce: (raw: RawValue): readonly PartitionColumn[] =>
              choices("partition", raw, PARTITION_COLUMNS),
          },
          "slo-ms": {
            type: "string",
            requiresArg: true,
            group: GROUP,
            describe: "Downtime in ms that a migration may have (default: none)",
            coerce: (raw: RawValue): number => wholeNumber("slo-ms", raw, 1, 1_000_000_000),
          },
          worst: {
            type: "string",
            requiresArg: true,
            group: GROUP,
            describe: `How many of the worst traces are named, 0 to 1000 (default: ${DEFAULT_WORST})`,
            coerce: (raw: RawValue): number => wholeNumber("worst", raw, 0, 1000),
          },
          "worst-by": {
            type: "string",
            requiresArg: true,
            group: GROUP,
            describe: "Metric that they are chosen by (default: downtime, else refills, else tlbi)",
            coerce: (raw: RawValue): string => single("worst-by", raw),
          },
          baseline: {
            type: "string",
            requiresArg: true,
            group: GROUP,
            describe: "Earlier rollup.json, to tell the drift since (default: none)",
            coerce: (raw: RawValue): string => single("baseline", raw),
          },
          "require-complete": {
            type: "boolean",
            group: GROUP,
            describe: "Exit code 4 unless every planned trace has a result",
          },
        }),
      "out",
      "format",
      "quiet",
      "debug",
    ).example("$0 batch merge fleet.json --results results --out fleet", "one store, Parquet"),
  handler: merge,
};

async function merge(args: ArgumentsCamelCase<MergeArguments>): Promise<void> {
  const { results, out } = args;
  if (results === undefined) throw badOption("results", "says where the results are: it is needed");
  if (out === undefined) throw badOption("out", "says where the roll-up goes: it is needed");
  const format = args.format ?? "table";
  if (format !== "table" && format !== "json") {
    throw badOption("format", `is table or json here, not ${format}`);
  }
  const manifest = await readOwnManifest(args.manifest);
  const baseline = args.baseline === undefined ? undefined : await readBaseline(args.baseline);
  await refuseNoStore(results);
  const stores = await Promise.all(results.map((text) => openStore(text)));
  let rollup: Rollup;
  try {
    rollup = await mergeBatch({
      manifest,
      stores,
      out,
      datasets: {
        formats: args.dataset ?? ["parquet"],
        partition: args.partition ?? [],
        tool: manifest.tool,
      },
      rollup: {
        tool: manifest.tool,
        parameters: manifest.parameters,
        sloMs: args["slo-ms"],
        worst: args.worst ?? DEFAULT_WORST,
        worstBy: args["worst-by"],
      },
      baseline,
    });
  } finally {
    for (const store of stores) store.close();
  }
  const text =
    format === "json" ? rollupJson(rollup) : formatRollup(rollup, terminalOptions(process.stdout));
  await printResult(text);
  logOf(args).info(`datasets and rollup.json in ${out}`);
  judge(rollup, args["require-complete"] === true);
}

function judge({ traces }: Rollup, requiresComplete: boolean): void {
  const isComplete = traces.done === traces.planned;
  if (!isComplete || traces.refused + traces.lossy > 0) raiseExitCode(ExitCode.DATA_LOSS);
  if (requiresComplete && !isComplete) raiseExitCode(ExitCode.GATE_NOT_MET);
}

/** A folder that is not there would make every trace missing: rather a wrong name. */
async function refuseNoStore(results: readonly string[]): Promise<void> {
  for (const text of results) {
    if (/^s3:/i.test(text)) continue;
    const stats = await stat(text).catch(() => undefined);
    if (stats?.isDirectory() === true) continue;
    throw new TraceError("UNREADABLE", "there is no such folder of results", text);
  }
}

async function readBaseline(path: string): Promise<Rollup> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isFile() !== true || stats.size > MAX_BASELINE_BYTES) {
    throw new TraceError("UNREADABLE", "this roll-up cannot be read", path);
  }
  const parsed = parseRollup(await readFile(path, "utf8"));
  if ("rollup" in parsed) return parsed.rollup;
  throw badOption("baseline", `is not a rollup.json: ${parsed.problem}`);
}
