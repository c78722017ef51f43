import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Argv } from "yargs";
import { TraceError } from "../../ingest/errors.ts";
import type { AnalysisOptions } from "../analyze-trace.ts";
import { checkValues } from "../downtime/check-values.ts";
import { DOWNTIME_OPTIONS } from "../downtime/options.ts";
import type { DowntimeValues } from "../downtime/values.ts";
import { type OptionSpec, SHARED_OPTIONS, yargsOptions } from "../options.ts";
import { checkTlbOptions, TLB_OPTIONS } from "../tlb-model.ts";
import { LIST } from "../tlb-values.ts";
import { ANALYSIS_OPTIONS } from "../trace-options.ts";
import { badOption } from "../values.ts";

/** Asks for an estimate of downtime beside the replay, with the options of `downtime`. */
export const DOWNTIME = "downtime";
/** Of those, what belongs to one migration, or to the command itself. */
const NOT_OF_A_BATCH: ReadonlySet<string> = new Set(["case", "vmm-report", "vm", "require"]);

type AnySpec = OptionSpec<unknown>;

const ANALYSIS_SPECS: ReadonlyMap<string, AnySpec> = new Map(
  [...ANALYSIS_OPTIONS, ...TLB_OPTIONS].map((name): [string, AnySpec] => [
    name,
    SHARED_OPTIONS[name],
  ]),
);
const DOWNTIME_SPECS: ReadonlyMap<string, AnySpec> = new Map(
  Object.entries<AnySpec>(DOWNTIME_OPTIONS).filter(([name]) => !NOT_OF_A_BATCH.has(name)),
);
const SWITCH: AnySpec = {
  group: "Downtime:",
  describe: "Also estimate the downtime of each trace's migration; the options of `downtime` apply",
  fallback: "off",
};
/** The options of `analyze` and `downtime` that say what is found out, not where it goes. */
const SPECS: ReadonlyMap<string, AnySpec> = new Map([
  ...ANALYSIS_SPECS,
  [DOWNTIME, SWITCH],
  ...DOWNTIME_SPECS,
]);

/** Options as they were typed, by name: what a manifest keeps, and what decides a result's address. */
export type Parameters = Readonly<Record<string, string | readonly string[]>>;

/** Options that name a file which every trace of a batch uses. */
const FILE_OPTIONS = ["policy-file", "probes", "memslots", "costs"] as const;

/** A file that the parameters name. */
export interface ParameterFile {
  readonly option: string;
  readonly path: string;
  readonly sha256: string;
}

/** Declares the options of an analysis as texts: they are checked, but kept as typed. */
export function withRawAnalysisOptions<T>(yargs: Argv<T>): Argv<T> {
  let declared: Argv<unknown> = yargs;
  for (const [name, spec] of SPECS) {
    // As typed: `parseParameters` reads them, now and in every worker.
    const { type, requiresArg, group, describe } = yargsOptions(spec);
    const kind = type === "boolean" ? { type } : { type: "string" as const, requiresArg };
    declared = declared.option(name, { ...kind, group, describe });
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of yargs cannot follow a loop
  return declared as Argv<T>;
}

/** Those of the parsed arguments that are options of the analysis. */
export function parametersOf(args: Readonly<Record<string, unknown>>): Parameters {
  const parameters: Record<string, string | readonly string[]> = {};
  for (const name of [...SPECS.keys()].sort()) {
    const value = args[name];
    if (typeof value === "string") parameters[name] = value;
    else if (value === true) parameters[name] = ON;
    else if (Array.isArray(value)) parameters[name] = value.map(String);
  }
  return parameters;
}

/** The value of a switch. */
const ON = "on";

/** What a unit of work finds out. */
export interface Analysis {
  readonly replay: AnalysisOptions;
  /** Undefined where no downtime is asked for. */
  readonly downtime: DowntimeValues | undefined;
}

/**
 * The values behind texts, by the rules of the command line.
 * @throws TraceError BAD_OPTION.
 */
export function parseParameters(parameters: Parameters): Analysis {
  const unknown = Object.keys(parameters).find((name) => !SPECS.has(name));
  if (unknown !== undefined) {
    throw new TraceError("BAD_OPTION", "is not an option of an analysis", `--${unknown}`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every name got what its own coercer gives
  const replay = {
    quiet: true,
    debug: false,
    ...valuesOf(parameters, ANALYSIS_SPECS),
  } as unknown as AnalysisOptions;
  checkTlbOptions(replay);
  if (replay.tlb === LIST) throw badOption("tlb", "list replays nothing");
  const isAsked = parameters[DOWNTIME] === ON;
  const stray = Object.keys(parameters).find((name) => DOWNTIME_SPECS.has(name));
  if (!isAsked && stray !== undefined) {
    throw badOption(stray, "says how downtime is estimated, and it is not", "give --downtime");
  }
  if (!isAsked) return { replay, downtime: undefined };
  const flags = {
    "auto-converge": false,
    overlap: false,
    "post-copy": false,
    "repeat-tlbi": false,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  const downtime = {
    ...flags,
    ...valuesOf(parameters, DOWNTIME_SPECS),
  } as unknown as DowntimeValues;
  checkValues(downtime);
  return { replay, downtime };
}

function valuesOf(
  parameters: Parameters,
  specs: ReadonlyMap<string, AnySpec>,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, { coerce }] of specs) {
    const raw = parameters[name];
    if (raw === undefined) continue;
    if (coerce !== undefined) values[name] = coerce(raw);
    else if (raw === ON) values[name] = true;
    else throw badOption(name, "is a switch and takes no value");
  }
  return values;
}

/** The command line of an `analyze` that gives the same: options by name, without the trace. */
export function argvOf(parameters: Parameters): readonly string[] {
  const argv = ["analyze"];
  for (const [name, raw] of Object.entries(parameters)) {
    if (!ANALYSIS_SPECS.has(name)) continue;
    for (const value of [raw].flat()) argv.push(`--${name}`, value);
  }
  return argv;
}

/** Digests of the files that the parameters name. @throws TraceError UNREADABLE. */
export async function parameterFilesOf(parameters: Parameters): Promise<readonly ParameterFile[]> {
  const files: ParameterFile[] = [];
  const { stream } = parseParameters(parameters).replay;
  const accesses = stream?.kind === "file" ? [stream.path] : [];
  for (const option of [...FILE_OPTIONS, "stream"]) {
    const paths = option === "stream" ? accesses : [parameters[option] ?? []].flat();
    for (const path of paths) {
      const bytes = await readFile(path).catch(() => undefined);
      if (bytes === undefined) {
        throw new TraceError("UNREADABLE", `--${option} names a file that cannot be read`, path);
      }
      files.push({ option, path, sha256: createHash("sha256").update(bytes).digest("hex") });
    }
  }
  return files;
}
