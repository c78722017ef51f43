import type { CellRow } from "../result-tables.ts";
import type { Column, TableSchema } from "../schema.ts";
import { type ResultDocument, rowsOf } from "./result-document.ts";
import { kernelOf } from "./rollup-builder.ts";
import type { TraceEntry, TraceProblem } from "./trace-entry.ts";
import { UNKNOWN } from "./trace-entry.ts";

/**
 * Tables of a fleet: each result table with the columns of its trace in front, and `traces`, a row a trace.
 */

type AnyColumn = Column<CellRow>;

function text(name: string, meaning: string, nullable = true): AnyColumn {
  return { name, type: "utf8", nullable, unit: "", meaning };
}

function whole(name: string, unit: string, meaning: string, nullable = true): AnyColumn {
  return { name, type: "int64", nullable, unit, meaning };
}

const TRACE_COLUMNS: readonly AnyColumn[] = [
  text("trace_key", "Address of the trace's result.", false),
  text("trace", "The trace, as the manifest names it.", false),
  text("host_model", "Host model that the manifest names."),
  text("vm_type", "VM type that the manifest names."),
  text("kernel", "Kernel that the manifest names, else the one that the trace tells."),
];

/** `label_…`, so that a free column is never taken for one of ours. */
function labelColumns(labelNames: readonly string[]): readonly AnyColumn[] {
  return labelNames.map((name) => text(`label_${name}`, "Free column of the manifest.", false));
}

/** The schema of a result table in a dataset. */
export function mergedSchema(
  table: ResultDocument["tables"][number],
  labelNames: readonly string[],
): TableSchema<CellRow> {
  return {
    name: table.name,
    order: `traces by name; within a trace: ${table.order}`,
    columns: [...TRACE_COLUMNS, ...labelColumns(labelNames), ...table.columns],
  };
}

/** The cells that every row of a trace begins with. */
export function traceCells(entry: TraceEntry, document: ResultDocument | undefined): CellRow {
  const kernel = document === undefined ? entry.kernel : kernelOf(entry, document);
  const labels = Object.entries(entry.labels).map(([name, value]) => [`label_${name}`, value]);
  return {
    trace_key: entry.key,
    trace: entry.trace,
    host_model: entry.host_model,
    vm_type: entry.vm_type,
    kernel: kernel === UNKNOWN ? null : kernel,
    ...Object.fromEntries(labels),
  };
}

export function mergedRows(
  table: ResultDocument["tables"][number],
  cells: CellRow,
): readonly CellRow[] {
  return rowsOf(table).map((row) => ({ ...cells, ...row }));
}

export function tracesSchema(labelNames: readonly string[]): TableSchema<CellRow> {
  return {
    name: "traces",
    order: "by trace, by code unit",
    columns: [
      ...TRACE_COLUMNS,
      ...labelColumns(labelNames),
      text("status", "`done`, `failed`, or `missing`: nobody has worked on it yet.", false),
      whole("bytes", "byte", "Size of the trace as stored.", false),
      text("sha256", "Digest of the trace as stored, hexadecimal.", false),
      text("format", "Format of the trace."),
      whole("lines", "line", "Lines of a text trace, records of another."),
      whole("events", "event", "Events that were read."),
      {
        name: "span_s",
        type: "float64",
        nullable: true,
        unit: "s",
        meaning: "From the first event to the last.",
      },
      whole("lost", "occurrence", "Losses and errors, all codes together."),
      text("loss_codes", "Their codes, with spaces between."),
      whole("is_bounds", "", "1 where the trace lost data or was only inferred from, else 0."),
      whole("warnings", "warning", "Warnings of the run."),
      text("failure_code", "Why there is no result."),
      text("failure_message", "The same in words."),
    ],
  };
}

export function tracesRow(entry: TraceEntry, outcome: ResultDocument | TraceProblem): CellRow {
  const document = "summary" in outcome ? outcome : undefined;
  const problem = "summary" in outcome ? undefined : outcome;
  return {
    ...traceCells(entry, document),
    status: statusOf(problem),
    bytes: entry.bytes,
    sha256: entry.sha256,
    ...(document === undefined ? NOTHING_READ : whatWasRead(document)),
    failure_code: problem?.code ?? null,
    failure_message: problem?.message ?? null,
  };
}

function statusOf(problem: TraceProblem | undefined): string {
  if (problem === undefined) return "done";
  return problem.code === "MISSING" ? "missing" : "failed";
}

const NOTHING_READ: CellRow = {
  format: null,
  lines: null,
  events: null,
  span_s: null,
  lost: null,
  loss_codes: null,
  is_bounds: null,
  warnings: null,
};

function whatWasRead({ summary, warnings }: ResultDocument): CellRow {
  const [input] = summary.inputs;
  const losses = input?.losses ?? [];
  const first = input?.first_ts_ns ?? null;
  const last = input?.last_ts_ns ?? null;
  const isBounds = losses.length > 0 || summary.inference !== undefined;
  return {
    format: input?.format ?? null,
    lines: input?.lines ?? null,
    events: input?.events ?? null,
    span_s: first === null || last === null ? null : Number(BigInt(last) - BigInt(first)) / 1e9,
    lost: losses.reduce((sum, { count }) => sum + count, 0),
    loss_codes: losses.map(({ code }) => code).join(" "),
    is_bounds: isBounds ? 1 : 0,
    warnings: warnings.length,
  };
}
