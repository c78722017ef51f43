import { NESTED, NESTED_HINTS } from "./nested-schema.ts";
import type { ResultTables } from "./result-set.ts";
import {
  type Cell,
  cellOf,
  FLUSHES,
  INSTRUCTION_COUNTS,
  MISS_CURVE,
  REFILLS,
  type TableSchema,
} from "./schema.ts";
import {
  HEAT,
  OPERATION_SIZES,
  PAIRED,
  STALL_EVENTS,
  STALLS,
  TIMELINE,
  TIMELINE_PHASES,
} from "./schema-timeline.ts";
import type { Summary } from "./summary.ts";

/** A row by the names of its columns, whatever table it is of. */
export type CellRow = Readonly<Record<string, Cell>>;

/** A result table: its columns and its rows. */
export interface ResultTable {
  readonly schema: TableSchema<CellRow>;
  readonly rows: readonly CellRow[];
}

/**
 * The result tables of one trace, in the order of the files: what `analyze --out` writes and what a
 * batch gathers. A new table is a line here.
 */
export function resultTables(summary: Summary, tables: ResultTables = {}): readonly ResultTable[] {
  return [
    resultTable(FLUSHES, summary.flushes),
    resultTable(INSTRUCTION_COUNTS, summary.instructions),
    ...(summary.refills === undefined ? [] : [resultTable(REFILLS, summary.refills.rows)]),
    ...tableIfAny(NESTED, summary.nested?.rows),
    ...tableIfAny(NESTED_HINTS, summary.nested?.hints),
    ...tableIfAny(MISS_CURVE, tables.miss_curve),
    ...tableIfAny(TIMELINE, tables.timeline),
    ...tableIfAny(PAIRED, tables.paired),
    ...tableIfAny(OPERATION_SIZES, tables.operation_sizes),
    ...tableIfAny(STALLS, tables.stalls),
    ...tableIfAny(STALL_EVENTS, tables.stall_events),
    ...tableIfAny(HEAT, tables.heat),
    ...tableIfAny(TIMELINE_PHASES, tables.timeline_phases),
  ];
}

function tableIfAny<Row>(
  schema: TableSchema<Row>,
  rows: readonly Row[] | undefined,
): readonly ResultTable[] {
  return rows === undefined ? [] : [resultTable(schema, rows)];
}

/** Files that a result folder may hold beside its summary: a set without one of them removes an older one. */
export const RESULT_FILE_NAMES: readonly string[] = [
  ...[
    FLUSHES,
    INSTRUCTION_COUNTS,
    REFILLS,
    NESTED,
    NESTED_HINTS,
    MISS_CURVE,
    TIMELINE,
    PAIRED,
    OPERATION_SIZES,
    STALLS,
    STALL_EVENTS,
    HEAT,
    TIMELINE_PHASES,
  ].flatMap(({ name }) => [`${name}.csv`, `${name}.arrow`]),
  "report.html",
];

/** Rows without the type of their table; every cell is checked against its column. */
export function resultTable<Row>(schema: TableSchema<Row>, rows: readonly Row[]): ResultTable {
  const cells = rows.map((row) =>
    Object.fromEntries(schema.columns.map((column) => [column.name, cellOf(row, column)])),
  );
  const { name, order } = schema;
  const columns = schema.columns.map(({ name: column, type, nullable, unit, meaning }) => ({
    name: column,
    type,
    nullable,
    unit,
    meaning,
  }));
  return { schema: { name, order, columns }, rows: cells };
}
