/** `batch submit`: put the traces of a manifest on a queue. */
import type { ArgumentsCamelCase, Argv } from "yargs";
import { plural } from "../../../reports/terminal.ts";
import {
  type BatchValues,
  DEFAULT_RETRIES,
  DEFAULT_RETRY_DELAY_MS,
  withBatchOptions,
} from "../../batch/options.ts";
import type { SubmitReport } from "../../batch/queue/submit.ts";
import { readOwnManifest } from "../../batch/read-own-manifest.ts";
import { openStore } from "../../batch/store/open-store.ts";
import type { Command } from "../../command.ts";
import { ExitCode, raiseExitCode } from "../../exit-codes.ts";
import { onStopRequest } from "../../lifecycle.ts";
import { type SharedValues, withOptions } from "../../options.ts";
import { Progress } from "../../progress.ts";
import { printResult } from "../../stdout.ts";
import { logOf } from "../../trace-run.ts";
import { badOption, type RawValue, wholeNumber } from "../../values.ts";

type SubmitOption = "results" | "redis" | "queue" | "retries" | "retry-delay";
interface SubmitArguments
  extends BatchValues<SubmitOption>,
    Pick<SharedValues, "quiet" | "debug" | "format"> {
  readonly manifest: string;
  readonly "max-waiting": number | undefined;
  readonly "retry-failed": boolean | undefined;
}

const DEFAULT_WAITING = 1000;

export const submitCommand: Command = {
  command: "submit <manifest>",
  describe: "Put the traces of a manifest on a queue, each once",
  builder: (yargs: Argv<object>): Argv<SubmitArguments> =>
    withOptions(
      withBatchOptions(
        yargs
          .positional("manifest", {
            type: "string",
            demandOption: true,
            describe: "What `batch plan` wrote",
          })
          .options({
            "max-waiting": {
              type: "string",
              requiresArg: true,
              group: "Queue:",
              describe: `Wait while so many jobs are on the queue (default: ${DEFAULT_WAITING})`,
              coerce: (raw: RawValue): number => wholeNumber("max-waiting", raw, 1, 1_000_000),
            },
            "retry-failed": {
              type: "boolean",
              group: "Queue:",
              describe: "Put what failed for good on the queue again",
            },
          }),
        "results",
        "redis",
        "queue",
        "retries",
        "retry-delay",
      ),
      "format",
      "quiet",
      "debug",
    ).example("$0 batch submit fleet.json --results /shared/results", "workers take it from there"),
  handler: submit,
};

async function submit(args: ArgumentsCamelCase<SubmitArguments>): Promise<void> {
  // The library of the queue takes long to load: only those who use it wait for it.
  const { submitBatch } = await import("../../batch/queue/submit.ts");
  const { withQueue } = await import("../../batch/queue/with-queue.ts");
  const { results } = args;
  if (results === undefined) {
    throw badOption("results", "says where results go: what is there is not submitted again");
  }
  const log = logOf(args);
  const manifest = await readOwnManifest(args.manifest);
  const store = await openStore(results);
  const stop = new AbortController();
  const progress = new Progress(manifest.items.length, "traces");
  const forget = onStopRequest(() => stop.abort());
  try {
    const report = await withQueue(args, log, async (queue) =>
      submitBatch(manifest, {
        queue,
        store,
        attempts: 1 + (args.retries ?? DEFAULT_RETRIES),
        delayMs: args["retry-delay"] ?? DEFAULT_RETRY_DELAY_MS,
        maxWaiting: args["max-waiting"] ?? DEFAULT_WAITING,
        retryFailed: args["retry-failed"] === true,
        stop: stop.signal,
        onProgress: (done) => progress.update(done),
      }),
    );
    progress.end();
    const isJson = args.format === "json";
    await printResult(isJson ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
    if (stop.signal.aborted) raiseExitCode(ExitCode.INTERRUPTED);
    else if (report.failed > 0) raiseExitCode(ExitCode.DATA_LOSS);
  } finally {
    forget();
    progress.end();
    store.close();
  }
}

function textOf(report: SubmitReport): string {
  const { planned, submitted, done, queued, failed, retried, untried } = report;
  const left = untried > 0 ? `, ${untried} not tried` : "";
  const lines = [
    `${plural(planned, "trace")}: ${submitted} submitted, ${queued} on the queue before, ${done} done before, ${retried} tried again${left}`,
  ];
  if (failed > 0) {
    lines.push(
      `${failed} failed for good: --retry-failed submits them again, \`batch status\` names them`,
    );
  }
  return `${lines.join("\n")}\n`;
}
