import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { TraceError } from "../errors.ts";
import { textOf } from "../formats/bytes.ts";
import { HEAD_BYTES, openBytes } from "../source/open-bytes.ts";

/** What may have packed a file. */
const PACKED = ["", ".gz", ".zst", ".xz", ".lz4"];
const allOf = (bases: readonly string[]): readonly string[] =>
  bases.flatMap((base) => PACKED.map((suffix) => base + suffix));

/** Names of the trace in a capture's directory. */
const TRACE_BASES = ["trace.txt", "trace.csv"];
const TRACE_NAMES = allOf(TRACE_BASES);
/** What `convert` wrote of it: the same events, read where the trace itself is not there any more. */
const CONVERTED_NAMES: readonly string[] = ["trace.arrow"];
/** What another program printed: it stands for the capture where there is no trace of the kernel's own. */
const PRINTED_BASES = ["trace-cmd.report.txt", "perf.script.txt"];
const PRINTED_NAMES = allOf(PRINTED_BASES);
/** What trace-cmd wrote, under any name; it comes before what was printed of it. */
const DAT_NAME = /\.dat(?:\.(?:gz|zst|xz|lz4))?$/;

/**
 * The trace that a path stands for: a directory stands for the one trace in it, anything else for
 * itself. Text wins over trace.dat files, which are often copies of the same buffer.
 * @throws TraceError UNREADABLE for a directory with no trace or with several.
 */
export async function resolveTracePath(path: string): Promise<string> {
  if (path === "-" || !(await isDirectory(path))) return path;
  const names = await readdir(path).catch((): string[] => []);
  const recorded = names.filter((name) => DAT_NAME.test(name)).sort();
  const present = TRACE_NAMES.filter((name) => names.includes(name));
  const own = recorded.length > 0 ? await withEvents(path, present) : present;
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
    `name the file itself; in a directory one of these is looked for: ${TRACE_BASES.join(", ")}, one file whose name ends in .dat, or ${[...PRINTED_BASES, ...CONVERTED_NAMES].join(", ")}; each may be packed (.gz, .zst, .xz, .lz4)`,
  );
}

/** Without texts of nothing but a header: trace-cmd leaves the buffer empty when it takes the events. */
async function withEvents(directory: string, names: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names) if (!(await isEmptyText(join(directory, name)))) found.push(name);
  return found;
}

/** A file that cannot be read is for its reader to report. */
async function isEmptyText(path: string): Promise<boolean> {
  let head: Uint8Array;
  try {
    const source = await openBytes(path);
    ({ head } = source);
    await source.close();
  } catch (error) {
    return error instanceof TraceError && error.code === "EMPTY";
  }
  const lines = textOf(head, 0, head.length).split("\n");
  return head.length < HEAD_BYTES && lines.every((line) => line === "" || line.startsWith("#"));
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
