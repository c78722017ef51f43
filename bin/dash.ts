/**
 * A lone `-` (stdin) among the arguments of a command. yargs hands those arguments to its parser a
 * second time as option values, where `-` is lost without a word; so it travels under another name.
 * No word of a command line can hold a NUL, hence none can be mistaken for it.
 */
const MARK = "\u0000-";

/** The command line for yargs. */
export function hideDash(argv: readonly string[]): readonly string[] {
  return argv.map((word) => (word === "-" ? MARK : word));
}

/** A text in which `-` is itself again. */
export function showDash(text: string): string {
  return text.replaceAll(MARK, "-");
}

/** Parsed arguments, changed in place. */
export function restoreDashes(args: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(args)) {
    if (typeof value === "string") args[name] = showDash(value);
    if (Array.isArray(value)) args[name] = value.map(restored);
  }
}

function restored(value: unknown): unknown {
  return typeof value === "string" ? showDash(value) : value;
}
