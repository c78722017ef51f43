/** `report DIR…`: the HTML page of finished result folders. */
import path from "node:path";
import type { ArgumentsCamelCase, Argv } from "yargs";
import { TraceError } from "../../ingest/errors.ts";
import { readRollupFolder } from "../../reports/batch/rollup-folder.ts";
import { readMarker, readResultFolder } from "../../reports/result-folder.ts";
import { pageOf, writePage } from "../analyze-output.ts";
import type { Rollup } from "../../reports/batch/rollup.ts";
import type { Command } from "../command.ts";
import { ExitCode, raiseExitCode } from "../exit-codes.ts";
import { type SharedValues, withOptions } from "../options.ts";
import { createLog, type Log } from "../log.ts";

type ReportArguments = Pick<SharedValues, "html" | "quiet" | "debug"> & {
  readonly folders: readonly string[];
};

/** Name of the page in a result folder. */
const PAGE = "report.html";

export const reportCommand: Command = {
  command: "report <folders..>",
  describe: "Make the HTML page of what analyze, downtime (--out) or batch merge wrote",
  builder: (yargs: Argv<object>): Argv<ReportArguments> =>
    withOptions(
      yargs.positional("folders", {
        type: "string",
        array: true,
        demandOption: true,
        describe: `Result folders; the page goes to ${PAGE} in each, or to --html FILE (- is stdout)`,
      }),
      "html",
      "quiet",
      "debug",
    ),
  handler: report,
};

async function report(args: ArgumentsCamelCase<ReportArguments>): Promise<void> {
  if (args.html !== undefined && args.folders.length > 1) {
    throw new TraceError(
      "BAD_OPTION",
      `names one page, and there are ${args.folders.length} folders`,
      "--html",
      `leave it away: each page goes to ${PAGE} in its folder`,
    );
  }
  const log = createLog(args);
  const { downtimePage } = await import("../../reports/html/downtime/page.ts");
  const { pageInputOf } = await import("../../reports/html/downtime/document.ts");
  for (const folder of args.folders) {
    const rollup = readRollupFolder(folder);
    if (rollup !== undefined) {
      await writeFleet(args.html ?? path.join(folder, PAGE), rollup, log);
      continue;
    }
    const file = args.html ?? path.join(folder, PAGE);
    const estimate = pageInputOf(readMarker(folder));
    if (estimate !== undefined) {
      await writePage(file, await downtimePage(estimate));
      if (file !== "-") log.info(`page in ${file}`);
      if (estimate.losses.length > 0) raiseExitCode(ExitCode.DATA_LOSS);
      continue;
    }
    const results = await readResultFolder(folder);
    await writePage(file, await pageOf(results));
    if (file !== "-") log.info(`page in ${file}`);
    const { inputs, inference } = results.summary;
    const hasLoss = inputs.some(({ losses }) => losses.length > 0) || inference !== undefined;
    if (hasLoss) raiseExitCode(ExitCode.DATA_LOSS);
  }
}

async function writeFleet(file: string, rollup: Rollup, log: Log): Promise<void> {
  const { fleetPage } = await import("../../reports/html/fleet/page.ts");
  await writePage(file, await fleetPage(rollup));
  if (file !== "-") log.info(`page in ${file}`);
  const { done, planned, refused, lossy } = rollup.traces;
  if (done < planned || refused + lossy > 0) raiseExitCode(ExitCode.DATA_LOSS);
}
