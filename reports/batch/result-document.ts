import * as v from "valibot";
import type { Cell } from "../schema.ts";
import type { CellRow, ResultTable } from "../result-tables.ts";
import type { Summary } from "../summary.ts";

/**
 * What a batch keeps of one trace: one JSON document, so that it is there as a whole or not at all. It
 * depends on the trace and the parameters only; where the trace stood, who computed it and when is not in it.
 */

export const RESULT_FORMAT = "tlbi-replay/batch-result";
export const RESULT_VERSION = 1;

/** A table with its columns: a merge needs no other knowledge of it. */
export interface StoredTable {
  readonly name: string;
  readonly order: string;
  readonly columns: readonly {
    readonly name: string;
    readonly type: "utf8" | "int64" | "float64";
    readonly nullable: boolean;
    readonly unit: string;
    readonly meaning: string;
  }[];
  /** Cells in the order of the columns; an int64 that no JSON number holds is decimal text. */
  readonly rows: readonly (readonly (string | number | null)[])[];
}

export interface ResultDocument {
  readonly format: typeof RESULT_FORMAT;
  readonly version: typeof RESULT_VERSION;
  readonly key: string;
  /** Warnings of the run, as sentences. */
  readonly warnings: readonly string[];
  readonly tables: readonly StoredTable[];
  /** summary.json of `analyze`; the input's path is its digest. */
  readonly summary: Summary;
}

export function storedTable({ schema, rows }: ResultTable): StoredTable {
  const { name, order, columns } = schema;
  return {
    name,
    order,
    columns: columns.map((column) => ({
      name: column.name,
      type: column.type,
      nullable: column.nullable,
      unit: column.unit,
      meaning: column.meaning,
    })),
    rows: rows.map((row) => columns.map((column) => jsonCell(row[column.name] ?? null))),
  };
}

function jsonCell(cell: Cell): string | number | null {
  return typeof cell === "bigint" ? String(cell) : cell;
}

/** The rows of a stored table by column name. */
export function rowsOf(table: StoredTable): readonly CellRow[] {
  return table.rows.map((cells) =>
    Object.fromEntries(
      table.columns.map(({ name, type }, i) => {
        const cell = cells[i] ?? null;
        return [name, type === "int64" && typeof cell === "string" ? BigInt(cell) : cell];
      }),
    ),
  );
}

export function resultJson(document: ResultDocument): string {
  return `${JSON.stringify(document)}\n`;
}

const name = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_]{0,62}$/));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const diagnostics = v.array(
  v.looseObject({ code: v.string(), severity: v.string(), sentence: v.string(), count }),
);

/** What a merge relies on; a store may hold anything. */
const documentSchema = v.looseObject({
  format: v.literal(RESULT_FORMAT),
  version: v.literal(RESULT_VERSION),
  key: v.string(),
  warnings: v.array(v.string()),
  tables: v.array(
    v.looseObject({
      name,
      order: v.string(),
      columns: v.array(
        v.looseObject({
          name,
          type: v.picklist(["utf8", "int64", "float64"]),
          nullable: v.boolean(),
          unit: v.string(),
          meaning: v.string(),
        }),
      ),
      rows: v.array(v.array(v.union([v.string(), v.number(), v.null()]))),
    }),
  ),
  summary: v.looseObject({
    schema_version: v.number(),
    configuration: v.array(v.looseObject({ name: v.string(), origin: v.string() })),
    inputs: v.pipe(
      v.array(
        v.looseObject({
          format: v.string(),
          lines: count,
          events: count,
          first_ts_ns: v.nullable(v.pipe(v.string(), v.regex(/^-?\d{1,30}$/))),
          last_ts_ns: v.nullable(v.pipe(v.string(), v.regex(/^-?\d{1,30}$/))),
          losses: diagnostics,
          notices: diagnostics,
        }),
      ),
      v.minLength(1),
    ),
  }),
});

/** The document, or why the text is none of this key. */
export function parseResult(
  json: string,
  key: string,
): { readonly document: ResultDocument } | { readonly problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { problem: "the stored result is not JSON" };
  }
  const parsed = v.safeParse(documentSchema, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return { problem: `the stored result is damaged (${v.getDotPath(issue) ?? issue.message})` };
  }
  if (parsed.output.key !== key) return { problem: "the stored result is that of another key" };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parts that are used are checked above
  return { document: parsed.output as unknown as ResultDocument };
}
