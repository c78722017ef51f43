import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { TraceError } from "../../ingest/errors.ts";
import { openTrace } from "../../ingest/open-trace.ts";
import { WholeFile } from "../../reports/whole-file.ts";
import { compareEvents, type Comparison } from "../compare/compare-events.ts";
import { convertTrace } from "../convert-trace.ts";
import type { CheckResult } from "./checks.ts";

/** Files that hold the events of a ring buffer, in whichever format. */
const TRACE_FILE = /^(?:trace|rec\d|perf\.script)[\w.-]*?\.(?:txt|dat)(?:\.gz)?$/;
const NOT_A_TRACE = /^trace_(?:clock|options)/;

/** Ring buffers of a capture: the one that most files are of, and those that were recorded apart. */
function bufferOf(name: string): string {
  return /^rec\d+/.exec(name)?.[0] ?? "trace";
}

/** What holds the most: nanoseconds and all fields. */
function rank(name: string): number {
  return /\.dat(?:\.gz)?$/.test(name) ? 0 : name.startsWith("trace.txt") ? 1 : 2;
}

/** One comparison of the event tables of two files. */
export interface TablePair {
  readonly reference: string;
  readonly other: string;
  readonly comparison: Comparison;
}

export interface EventTables {
  readonly pairs: readonly TablePair[];
  /** Files that are not read, or hold no event. */
  readonly left: readonly string[];
}

/**
 * Converts every trace file of a folder to an Arrow event file and compares the tables of those that are
 * of one ring buffer; in each, the file in the format that holds the most is what others are compared with.
 */
export async function compareFolder(folder: string): Promise<EventTables> {
  const names = readdirSync(folder).filter(
    (name) => TRACE_FILE.test(name) && !NOT_A_TRACE.test(name),
  );
  const work = mkdtempSync(path.join(os.tmpdir(), "tlbi-replay-tables-"));
  const pairs: TablePair[] = [];
  const left: string[] = [];
  try {
    const converted = new Map<string, string>();
    for (const name of names) {
      const table = path.join(work, `${name}.arrow`);
      if (await convertTo(path.join(folder, name), table)) converted.set(name, table);
      else left.push(name);
    }
    for (const buffer of new Set([...converted.keys()].map(bufferOf))) {
      const files = [...converted.keys()].filter((name) => bufferOf(name) === buffer);
      const [reference, ...others] = files.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
      for (const other of others) {
        const [a, b] = [converted.get(reference!)!, converted.get(other)!];
        const comparison = await compareEvents(await openTrace(a), await openTrace(b));
        pairs.push({ reference: reference!, other, comparison });
      }
    }
  } finally {
    rmSync(work, { recursive: true });
  }
  return { pairs, left };
}

/** False for a file whose layout is not read, or that holds no event. */
async function convertTo(trace: string, table: string): Promise<boolean> {
  const file = new WholeFile(table);
  try {
    const { info } = await convertTrace(trace, "arrow", file);
    file.commit();
    return info.events > 0;
  } catch (error) {
    file.discard();
    if (error instanceof TraceError && error.code === "UNSUPPORTED_LAYOUT") return false;
    throw error;
  }
}

/** The event tables of a capture's files are equal, up to what each format cannot carry. */
export async function checkEventTables(folder: string): Promise<readonly CheckResult[]> {
  const { pairs, left } = await compareFolder(folder);
  const name = path.basename(folder);
  if (pairs.length === 0) {
    const skipped = "no two files of one ring buffer";
    return [{ name: `${name}: event tables`, problems: [], skipped, note: "" }];
  }
  return pairs.map(({ reference, other, comparison }) => ({
    name: `${name}: ${other} has the events of ${reference}`,
    problems: problemsOf(comparison),
    note: `${comparison.events} events${left.length > 0 ? `; not read: ${left.join(", ")}` : ""}`,
  }));
}

function problemsOf({ difference }: Comparison): readonly string[] {
  if (difference === undefined) return [];
  const { event, column, values, lines } = difference;
  return [`event ${event}: ${column} is ${values.join(" and ")} (lines ${lines.join(" and ")})`];
}
