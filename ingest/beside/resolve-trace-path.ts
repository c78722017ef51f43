import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { TraceError } from "../errors.ts";

/** Names of the trace in a capture's directory. */
const TRACE_NAMES: readonly string[] = ["trace.txt", "trace.txt.gz", "trace.csv", "trace.csv.gz"];
/** What `convert` wrote of it: the same events, read where the trace itself is not there any more. */
const CONVERTED_NAMES: readonly string[] = ["trace.arrow"];
/** What another program printed: it stands for the capture where there is no trace of the kernel's own. */
const PRINTED_NAMES: readonly string[] = [
  "trace-cmd.report.txt",
  "trace-cmd.report.txt.gz",
  "perf.script.txt",
  "perf.script.txt.gz",
];
/** What trace-cmd wrote, under any name; it comes before what was printed of it. */
const DAT_NAME = /\.dat(?:\.gz)?$/;

/**
 * The trace that a path stands for: a directory stands for the one trace in it, anything else for
 * itself. Text wins over trace.dat files, which are often copies of the same buffer.
 * @throws TraceError UNREADABLE for a directory with no trace or with several.
 */
export async function resolveTracePath(path: string): Promise<string> {
  if (path === "-" || !(await isDirectory(path))) return path;
  const names = await readdir(path).catch((): string[] => []);
  const own = TRACE_NAMES.filter((name) => names.includes(name));
  const recorded = names.filter((name) => DAT_NAME.test(name)).sort();
  const printed = PRINTED_NAMES.filter((name) => names.includes(name));
  const converted = CONVERTED_NAMES.filter((name) => names.includes(name));
  const inOrder = [own, recorded, printed, converted];
  const traces = inOrder.find((found) => found.length > 0) ?? [];
  if (traces.length === 1) return join(path, traces[0]!);
  const found = traces.length === 0 ? "none" : traces.join(" and ");
  throw new TraceError(
    "UNREADABLE",
    `this directory should hold exactly one trace, and holds ${found}`,
    path,
    `name the file itself; in a directory one of these is looked for: ${TRACE_NAMES.join(", ")}, one file whose name ends in .dat, or ${[...PRINTED_NAMES, ...CONVERTED_NAMES].join(", ")}`,
  );
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
