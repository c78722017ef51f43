/** `batch run`: work on the traces of a manifest, or on a part of them, on this machine. */
import type { ArgumentsCamelCase, Argv } from "yargs";
import { plural } from "../../../reports/terminal.ts";
import {
  type BatchValues,
  DEFAULT_RETRIES,
  DEFAULT_RETRY_DELAY_MS,
  poolSettingOf,
  withBatchOptions,
  WORK_OPTIONS,
  type WorkOption,
} from "../../batch/options.ts";
import { readOwnManifest } from "../../batch/read-own-manifest.ts";
import { runBatch, type RunReport } from "../../batch/run/run-batch.ts";
import { formatRun, runJson } from "../../batch/run/run-report.ts";
import { itemsOfShard, shardOfEnvironment } from "../../batch/run/shard.ts";
import { UnitPool } from "../../batch/run/unit-pool.ts";
import { FolderStore } from "../../batch/store/folder-store.ts";
import { openStore } from "../../batch/store/open-store.ts";
import type { Command } from "../../command.ts";
import { ExitCode, raiseExitCode } from "../../exit-codes.ts";
import { onStopRequest } from "../../lifecycle.ts";
import { type SharedValues, withOptions } from "../../options.ts";
import { Progress } from "../../progress.ts";
import { printResult } from "../../stdout.ts";
import { logOf } from "../../trace-run.ts";
import { badOption } from "../../values.ts";

type RunOption = WorkOption | "results" | "shard" | "retries" | "retry-delay";
interface RunArguments
  extends BatchValues<RunOption>,
    Pick<SharedValues, "quiet" | "debug" | "format"> {
  readonly manifest: string;
  readonly "retry-failed": boolean | undefined;
}

export const runCommand: Command = {
  command: "run <manifest>",
  describe: "Work on the traces of a manifest; what has a result is not done again",
  builder: (yargs: Argv<object>): Argv<RunArguments> =>
    withOptions(
      withBatchOptions(
        yargs
          .positional("manifest", {
            type: "string",
            demandOption: true,
            describe: "What `batch plan` wrote",
          })
          .option("retry-failed", {
            type: "boolean",
            group: "Work:",
            describe: "Try again what failed for good in an earlier run",
          }),
        "results",
        ...WORK_OPTIONS,
        "shard",
        "retries",
        "retry-delay",
      ),
      "format",
      "quiet",
      "debug",
    )
      .example("$0 batch run fleet.json --results results", "all of it, on all CPUs")
      .example(
        "$0 batch run fleet.json --results results --shard 2/8",
        "the second of eight parts",
      ),
  handler: run,
};

async function run(args: ArgumentsCamelCase<RunArguments>): Promise<void> {
  if (args.results === undefined) throw badOption("results", "says where results go: it is needed");
  const format = args.format ?? "table";
  if (format !== "table" && format !== "json") {
    throw badOption("format", `is table or json here, not ${format}`);
  }
  const log = logOf(args);
  const manifest = await readOwnManifest(args.manifest);
  const shard = args.shard ?? shardOfEnvironment(process.env);
  if (shard !== undefined) log.info(`part ${shard.index} of ${shard.count}, by ${shard.origin}`);
  const items = itemsOfShard(manifest.items, shard);
  const store = await openStore(args.results);
  if (store instanceof FolderStore) {
    const removed = store.sweep(Date.now());
    if (removed > 0) log.info(`${plural(removed, "half-written file")} of killed runs removed`);
  }
  const setting = poolSettingOf(args, args.results);
  const pool = new UnitPool(setting);
  const progress = new Progress(items.length, "traces");
  const stop = new AbortController();
  const forget = onStopRequest(() => {
    log.warn("stopping: what is done stays, the same command goes on from there");
    stop.abort();
    void pool.close(true);
  });
  let report: RunReport;
  try {
    report = await runBatch(items, {
      store,
      execute: async (item) => pool.run(item, manifest),
      jobs: setting.jobs,
      retry: {
        retries: args.retries ?? DEFAULT_RETRIES,
        delayMs: args["retry-delay"] ?? DEFAULT_RETRY_DELAY_MS,
      },
      retryFailed: args["retry-failed"] === true,
      stop: stop.signal,
      onProgress: (done) => progress.update(done),
    });
  } finally {
    forget();
    progress.end();
    await pool.close(true);
    store.close();
  }
  await printResult(format === "json" ? runJson(report) : formatRun(report));
  if (process.stderr.isTTY && report.stopped === undefined) {
    log.info(
      `next: tlbi-replay batch merge ${args.manifest} --results ${args.results} --out fleet`,
    );
  }
  raiseExitCode(exitCodeOf(report, stop.signal.aborted));
}

function exitCodeOf(
  report: RunReport,
  isInterrupted: boolean,
): (typeof ExitCode)[keyof typeof ExitCode] {
  if (isInterrupted) return ExitCode.INTERRUPTED;
  if (report.stopped !== undefined) return ExitCode.FAILED;
  if (report.planned > 0 && report.failed.length === report.planned) return ExitCode.FAILED;
  return report.failed.length + report.lossy > 0 ? ExitCode.DATA_LOSS : ExitCode.DONE;
}
