/** `downtime calibrate FILE…`: constants of a machine of one's own, with the fit and its residuals. */
import { open, readFile } from "node:fs/promises";
import type { ArgumentsCamelCase, Argv } from "yargs";
import { TraceError } from "../../ingest/errors.ts";
import { readHostFacts } from "../../ingest/beside/read-host-facts.ts";
import { resolveTracePath } from "../../ingest/beside/resolve-trace-path.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import { readSelftestRuns } from "../../ingest/selftests/read-runs.ts";
import { calibrate } from "../../replay/calibrate/calibrate.ts";
import type {
  CalibrationRequest,
  MeasuredGraph,
  MeasuredRun,
} from "../../replay/calibrate/request.ts";
import { siteCostsOf } from "../../replay/calibrate/site-costs-of.ts";
import type { Calibration } from "../../replay/costs/cost.ts";
import { parseKernelVersion } from "../../replay/policies/kernel-version.ts";
import { calibrationJson } from "../../reports/downtime/calibration-json.ts";
import { formatCalibration } from "../../reports/downtime/text-calibration.ts";
import { terminalOptions } from "../../reports/terminal.ts";
import { WholeFile } from "../../reports/whole-file.ts";
import type { Command } from "../command.ts";
import { ExitCode, raiseExitCode } from "../exit-codes.ts";
import { type SharedValues, withOptions } from "../options.ts";
import { printResult } from "../stdout.ts";
import { type EventOptions, openOptionsOf, withReadingOptions } from "../trace-options.ts";
import { logOf } from "../trace-run.ts";
import { badOption, choice, single, wholeNumber } from "../values.ts";
import { toolIdentity } from "../version.ts";

type CalibrateArguments = EventOptions &
  Pick<SharedValues, "kernel" | "cpu" | "format"> & {
    readonly files: readonly string[];
    readonly vcpus: number | undefined;
    readonly calibration: Calibration | undefined;
    readonly "save-costs": string | undefined;
    readonly "measured-on": string | undefined;
    readonly date: string | undefined;
  };

const MODEL = "Constants:";

export const calibrateCommand: Command = {
  command: "calibrate <files..>",
  describe: "Fit constants from kvm_page_table_test, dirty_log_perf_test or function_graph output",
  builder: (yargs: Argv<object>): Argv<CalibrateArguments> =>
    withOptions(withOwnOptions(withReadingOptions(yargs)), "kernel", "cpu", "format"),
  handler: runCalibrate,
};

function withOwnOptions<T>(yargs: Argv<T>): Argv<T & Omit<CalibrateArguments, keyof EventOptions>> {
  const text = { type: "string", requiresArg: true, group: MODEL } as const;
  const declared: Argv<unknown> = yargs
    .positional("files", {
      type: "string",
      array: true,
      demandOption: true,
      describe: "Output of the selftests, or function_graph traces",
    })
    .option("vcpus", {
      ...text,
      describe: "vCPUs of runs whose output does not say it (default: none)",
      coerce: (raw: string) => wholeNumber("vcpus", raw, 1, 1024),
    })
    .option("calibration", {
      ...text,
      describe:
        "Load of function_graph traces, and which fits are saved: idle, loaded (default: idle)",
      coerce: (raw: string) => choice("calibration", raw, ["idle", "loaded"]),
    })
    .option("save-costs", {
      ...text,
      describe: "File for the fitted constants, which --costs reads (default: none)",
      coerce: (raw: string) => single("save-costs", raw),
    })
    .option("measured-on", {
      ...text,
      describe: "Machine and load, in words, for the file (default: this site)",
      coerce: (raw: string) => single("measured-on", raw),
    })
    .option("date", {
      ...text,
      describe: "Of the measurement, such as 2026-11, for the file (default: not said)",
      coerce: (raw: string) => single("date", raw),
    });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of yargs cannot follow these
  return declared as Argv<T & Omit<CalibrateArguments, keyof EventOptions>>;
}

async function runCalibrate(args: ArgumentsCamelCase<CalibrateArguments>): Promise<void> {
  const format = args.format ?? "table";
  if (format !== "table" && format !== "json") {
    throw badOption("format", `of calibrate is table or json, not ${format}`);
  }
  const load = args.calibration ?? "idle";
  const result = calibrate(await requestOf(args, load));
  if (format === "json") await printResult(calibrationJson(result, toolIdentity()));
  else await printResult(formatCalibration(result, terminalOptions(process.stdout)));
  if (result.fits.length === 0) {
    logOf(args).warn("nothing could be fitted: each constant says why");
    raiseExitCode(ExitCode.FAILED);
    return;
  }
  if (args["save-costs"] === undefined) return;
  const site = siteCostsOf(result, load, {
    measuredOn: args["measured-on"] ?? "this site",
    date: args.date ?? "not said",
  });
  if (site === undefined) {
    const other = load === "idle" ? "loaded" : "idle";
    throw badOption("save-costs", `has no ${load} fit to save`, `give --calibration ${other}`);
  }
  const file = new WholeFile(args["save-costs"]);
  await file.write([Buffer.from(`${JSON.stringify(site, null, 2)}\n`)]);
  file.commit();
  logOf(args).info(`${site.costs.length} ${load} costs in ${args["save-costs"]}`);
}

async function requestOf(args: CalibrateArguments, load: Calibration): Promise<CalibrationRequest> {
  const runs: MeasuredRun[] = [];
  const graphs: MeasuredGraph[] = [];
  const kernel = args.kernel === undefined ? undefined : parseKernelVersion(args.kernel);
  let fwb = args.cpu?.includes("fwb");
  for (const file of args.files) {
    if (await isSelftest(file)) {
      const found = readSelftestRuns(await readFile(file, "utf8"), file, args.vcpus);
      runs.push(...found.map((run) => ({ run, kernel })));
      continue;
    }
    const path = await resolveTracePath(file);
    const { facts } = await readHostFacts(path);
    fwb ??= facts.cpuFeatures?.value.includes("fwb");
    graphs.push(await graphOf(path, args, load));
  }
  return { runs, graphs, fwb };
}

/** Durations of a function-graph trace; everything else in it is passed over. */
async function graphOf(
  path: string,
  args: CalibrateArguments,
  load: Calibration,
): Promise<MeasuredGraph> {
  const reader = await openTrace(path, openOptionsOf(args));
  for await (const batch of reader.batches()) void batch;
  const { durations } = reader.info();
  if (durations === undefined || durations.size === 0) {
    throw new TraceError(
      "NO_EVENTS",
      "it holds no durations: neither output of a KVM selftest nor a function_graph trace",
      path,
    );
  }
  return { name: path, durations, load };
}

const HEAD_BYTES = 64 * 1024;

/** Output of a selftest is told by what it begins each run with. */
async function isSelftest(path: string): Promise<boolean> {
  let handle;
  try {
    handle = await open(path);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.toString("latin1", 0, bytesRead);
    return /guest mode:.*K pages|kvm_page_table_test|dirty_log_perf_test/.test(head);
  } catch {
    // A folder, or nothing: opening it as a trace says what is wrong.
    return false;
  } finally {
    await handle?.close();
  }
}
