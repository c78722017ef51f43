import {
  type Style,
  type TerminalStream,
  paint,
  terminalOptions,
  visible,
} from "../reports/terminal.ts";

/** Where text goes: process.stderr, or what a test reads. */
export type TextSink = TerminalStream & { write(text: string): unknown };

/** What a command says beside its results; always on stderr. */
export interface Log {
  /** What is going on: which format was recognised, where files were written. Hidden by `--quiet`. */
  info(message: string): void;
  /** What the reader of the numbers must know. Never hidden. */
  warn(message: string): void;
  /** For those who look for a fault. Only with `--debug`. */
  debug(message: string): void;
}

export interface LogOptions {
  readonly quiet: boolean;
  readonly debug: boolean;
  readonly stream?: TextSink;
}

export function createLog(options: LogOptions): Log {
  const stream = options.stream ?? process.stderr;
  const terminal = terminalOptions(stream);
  const say = (label: string, style: Style, message: string): void => {
    const lead = label === "" ? "" : `${paint(label, style, terminal)} `;
    stream.write(`${lead}${visible(message)}\n`);
  };
  return {
    info: (message) => {
      if (!options.quiet) say("", "dim", message);
    },
    warn: (message) => say("warning:", "yellow", message),
    debug: (message) => {
      if (options.debug) say("debug:", "dim", message);
    },
  };
}
