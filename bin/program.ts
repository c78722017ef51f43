import yargs from "yargs";
import type { Argv, CommandModule } from "yargs";
import { type Command, commandName } from "./command.ts";
import { hideDash, restoreDashes, showDash } from "./dash.ts";
import { reportError } from "./errors.ts";
import { EXIT_CODE_MEANINGS, ExitCode } from "./exit-codes.ts";
import { withOptions } from "./options.ts";
import { usageError } from "./usage.ts";
import { refusalOf } from "./values.ts";
import { versionText } from "./version.ts";

/**
 * Runs one command line and returns its exit code; every error has been reported by then. A command
 * that ends with another code than 0 sets it with `raiseExitCode` or throws.
 */
export async function run(argv: readonly string[], commands: readonly Command[]): Promise<number> {
  const program = buildProgram(argv, commands);
  try {
    if (argv.length === 0) {
      process.stderr.write(`${await program.getHelp()}\n`);
      return ExitCode.USAGE;
    }
    await program.parseAsync(hideDash(withoutDoubleDash(argv)));
    return Number(process.exitCode ?? ExitCode.DONE);
  } catch (error) {
    return reportError(error, { debug: wantsDebug(argv) });
  }
}

/** Whether `--debug` is among the options; known before they are parsed, because parsing can fail. */
export function wantsDebug(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end === -1 ? argv.length : end).includes("--debug");
}

/**
 * yargs does not count what follows `--` as arguments of a command. Such a word that begins with a dash
 * can only be a file, and is the same file with `./` in front.
 */
function withoutDoubleDash(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  if (end === -1) return argv;
  const files = argv.slice(end + 1).map((word) => (/^-./.test(word) ? `./${word}` : word));
  return [...argv.slice(0, end), ...files];
}

const WIDEST_HELP = 100;

function buildProgram(argv: readonly string[], commands: readonly Command[]): Argv<object> {
  const program = withOptions(yargs().scriptName("tlbi-replay"), "quiet", "debug")
    .locale("en")
    .parserConfiguration({
      "camel-case-expansion": false,
      "dot-notation": false,
      "parse-numbers": false,
      "parse-positional-numbers": false,
    })
    .usage(
      "$0 COMMAND [options]\n\n" +
        "Replays recorded KVM/arm64 stage-2 traces under different TLB invalidation policies\n" +
        "and counts exactly what each of them issues.",
    )
    .command(commands.map(asModule))
    .middleware(restoreDashes, true)
    .demandCommand(1, "no command is given")
    .strict()
    .exitProcess(false)
    .version(versionText())
    .help()
    .group(["help", "version"], "General:")
    .wrap(Math.min(WIDEST_HELP, process.stdout.columns ?? WIDEST_HELP))
    .epilogue(exitCodeTable());
  addExamples(program, commands.map(commandName));
  return program.fail((message: string | null, error: Error | undefined) => {
    if (error !== undefined && error !== null && error.name !== "YError") throw error;
    throw refusalOf(message) ?? usageError({ program, argv, commands }, showDash(message ?? ""));
  });
}

function asModule(command: Command): CommandModule<object, never> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked where the command is defined
  return command as CommandModule<object, never>;
}

/** Shown in the help of the tool only: yargs drops them inside a command, which has its own. */
const EXAMPLES: readonly (readonly [command: string, line: string, meaning: string])[] = [
  ["analyze", "$0 analyze trace.txt.gz --out results", "replay and compare, keep the tables"],
  ["verify", "zcat trace.txt.gz | $0 verify -", "check the model against a trace from a pipe"],
  ["encode", "$0 encode 0x80000000 2M", "the TLBI instructions for 2 MiB at this IPA"],
];

function addExamples(program: Argv<object>, names: readonly string[]): void {
  for (const [command, line, meaning] of EXAMPLES) {
    if (names.includes(command)) program.example(line, meaning);
  }
}

function exitCodeTable(): string {
  const lines = EXIT_CODE_MEANINGS.map(
    ([code, meaning]) => `  ${String(code).padEnd(5)}${meaning}`,
  );
  return ["Exit codes:", ...lines].join("\n");
}
