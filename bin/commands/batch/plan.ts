/** `batch plan`: what a batch of traces has to do, with sizes, digests and parameters. */
import path from "node:path";
import type { ArgumentsCamelCase, Argv } from "yargs";
import { WholeFile } from "../../../reports/whole-file.ts";
import { plural } from "../../../reports/terminal.ts";
import { parametersOf, withRawAnalysisOptions } from "../../batch/analysis.ts";
import { manifestJson } from "../../batch/manifest.ts";
import { planBatch, refuseEmpty } from "../../batch/plan/plan.ts";
import type { Command } from "../../command.ts";
import { ExitCode, raiseExitCode } from "../../exit-codes.ts";
import { type SharedValues, withOptions } from "../../options.ts";
import { printResult } from "../../stdout.ts";
import { logOf } from "../../trace-run.ts";
import { badOption, type RawValue, repeated, single } from "../../values.ts";

interface PlanArguments extends Pick<SharedValues, "quiet" | "debug"> {
  readonly inputs: readonly string[] | undefined;
  readonly csv: readonly string[] | undefined;
  readonly root: string | undefined;
  readonly out: string | undefined;
}

export const planCommand: Command = {
  command: "plan [inputs..]",
  describe: "Look at traces and write a manifest with sizes, digests and parameters",
  builder: (yargs: Argv<object>): Argv<PlanArguments> =>
    withRawAnalysisOptions(
      withOptions(
        yargs
          .positional("inputs", {
            type: "string",
            array: true,
            describe: "Trace files, folders (of a capture, or of many traces) and quoted globs",
          })
          .options({
            csv: {
              type: "string",
              requiresArg: true,
              group: "Input:",
              describe:
                "CSV of a fleet: trace, host_model, vm_type, kernel, cpu, page_size, ipa_bits and free columns; may be repeated",
              coerce: (raw: RawValue): readonly string[] => repeated("csv", raw),
            },
            root: {
              type: "string",
              requiresArg: true,
              group: "Input:",
              describe:
                "Folder that every trace must be in (default: that of the CSV, else the deepest that holds all)",
              coerce: (raw: RawValue): string => single("root", raw),
            },
            out: {
              type: "string",
              requiresArg: true,
              group: "Output:",
              describe: "File for the manifest, or - (default: stdout)",
              coerce: (raw: RawValue): string => single("out", raw),
            },
          }),
        "quiet",
        "debug",
      ),
    )
      .example("$0 batch plan 'traces/**/*.txt.gz' --out fleet.json", "every trace of a tree")
      .example("$0 batch plan --csv fleet.csv --tlb neoverse-n1 --out fleet.json", "with machines"),
  handler: plan,
};

async function plan(args: ArgumentsCamelCase<PlanArguments>): Promise<void> {
  const inputs = args.inputs ?? [];
  const csv = args.csv ?? [];
  if (inputs.length + csv.length === 0) {
    throw badOption("csv", "or traces are needed: there is nothing to plan");
  }
  const planned = await planBatch({ inputs, csv, root: args.root, parameters: parametersOf(args) });
  refuseEmpty(planned);
  const { manifest, leftOut } = planned;
  const text = manifestJson(manifest);
  if (args.out === undefined || args.out === "-") await printResult(text);
  else await writeWhole(path.resolve(args.out), text);
  const log = logOf(args);
  const bytes = manifest.items.reduce((sum, item) => sum + item.bytes, 0);
  log.info(`${plural(manifest.items.length, "trace")} planned, ${bytes} bytes`);
  if (leftOut > 0) {
    log.info(`${plural(leftOut, "file")} left out: links, or not named like traces`);
  }
  for (const { trace, same_as, labels_differ } of manifest.duplicates) {
    const said = labels_differ ? ", though other machines are named for them" : "";
    log.warn(`${trace} is the same trace as ${same_as}: it is counted once${said}`);
  }
  for (const { trace, message } of manifest.refused) log.warn(`${trace} is left out: ${message}`);
  if (process.stderr.isTTY && args.out !== undefined && args.out !== "-") {
    log.info(`next: tlbi-replay batch run ${args.out} --results results`);
  }
  if (manifest.refused.length > 0) raiseExitCode(ExitCode.DATA_LOSS);
}

async function writeWhole(name: string, text: string): Promise<void> {
  const file = new WholeFile(name);
  try {
    await file.write([Buffer.from(text, "utf8")]);
    file.commit();
  } finally {
    file.discard();
  }
}
