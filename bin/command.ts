import type { CommandModule } from "yargs";

/**
 * A command among others. Each types its own arguments, which a list of commands cannot express: what
 * the handler takes and the builder declares is between those two.
 */
export type Command = Omit<CommandModule<object, never>, "builder"> & {
  readonly builder?: unknown;
};

/** `encode` of `encode <addr> <size>`. */
export function commandName(command: Command): string {
  return String([command.command].flat()[0]).split(" ")[0] ?? "";
}

/** `<addr> <size>` of `encode <addr> <size>`. */
export function positionalsOf(command: Command): readonly string[] {
  return String([command.command].flat()[0]).split(" ").slice(1);
}
