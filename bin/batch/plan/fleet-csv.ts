import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { parse } from "csv-parse";
import { TraceError } from "../../../ingest/errors.ts";
import type { Parameters } from "../analysis.ts";

/** A trace and what somebody says of it. */
export interface FleetRow {
  /** As written: a file, or the folder of a capture. */
  readonly trace: string;
  readonly host_model: string | null;
  readonly vm_type: string | null;
  readonly kernel: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Parameters;
}

/** Columns that are options of the trace, by their names in a CSV. */
const OPTION_COLUMNS: ReadonlyMap<string, string> = new Map([
  ["kernel", "kernel"],
  ["cpu", "cpu"],
  ["page_size", "page-size"],
  ["ipa_bits", "ipa-bits"],
]);
const LABEL_NAME = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;
const MAX_LABELS = 64;
const MAX_RECORD_BYTES = 64 * 1024;
/** A million rows of a kilobyte. */
const MAX_CSV_BYTES = 1024 ** 3;

export interface Fleet {
  readonly labelNames: readonly string[];
  readonly rows: readonly FleetRow[];
}

/**
 * Reads a CSV with a header: `trace` (or `path`), `host_model`, `vm_type`, `kernel`, `cpu`, `page_size`,
 * `ipa_bits` and free columns. `kernel` and the three behind it also say how the trace is read, as the
 * options of these names do. An empty cell says nothing.
 * @throws TraceError UNREADABLE, BAD_MANIFEST with the line.
 */
export async function readFleetCsv(file: string): Promise<Fleet> {
  const stats = await stat(file).catch(() => undefined);
  if (stats?.isFile() !== true) {
    throw new TraceError("UNREADABLE", "this CSV of a fleet cannot be read", file);
  }
  if (stats.size > MAX_CSV_BYTES) throw bad(file, 1, "the file is larger than 1 GiB");
  const parser = parse({
    bom: true,
    info: true,
    skip_empty_lines: true,
    trim: true,
    max_record_size: MAX_RECORD_BYTES,
  });
  // Not pipe(): an error of the file would end the process.
  const stream = createReadStream(file).on("error", (error) => parser.destroy(error));
  stream.pipe(parser);
  let columns: Columns | undefined;
  const rows: FleetRow[] = [];
  try {
    for await (const entry of parser) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `info: true` makes of a record
      const { record, info } = entry as { record: string[]; info: { lines: number } };
      if (columns === undefined) columns = columnsOf(record, file);
      else rows.push(rowOf(record, columns, file, info.lines));
    }
  } catch (error) {
    if (error instanceof TraceError) throw error;
    const { lines, code } = parser.info as { lines: number; code?: string };
    const why = error instanceof Error ? error.message : String(code);
    throw bad(file, lines, why.slice(0, 200));
  }
  if (columns === undefined) throw bad(file, 1, "it has no header");
  return { labelNames: columns.labels, rows };
}

interface Columns {
  readonly names: readonly string[];
  readonly labels: readonly string[];
}

function columnsOf(header: readonly string[], file: string): Columns {
  const names = header.map((name) => (name === "path" ? "trace" : name));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw bad(file, 1, `the column '${twice}' stands in the header twice`);
  if (!names.includes("trace")) throw bad(file, 1, "the header has no column 'trace'");
  const fixed = new Set(["trace", "host_model", "vm_type", ...OPTION_COLUMNS.keys()]);
  const labels = names.filter((name) => !fixed.has(name));
  const odd = labels.find((name) => !LABEL_NAME.test(name));
  if (odd !== undefined) {
    throw bad(file, 1, `'${odd.slice(0, 80)}' is not a name of a column (letters, digits, _)`);
  }
  if (labels.length > MAX_LABELS) throw bad(file, 1, `more than ${MAX_LABELS} free columns`);
  return { names, labels };
}

function rowOf(record: readonly string[], columns: Columns, file: string, line: number): FleetRow {
  const cells = new Map(columns.names.map((name, i) => [name, record[i] ?? ""]));
  const said = (name: string): string | null => cells.get(name) || null;
  const trace = said("trace");
  if (trace === null) throw bad(file, line, "no trace is named");
  if (record.some((cell) => cell.includes("\0"))) throw bad(file, line, "a cell has a NUL in it");
  const options: Record<string, string> = {};
  for (const [column, option] of OPTION_COLUMNS) {
    const value = said(column);
    if (value !== null) options[option] = value;
  }
  return {
    trace: path.resolve(path.dirname(file), trace),
    host_model: said("host_model"),
    vm_type: said("vm_type"),
    kernel: said("kernel"),
    labels: Object.fromEntries(columns.labels.map((name) => [name, cells.get(name) ?? ""])),
    options,
  };
}

function bad(file: string, line: number, why: string): TraceError {
  return new TraceError("BAD_MANIFEST", why, `${file}:${line}`);
}
