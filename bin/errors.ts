import { TraceError, type TraceErrorCode } from "../ingest/errors.ts";
import { paint, terminalOptions, visible } from "../reports/terminal.ts";
import type { TextSink } from "./log.ts";
import { ExitCode, type ExitCodeValue } from "./exit-codes.ts";

/** The command line itself is wrong: reported with a pointer to the help, exit code 2. */
export class UsageError extends Error {
  /** Command whose help is pointed to; undefined for that of the tool. */
  readonly command: string | undefined;

  constructor(message: string, command?: string) {
    super(message);
    this.name = "UsageError";
    this.command = command;
  }
}

const USAGE_CODES: ReadonlySet<TraceErrorCode> = new Set<TraceErrorCode>([
  "BAD_OPTION",
  "BAD_POLICY_FILE",
  "BAD_COST_FILE",
  "BAD_MANIFEST",
]);

export function exitCodeOf(error: unknown): ExitCodeValue {
  if (error instanceof UsageError) return ExitCode.USAGE;
  if (error instanceof TraceError && USAGE_CODES.has(error.code)) return ExitCode.USAGE;
  return ExitCode.FAILED;
}

export interface ReportOptions {
  /** With the stack. */
  readonly debug: boolean;
  readonly stream?: TextSink;
}

/** Tells the user why the run failed, and returns the exit code for it. */
export function reportError(error: unknown, options: ReportOptions): ExitCodeValue {
  const stream = options.stream ?? process.stderr;
  const [sentence, ...rest] = describe(error);
  const name = paint("tlbi-replay:", "red", terminalOptions(stream));
  const stack = options.debug ? framesOf(error) : [];
  stream.write([`${name} ${sentence}`, ...rest, ...stack].map((line) => `${line}\n`).join(""));
  return exitCodeOf(error);
}

/** The stack without its first line, which repeats the message. */
function framesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  return String(error.stack)
    .split("\n")
    .filter((line) => /^\s+at /.test(line));
}

/** The sentence, then lines that help. */
function describe(error: unknown): readonly string[] {
  if (error instanceof UsageError) {
    const command = error.command === undefined ? "" : ` ${error.command}`;
    return [visible(error.message), `Try 'tlbi-replay${command} --help'.`];
  }
  if (error instanceof TraceError) {
    const where = error.where === undefined ? "" : `${visible(error.where)}: `;
    const hint = error.hint === undefined ? [] : [`  hint: ${visible(error.hint)}`];
    return [`${where}${visible(error.message)}`, ...hint];
  }
  const message = error instanceof Error ? error.message : String(error);
  return [
    `internal error: ${visible(message)}`,
    "  hint: this is a defect of tlbi-replay; --debug shows where it happened",
  ];
}
