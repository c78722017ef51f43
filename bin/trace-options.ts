import type { Argv } from "yargs";
import type { OpenTraceOptions } from "../ingest/open-trace.ts";
import { ARCHITECTURES } from "../replay/architectures/registry.ts";
import { POLICY_HELP } from "../replay/policies/select.ts";
import { type SharedValues, withOptions } from "./options.ts";

/** Options that say how a trace is read. */
const READING_OPTIONS = ["input-format", "probes", "instance", "line-template"] as const;
export type ReadingOptions = Pick<SharedValues, (typeof READING_OPTIONS)[number]>;

/** Policies of architectures with rooms of their own, a line each. */
const OTHER_POLICIES: readonly string[] = ARCHITECTURES.filter(
  ({ start }) => start !== undefined,
).flatMap(({ policies }) => policies.map(({ id, summary }) => `${id} – ${summary}`));

const LOG_OPTIONS = ["quiet", "debug"] as const;

/** Options that describe the machine. */
const HOST_OPTIONS = ["cpu", "page-size", "ipa-bits", "nested-pa-bits", "kernel", "start"] as const;

/** Options that say what it is replayed with. */
const REPLAY_OPTIONS = ["policy", "policy-file", "flag", "memslots"] as const;

/** Every option that decides what the replay of a trace gives. */
export type AnalysisOption =
  | (typeof READING_OPTIONS)[number]
  | (typeof HOST_OPTIONS)[number]
  | (typeof REPLAY_OPTIONS)[number];
export const ANALYSIS_OPTIONS: readonly AnalysisOption[] = [
  ...READING_OPTIONS,
  ...HOST_OPTIONS,
  ...REPLAY_OPTIONS,
];

interface Traces {
  readonly traces: readonly string[];
}

/** Options of a command that only reads events. */
export type EventOptions = ReadingOptions & Pick<SharedValues, (typeof LOG_OPTIONS)[number]>;
/** Those of one that knows a machine, and no policy. */
export type MachineOptions = EventOptions & Pick<SharedValues, (typeof HOST_OPTIONS)[number]>;
/** Those of every command that replays traces. */
export type TraceOptions = MachineOptions &
  Pick<SharedValues, (typeof REPLAY_OPTIONS)[number]> &
  Traces;

/** How `openTrace` reads what these options describe. */
export function openOptionsOf(options: ReadingOptions): OpenTraceOptions {
  return {
    inputFormat: options["input-format"] ?? "auto",
    probes: options.probes,
    instance: options.instance,
    lineTemplate: options["line-template"],
  };
}

/** Declares the traces and the options of a command that only reads events. */
export function withEventOptions<T>(
  yargs: Argv<T>,
  needsTrace = true,
): Argv<T & EventOptions & Traces> {
  return withReadingOptions(withTraces(yargs, needsTrace));
}

/** Those of a command whose files are not all traces. */
export function withReadingOptions<T>(yargs: Argv<T>): Argv<T & EventOptions> {
  return withOptions(yargs, ...READING_OPTIONS, ...LOG_OPTIONS);
}

/** Declares the traces and the options of a command that takes no policy. */
export function withMachineOptions<T>(
  yargs: Argv<T>,
  needsTrace = true,
): Argv<T & MachineOptions & Traces> {
  return withOptions(withEventOptions(yargs, needsTrace), ...HOST_OPTIONS);
}

function withTraces<T>(yargs: Argv<T>, needsTrace: boolean): Argv<T & Traces> {
  return yargs.positional("traces", {
    type: "string",
    array: true,
    ...(needsTrace ? { demandOption: true } : { default: [] }),
    describe: "Trace files, folders of a capture, or - for stdin",
  });
}

/**
 * Declares the traces and the options that say how they are replayed; the policies stand below the help.
 * @param needsTrace without traces there is nothing to do; false: the command decides.
 */
export function withTraceOptions<T>(
  yargs: Argv<T>,
  below: readonly string[] = [],
  needsTrace = true,
): Argv<T & TraceOptions> {
  return withOptions(withMachineOptions(yargs, needsTrace), ...REPLAY_OPTIONS).epilogue(
    [
      "Policies:",
      ...[...POLICY_HELP, ...OTHER_POLICIES].map((line) => `  ${line}`),
      ...section(below),
    ].join("\n"),
  );
}

function section([title, ...lines]: readonly string[]): readonly string[] {
  return title === undefined ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}
