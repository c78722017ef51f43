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

/** Declares the traces and the options that say how they are replayed; the policies stand below the help. */
export function withTraceOptions<T>(yargs: Argv<T>): Argv<T & TraceOptions> {
  const withTraces = yargs.positional("traces", {
    type: "string",
    array: true,
    demandOption: true,
    describe: "Trace files, folders of a capture, or - for stdin",
  });
  return withOptions(withTraces, ...TRACE_OPTIONS).epilogue(
    ["Policies:", ...POLICY_HELP.map((line) => `  ${line}`)].join("\n"),
  );
}
