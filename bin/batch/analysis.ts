import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Argv } from "yargs";
import { TraceError } from "../../ingest/errors.ts";
import type { AnalysisOptions } from "../analyze-trace.ts";
import { SHARED_OPTIONS, type SharedValues } from "../options.ts";
import { checkTlbOptions, TLB_OPTIONS } from "../tlb-model.ts";
import { ANALYSIS_OPTIONS } from "../trace-options.ts";

/** The options of `analyze` that say what is found out, not where it goes. */
export type BatchOption = (typeof ANALYSIS_OPTIONS)[number] | (typeof TLB_OPTIONS)[number];
export const BATCH_OPTIONS: readonly BatchOption[] = [...ANALYSIS_OPTIONS, ...TLB_OPTIONS];

/** Options as they were typed, by name: what a manifest keeps, and what decides a result's address. */
export type Parameters = Readonly<Record<string, string | readonly string[]>>;

/** Options that name a file which every trace of a batch uses. */
const FILE_OPTIONS = ["policy-file", "probes", "memslots"] as const;

/** A file that the parameters name. */
export interface ParameterFile {
  readonly option: string;
  readonly path: string;
  readonly sha256: string;
}

/** Declares the options of an analysis as texts: they are checked, but kept as typed. */
export function withRawAnalysisOptions<T>(yargs: Argv<T>): Argv<T> {
  let declared: Argv<unknown> = yargs;
  for (const name of BATCH_OPTIONS) {
    const { group, describe, fallback } = SHARED_OPTIONS[name];
    declared = declared.option(name, {
      type: "string",
      requiresArg: true,
      group,
      describe: `${describe} (default: ${fallback})`,
    });
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the types of yargs cannot follow a loop
  return declared as Argv<T>;
}

/** Those of the parsed arguments that are options of the analysis. */
export function parametersOf(args: Readonly<Record<string, unknown>>): Parameters {
  const parameters: Record<string, string | readonly string[]> = {};
  for (const name of [...BATCH_OPTIONS].sort()) {
    const value = args[name];
    if (typeof value === "string") parameters[name] = value;
    else if (Array.isArray(value)) parameters[name] = value.map(String);
  }
  return parameters;
}

/**
 * The values behind texts, by the rules of the command line.
 * @throws TraceError BAD_OPTION.
 */
export function parseParameters(parameters: Parameters): AnalysisOptions {
  const known: ReadonlySet<string> = new Set<string>(BATCH_OPTIONS);
  const unknown = Object.keys(parameters).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new TraceError("BAD_OPTION", "is not an option of an analysis", `--${unknown}`);
  }
  const values: Record<string, unknown> = { quiet: true, debug: false };
  for (const name of BATCH_OPTIONS) {
    const raw = parameters[name];
    values[name] = raw === undefined ? undefined : valueOf(name, raw);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every name got what its own coercer gives
  const options = values as unknown as AnalysisOptions;
  checkTlbOptions(options);
  return options;
}

function valueOf(name: BatchOption & keyof SharedValues, raw: string | readonly string[]): unknown {
  const { coerce } = SHARED_OPTIONS[name];
  if (coerce === undefined) throw new Error(`--${name} takes no value`);
  return coerce(raw);
}

/** The command line of an `analyze` that gives the same: options by name, without the trace. */
export function argvOf(parameters: Parameters): readonly string[] {
  const argv = ["analyze"];
  for (const [name, raw] of Object.entries(parameters)) {
    for (const value of [raw].flat()) argv.push(`--${name}`, value);
  }
  return argv;
}

/** Digests of the files that the parameters name. @throws TraceError UNREADABLE. */
export async function parameterFilesOf(parameters: Parameters): Promise<readonly ParameterFile[]> {
  const files: ParameterFile[] = [];
  for (const option of FILE_OPTIONS) {
    for (const path of [parameters[option] ?? []].flat()) {
      const bytes = await readFile(path).catch(() => undefined);
      if (bytes === undefined) {
        throw new TraceError("UNREADABLE", `--${option} names a file that cannot be read`, path);
      }
      files.push({ option, path, sha256: createHash("sha256").update(bytes).digest("hex") });
    }
  }
  return files;
}
