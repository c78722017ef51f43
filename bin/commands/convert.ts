/** `convert TRACE…`: the events of traces as Arrow or CSV files. */
import { mkdirSync, statSync } from "node:fs";
import path from "node:path";
import type { ArgumentsCamelCase, Argv } from "yargs";
import { resolveTracePath } from "../../ingest/beside/resolve-trace-path.ts";
import { TraceError } from "../../ingest/errors.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import type { ByteSink } from "../../reports/event-table/writer.ts";
import { WholeFile } from "../../reports/whole-file.ts";
import type { Command } from "../command.ts";
import { compareEvents } from "../compare/compare-events.ts";
import { describeComparison } from "../compare/describe.ts";
import { type Converted, convertTrace, EVENT_FILE_FORMATS } from "../convert-trace.ts";
import type { EventFileFormat } from "../convert-trace.ts";
import { ExitCode, raiseExitCode } from "../exit-codes.ts";
import { onInterrupt } from "../lifecycle.ts";
import { createLog, type Log } from "../log.ts";
import { printResult } from "../stdout.ts";
import { type EventOptions, openOptionsOf, withEventOptions } from "../trace-options.ts";
import { badOption, choice, single } from "../values.ts";
import type { RawValue } from "../values.ts";

type ConvertArguments = EventOptions & {
  readonly traces: readonly string[];
  readonly out: string | undefined;
  readonly format: EventFileFormat | undefined;
  readonly compare: boolean | undefined;
};

export const convertCommand: Command = {
  command: "convert <traces..>",
  describe: "Write the events of traces as Arrow or CSV files",
  builder: declare,
  handler: convert,
};

function declare(yargs: Argv<object>): Argv<ConvertArguments> {
  return withEventOptions(yargs)
    .option("out", {
      type: "string",
      requiresArg: true,
      group: "Output:",
      describe: "File; or folder, which gets a file for each trace; or - (default: -, stdout)",
      coerce: (raw: RawValue) => single("out", raw),
    })
    .option("format", {
      type: "string",
      requiresArg: true,
      group: "Output:",
      describe: `${EVENT_FILE_FORMATS.join(" or ")} (default: by the name of the file, else arrow)`,
      coerce: (raw: RawValue) => choice("format", raw, EVENT_FILE_FORMATS),
    })
    .option("compare", {
      type: "boolean",
      describe: "Write nothing; hold the events of each trace against those of the first",
    })
    .epilogue(
      "What is saved beside a trace about its host is not copied: keep capture.json, dmesg and the like " +
        "beside the new file, or name the machine by options.",
    );
}

async function convert(args: ArgumentsCamelCase<ConvertArguments>): Promise<void> {
  const log = createLog({ quiet: args.quiet, debug: args.debug });
  if (args.compare === true) {
    await compare(args);
    return;
  }
  const format = args.format ?? formatByName(args.out) ?? "arrow";
  const targets = targetsOf(args, format);
  for (const [i, trace] of args.traces.entries()) {
    const file = await resolveTracePath(trace);
    const target = targets[i]!;
    const done = await writeTo(target, (sink) =>
      convertTrace(file, format, sink, openOptionsOf(args)),
    );
    tell(log, file, target, done);
    if (done.reader.diagnostics.hasDataLoss) raiseExitCode(ExitCode.DATA_LOSS);
  }
}

/** Says on stdout how each trace compares with the first; the exit code says whether all are equal. */
async function compare(args: ConvertArguments): Promise<void> {
  const [first, ...others] = args.traces;
  if (first === undefined || others.length === 0) {
    throw badOption("compare", "needs at least two traces");
  }
  if (args.out !== undefined || args.format !== undefined) {
    throw badOption("compare", "writes no file: leave --out and --format away");
  }
  for (const other of others) {
    const readers = await Promise.all(
      [first, other].map(async (trace) =>
        openTrace(await resolveTracePath(trace), openOptionsOf(args)),
      ),
    );
    const [a, b] = readers;
    const comparison = await compareEvents(a!, b!);
    await printResult(describeComparison([first, other], comparison));
    if (comparison.difference !== undefined) raiseExitCode(ExitCode.GATE_NOT_MET);
    else if (readers.some(({ diagnostics }) => diagnostics.hasDataLoss)) {
      raiseExitCode(ExitCode.DATA_LOSS);
    }
  }
}

function tell(
  log: Log,
  file: string,
  target: string,
  { info, reader, rows, notes }: Converted,
): void {
  for (const note of notes) log.warn(note);
  for (const { code, detail, line, byteOffset } of firstLosses(reader)) {
    log.warn(`${code} at line ${line}, byte ${byteOffset}: ${detail}`);
  }
  const where = target === "-" ? "" : ` in ${target}`;
  log.info(`${file}: ${info.format} (${info.layout}), ${info.events} events, ${rows} rows${where}`);
}

/** The first example of each loss. */
function firstLosses({ diagnostics }: Converted["reader"]) {
  const seen = new Set<string>();
  return diagnostics.examples.filter(({ code }) => {
    if (seen.has(code) || !diagnostics.isLoss(code)) return false;
    seen.add(code);
    return true;
  });
}

function formatByName(out: string | undefined): EventFileFormat | undefined {
  return EVENT_FILE_FORMATS.find((format) => out?.endsWith(`.${format}`) === true);
}

/** Where each trace goes: a file, or `-`. */
function targetsOf(args: ConvertArguments, format: EventFileFormat): readonly string[] {
  const { traces, out = "-" } = args;
  if (traces.length === 1 && (out === "-" || !isFolder(out))) return [out];
  if (out === "-") {
    throw badOption("out", "is needed for several traces", "name a folder, which gets a file each");
  }
  const names = traces.map((trace) => `${nameOf(trace)}.${format}`);
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) throw badOption("out", `would get two files called '${repeated}'`);
  try {
    mkdirSync(out, { recursive: true });
  } catch {
    throw new TraceError("UNWRITABLE", "this folder cannot be made", out);
  }
  return names.map((name) => path.join(out, name));
}

function isFolder(out: string): boolean {
  return /[/\\]$/.test(out) || statSync(out, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** `capture/trace.txt.gz` is named after its folder, any other file after itself. */
function nameOf(trace: string): string {
  if (trace === "-") return "stdin";
  const resolved = path.resolve(trace);
  const base = path.basename(resolved).replace(/\.(gz|txt|csv|dat|arrow)(?=\.|$)/g, "");
  return base === "trace" ? path.basename(path.dirname(resolved)) : base;
}

async function writeTo(
  target: string,
  write: (sink: ByteSink) => Promise<Converted>,
): Promise<Converted> {
  if (target === "-") {
    return await write({
      write: async (chunks) => {
        // A pipe takes what it is given later: it gets a copy.
        if (chunks.length > 0) await printResult(Buffer.concat(chunks));
      },
    });
  }
  const file = new WholeFile(target);
  const forget = onInterrupt(() => file.discard());
  try {
    const done = await write(file);
    file.commit();
    return done;
  } catch (error) {
    file.discard();
    throw error;
  } finally {
    forget();
  }
}
