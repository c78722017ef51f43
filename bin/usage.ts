import type { Argv } from "yargs";
import { type Command, commandName, positionalsOf } from "./command.ts";
import { UsageError } from "./errors.ts";
import { suggest } from "../replay/policies/suggest.ts";

/** What a command line was parsed with. */
export interface ParseContext {
  readonly program: Argv<object>;
  readonly argv: readonly string[];
  readonly commands: readonly Command[];
}

/** What yargs found wrong with a command line, in one sentence of ours, with the name that was probably meant. */
export function usageError(context: ParseContext, yargsMessage: string): UsageError {
  const { argv, commands } = context;
  const command = commands.find((candidate) => argv.includes(commandName(candidate)));
  const name = command === undefined ? undefined : commandName(command);
  const text = yargsMessage.replace(/\s+/g, " ").trim();
  const valueless = /^Not enough arguments following: (.*)$/.exec(text)?.[1];
  if (valueless !== undefined) return new UsageError(`--${valueless} needs a value`, name);
  if (command !== undefined && text.startsWith("Not enough non-option arguments")) {
    const needed = positionalsOf(command).join(" ");
    // Of a command with commands of its own, yargs does not say which of them lacks something.
    return new UsageError(`${name} needs ${needed === "" ? "more arguments" : needed}`, name);
  }
  const unknown = /^Unknown arguments?: (.*)$/.exec(text)?.[1];
  if (unknown !== undefined) {
    return new UsageError(unknownWord(context, unknown.split(", "), command), name);
  }
  return new UsageError(text.charAt(0).toLowerCase() + text.slice(1), name);
}

/** The first word of the command line that yargs does not know: an option, a command or one argument too many. */
function unknownWord(
  { program, argv, commands }: ParseContext,
  unknown: readonly string[],
  command: Command | undefined,
): string {
  const word = argv.find((text) => unknown.includes(bare(text))) ?? unknown[0] ?? "";
  if (isOption(word)) {
    const name = word.replace(/=.*$/s, "");
    return `unknown option '${name}'${didYouMean(bare(word), optionNames(program, command), "--")}`;
  }
  if (command !== undefined) return `unexpected argument '${word}'`;
  return `unknown command '${word}'${didYouMean(word, commands.map(commandName))}`;
}

/** A lone dash is stdin. */
function isOption(word: string): boolean {
  return /^-./.test(word);
}

/** An option without its dashes and its value; any other word as it is. */
function bare(text: string): string {
  return isOption(text) ? text.replace(/^--?(no-)?|=.*$/gs, "") : text;
}

function didYouMean(word: string, names: readonly string[], dashes = ""): string {
  const nearest = suggest(word, names);
  return nearest === undefined ? "" : `: did you mean '${dashes}${nearest}'?`;
}

/** Options that yargs knows at this moment, those of the running command included. */
function optionNames(program: Argv<object>, command: Command | undefined): readonly string[] {
  // Public in yargs, but missing in its types.
  if (!("getOptions" in program) || typeof program.getOptions !== "function") return [];
  const options: unknown = program.getOptions();
  if (typeof options !== "object" || options === null || !("key" in options)) return [];
  const positionals = command === undefined ? [] : positionalsOf(command);
  const names = new Set(positionals.map((positional) => positional.replace(/[<>[\].]/g, "")));
  return Object.keys(options.key ?? {}).filter((key) => !names.has(key));
}
