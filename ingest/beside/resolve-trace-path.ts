import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { TraceError } from "../errors.ts";

/** Names of the trace in a capture's directory. */
const TRACE_NAMES: readonly string[] = ["trace.txt", "trace.txt.gz", "trace.csv", "trace.csv.gz"];
/** What trace-cmd wrote, under any name; taken where no trace of the names above is there. */
const DAT_NAME = /\.dat(?:\.gz)?$/;

/**
 * The trace that a path stands for: a directory stands for the one trace in it, anything else for
 * itself. Text wins over trace.dat files, which are often copies of the same buffer.
 * @throws TraceError UNREADABLE for a directory with no trace or with several.
 */
export async function resolveTracePath(path: string): Promise<string> {
  if (path === "-" || !(await isDirectory(path))) return path;
  const names = await readdir(path).catch((): string[] => []);
  const named = TRACE_NAMES.filter((name) => names.includes(name));
  const traces = named.length > 0 ? named : names.filter((name) => DAT_NAME.test(name)).sort();
  if (traces.length === 1) return join(path, traces[0]!);
  const found = traces.length === 0 ? "none" : traces.join(" and ");
  throw new TraceError(
    "UNREADABLE",
    `this directory should hold exactly one trace, and holds ${found}`,
    path,
    `name the file itself; in a directory one of these is looked for: ${TRACE_NAMES.join(", ")}, or one file whose name ends in .dat`,
  );
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
