import type { Argv } from "yargs";
import { POLICY_HELP } from "../replay/policies/select.ts";
import { type SharedValues, withOptions } from "./options.ts";

/** Options of every command that replays traces. */
const TRACE_OPTIONS = [
  "policy",
  "policy-file",
  "flag",
  "cpu",
  "page-size",
  "ipa-bits",
  "kernel",
  "start",
  "input-format",
  "probes",
  "instance",
  "memslots",
  "line-template",
  "quiet",
  "debug",
] as const;

export type TraceOptions = Pick<SharedValues, (typeof TRACE_OPTIONS)[number]> & {
  readonly traces: readonly string[];
};

/** Options that describe the machine and how its trace is read. */
const MACHINE_OPTIONS = [
  "cpu",
  "page-size",
  "ipa-bits",
  "kernel",
  "start",
  "input-format",
  "probes",
  "quiet",
  "debug",
] as const;
export type MachineOptions = Pick<SharedValues, (typeof MACHINE_OPTIONS)[number]>;

/** Declares the traces and the options of a command that takes no policy. */
export function withMachineOptions<T>(
  yargs: Argv<T>,
): Argv<T & MachineOptions & { readonly traces: readonly string[] }> {
  return withOptions(withTraces(yargs), ...MACHINE_OPTIONS);
}

function withTraces<T>(yargs: Argv<T>): Argv<T & { readonly traces: string[] }> {
  return yargs.positional("traces", {
    type: "string",
    array: true,
    demandOption: true,
    describe: "Trace files, folders of a capture, or - for stdin",
  });
}

/** Declares the traces and the options that say how they are replayed; the policies stand below the help. */
export function withTraceOptions<T>(
  yargs: Argv<T>,
  below: readonly string[] = [],
): Argv<T & TraceOptions> {
  return withOptions(withTraces(yargs), ...TRACE_OPTIONS).epilogue(
    ["Policies:", ...POLICY_HELP.map((line) => `  ${line}`), ...section(below)].join("\n"),
  );
}

function section([title, ...lines]: readonly string[]): readonly string[] {
  return title === undefined ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}
