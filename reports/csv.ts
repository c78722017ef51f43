import { stringify } from "csv-stringify/sync";
import { type Cell, type Column, type TableSchema, cellOf } from "./schema.ts";

/**
 * RFC 4180 text of a result table: a header with the column names, LF line ends, integers in full and
 * without exponent, other numbers as the shortest text that reads back the same.
 *
 * A null is an empty cell, an empty string a quoted one (`""`). A text that a spreadsheet would take
 * for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a carriage return) gets a leading `'`,
 * as OWASP advises; numeric columns are exempt, so negative numbers stay numbers.
 */
export function toCsv<Row>(
  schema: TableSchema<Row>,
  rows: Iterable<Row>,
  options: { readonly header: boolean } = { header: true },
): string {
  const records: Cell[][] = [];
  for (const row of rows) {
    records.push(schema.columns.map((column) => csvCell(row, column)));
  }
  // `record_delimiter` stays at its default, LF: giving it would switch off the quoting of CR.
  return stringify(records, {
    header: options.header,
    columns: schema.columns.map((column) => column.name),
    quoted_match: [/^$/],
    escape_formulas: true,
  });
}

function csvCell<Row>(row: Row, column: Column<Row>): Cell {
  const cell = cellOf(row, column);
  // As a bigint, because a number from 1e21 on prints with an exponent.
  return column.type === "int64" && cell !== null ? BigInt(cell) : cell;
}
