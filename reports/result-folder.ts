import fs from "node:fs";
import path from "node:path";
import * as v from "valibot";
import { TraceError } from "../ingest/errors.ts";
import { SET_MARKER } from "./output-set.ts";
import type { ResultSet, ResultTables } from "./result-set.ts";
import { MISS_CURVE, type TableSchema } from "./schema.ts";
import {
  HEAT,
  OPERATION_SIZES,
  PAIRED,
  STALL_EVENTS,
  STALLS,
  TIMELINE,
  TIMELINE_PHASES,
} from "./schema-timeline.ts";
import { SUMMARY_SCHEMA } from "./summary-schema.ts";
import type { Summary } from "./summary.ts";

/** Largest file of a result folder that is read: far above what the collectors can write. */
const MOST_BYTES = 512 * 1024 * 1024;

/**
 * The results in a folder that `analyze --out` has written.
 * @throws TraceError UNREADABLE, WRONG_FORMAT where the folder holds no finished results, or others than these.
 */
export async function readResultFolder(folder: string): Promise<ResultSet> {
  const summary = readSummary(folder);
  const tables: ResultTables = {
    timeline: await readTable(folder, TIMELINE),
    paired: await readTable(folder, PAIRED),
    operation_sizes: await readTable(folder, OPERATION_SIZES),
    stalls: await readTable(folder, STALLS),
    stall_events: await readTable(folder, STALL_EVENTS),
    heat: await readTable(folder, HEAT),
    timeline_phases: await readTable(folder, TIMELINE_PHASES),
    miss_curve: await readTable(folder, MISS_CURVE),
  };
  return { summary, tables };
}

/**
 * What stands in summary.json, whatever command has written it.
 * @throws TraceError UNREADABLE where there is none, WRONG_FORMAT.
 */
export function readMarker(folder: string): unknown {
  const file = path.join(folder, SET_MARKER);
  const text = readFile(file)?.toString("utf8");
  if (text === undefined) {
    throw new TraceError(
      "UNREADABLE",
      `it has no ${SET_MARKER}: no finished results`,
      folder,
      "write them with `analyze TRACE --out DIR`",
    );
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new TraceError("WRONG_FORMAT", "is not JSON", file);
  }
}

function readSummary(folder: string): Summary {
  const file = path.join(folder, SET_MARKER);
  const parsed = readMarker(folder);
  const checked = v.safeParse(SUMMARY_SCHEMA, parsed);
  if (!checked.success) {
    const issue = checked.issues[0];
    const where = v.getDotPath(issue) ?? "";
    throw new TraceError("WRONG_FORMAT", `${where}: ${issue.message}`, file);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema has checked it
  return checked.output as Summary;
}

/** Undefined where the folder has no such table. */
async function readTable<Row>(
  folder: string,
  schema: TableSchema<Row>,
): Promise<readonly Row[] | undefined> {
  const file = path.join(folder, `${schema.name}.arrow`);
  const bytes = readFile(file);
  if (bytes === undefined) return undefined;
  const { tableFromIPC } = await import("apache-arrow");
  try {
    const table = tableFromIPC(bytes);
    const columns = schema.columns.map(({ name }) => {
      const column = table.getChild(name);
      if (column === null) throw new Error(`it lacks the column ${name}`);
      return [name, column] as const;
    });
    const rows: Record<string, unknown>[] = [];
    for (let row = 0; row < table.numRows; row += 1) {
      rows.push(
        Object.fromEntries(columns.map(([name, column]) => [name, plain(column.get(row))])),
      );
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its columns are those of the schema
    return rows as readonly Row[];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TraceError("WRONG_FORMAT", `is not a ${schema.name} table: ${why}`, file);
  }
}

/** Int64 as numbers: what these tables hold is far below 2^53. */
function plain(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}

/** Undefined where it does not exist. */
function readFile(file: string): Buffer | undefined {
  try {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (!stat.isFile() || stat.size > MOST_BYTES) {
      throw new TraceError("WRONG_FORMAT", "is not a file of results", file);
    }
    return fs.readFileSync(file);
  } catch (error) {
    if (error instanceof TraceError) throw error;
    throw new TraceError("UNREADABLE", "cannot be read", file);
  }
}
