/** `batch status`: what a queue holds, and what became of a manifest. */
import type { ArgumentsCamelCase, Argv } from "yargs";
import { plural, visible } from "../../../reports/terminal.ts";
import { type BatchValues, withBatchOptions } from "../../batch/options.ts";
import type { QueueStatus } from "../../batch/queue/status.ts";
import { readOwnManifest } from "../../batch/read-own-manifest.ts";
import { openStore } from "../../batch/store/open-store.ts";
import type { Command } from "../../command.ts";
import { type SharedValues, withOptions } from "../../options.ts";
import { printResult } from "../../stdout.ts";
import { logOf } from "../../trace-run.ts";
import { badOption } from "../../values.ts";

interface StatusArguments
  extends BatchValues<"results" | "redis" | "queue">,
    Pick<SharedValues, "quiet" | "debug" | "format"> {
  readonly manifest: string | undefined;
}

const SHOWN = 20;

export const statusCommand: Command = {
  command: "status [manifest]",
  describe: "Say what a queue holds, what failed, and what of a manifest is left",
  builder: (yargs: Argv<object>): Argv<StatusArguments> =>
    withOptions(
      withBatchOptions(
        yargs.positional("manifest", { type: "string", describe: "What `batch plan` wrote" }),
        "results",
        "redis",
        "queue",
      ),
      "format",
      "quiet",
      "debug",
    ),
  handler: status,
};

async function status(args: ArgumentsCamelCase<StatusArguments>): Promise<void> {
  // The library of the queue takes long to load: only those who use it wait for it.
  const { queueStatus } = await import("../../batch/queue/status.ts");
  const { withQueue } = await import("../../batch/queue/with-queue.ts");
  if (args.manifest !== undefined && args.results === undefined) {
    throw badOption("results", "says where the results of a manifest are: it is needed");
  }
  const manifest = args.manifest === undefined ? undefined : await readOwnManifest(args.manifest);
  const store = args.results === undefined ? undefined : await openStore(args.results);
  try {
    const found = await withQueue(args, logOf(args), async (queue) =>
      queueStatus(queue, manifest, store),
    );
    const isJson = args.format === "json";
    await printResult(isJson ? `${JSON.stringify(found, null, 2)}\n` : textOf(found));
  } finally {
    store?.close();
  }
}

function textOf({ queue, jobs, failed, manifest }: QueueStatus): string {
  const counts = Object.entries(jobs).map(([state, count]) => `${count} ${state}`);
  const lines = [`queue '${queue}': ${counts.join(", ")}`];
  for (const { trace, reason } of failed.slice(0, SHOWN)) {
    lines.push(visible(`  failed: ${trace}: ${reason}`));
  }
  if (failed.length > SHOWN) lines.push(`  and ${failed.length - SHOWN} more: --format json`);
  if (manifest !== null) {
    const { planned, done, queued, missing } = manifest;
    lines.push(
      `manifest: ${plural(planned, "trace")}, ${done} done, ${queued} on the queue, ${manifest.failed} failed, ${missing.length} neither`,
    );
    if (missing.length > 0) lines.push("`batch submit` puts what is neither on the queue");
  }
  return `${lines.join("\n")}\n`;
}
