/** `batch worker`: work on traces from a queue until it is told to stop. */
import type { ArgumentsCamelCase, Argv } from "yargs";
import { plural } from "../../../reports/terminal.ts";
import {
  type BatchValues,
  poolSettingOf,
  withBatchOptions,
  WORK_OPTIONS,
  type WorkOption,
} from "../../batch/options.ts";
import type { WorkerReport } from "../../batch/queue/run-worker.ts";
import { UnitPool } from "../../batch/run/unit-pool.ts";
import { openStore } from "../../batch/store/open-store.ts";
import type { Command } from "../../command.ts";
import { ExitCode, raiseExitCode } from "../../exit-codes.ts";
import { onStopRequest } from "../../lifecycle.ts";
import { type SharedValues, withOptions } from "../../options.ts";
import { printResult } from "../../stdout.ts";
import { logOf } from "../../trace-run.ts";
import { badOption, type RawValue, wholeNumber } from "../../values.ts";

interface WorkerArguments
  extends BatchValues<WorkOption | "results" | "redis" | "queue">,
    Pick<SharedValues, "quiet" | "debug" | "format"> {
  readonly "until-empty": boolean | undefined;
  readonly "lock-seconds": number | undefined;
  readonly "max-stalls": number | undefined;
}

const DEFAULT_LOCK_S = 30;
const DEFAULT_STALLS = 5;

export const workerCommand: Command = {
  command: "worker",
  describe: "Work on traces from a queue; SIGTERM finishes what is in hand and stops",
  builder: (yargs: Argv<object>): Argv<WorkerArguments> =>
    withOptions(
      withBatchOptions(
        yargs.options({
          "until-empty": {
            type: "boolean",
            group: "Queue:",
            describe: "Stop when the queue holds nothing to do",
          },
          "lock-seconds": {
            type: "string",
            requiresArg: true,
            group: "Queue:",
            describe: `A worker that is silent for so long has lost its traces to others (default: ${DEFAULT_LOCK_S})`,
            coerce: (raw: RawValue): number => wholeNumber("lock-seconds", raw, 1, 3600),
          },
          "max-stalls": {
            type: "string",
            requiresArg: true,
            group: "Queue:",
            describe: `Workers that a trace may cost before it counts as failed (default: ${DEFAULT_STALLS})`,
            coerce: (raw: RawValue): number => wholeNumber("max-stalls", raw, 0, 1000),
          },
        }),
        "results",
        ...WORK_OPTIONS,
        "redis",
        "queue",
      ),
      "format",
      "quiet",
      "debug",
    ).example(
      "$0 batch worker --results /shared/results --root /shared/traces",
      "until it is stopped",
    ),
  handler: work,
};

async function work(args: ArgumentsCamelCase<WorkerArguments>): Promise<void> {
  // The library of the queue takes long to load: only those who use it wait for it.
  const { runWorker } = await import("../../batch/queue/run-worker.ts");
  const { withQueue } = await import("../../batch/queue/with-queue.ts");
  const { results } = args;
  if (results === undefined) throw badOption("results", "says where results go: it is needed");
  const log = logOf(args);
  const store = await openStore(results);
  const setting = poolSettingOf(args, results);
  const pool = new UnitPool(setting);
  const stop = new AbortController();
  const forget = onStopRequest(() => {
    log.warn("stopping when what is in hand is done; another signal stops at once");
    stop.abort();
  });
  let report: WorkerReport;
  try {
    report = await withQueue(args, log, async (queue, address, onError) => {
      log.info(
        `working on '${queue.name}' at ${address.description}, ${plural(setting.jobs, "trace")} at once`,
      );
      return runWorker({
        address,
        queue,
        store,
        execute: async (item, shared) => pool.run(item, shared),
        jobs: setting.jobs,
        lockMs: (args["lock-seconds"] ?? DEFAULT_LOCK_S) * 1000,
        maxStalls: args["max-stalls"] ?? DEFAULT_STALLS,
        untilEmpty: args["until-empty"] === true,
        stop: stop.signal,
        onError,
        onUnit: (trace, outcome, reason) => {
          if (outcome === "done") log.debug(`${trace}: done`);
          else log.warn(`${trace}: ${outcome === "retry" ? "tried again" : "failed"}: ${reason}`);
        },
      });
    });
  } finally {
    forget();
    await pool.close(true);
    store.close();
  }
  const isJson = args.format === "json";
  await printResult(isJson ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
  if (report.failed + report.lossy > 0) raiseExitCode(ExitCode.DATA_LOSS);
}

function textOf({ done, earlier, lossy, failed, retried }: WorkerReport): string {
  return (
    `${plural(done, "trace")} done (${earlier} had a result before, ${lossy} lost data), ` +
    `${failed} failed, ${plural(retried, "attempt")} repeated\n`
  );
}
