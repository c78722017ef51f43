import { dataTable } from "../data-table.ts";
import { html, type Html } from "../markup.ts";
import type { ResultSet } from "../../result-set.ts";
import { NESTED } from "../../nested-schema.ts";
import { resultTable } from "../../result-tables.ts";
import type { Section } from "../section.ts";
import { numberText } from "../units.ts";

/** Shadow tables of guest hypervisors: what each policy drops and what it costs. */
export const nestedSection: Section = {
  id: "nested",
  title: "Nested guests",
  link: "Nested",
  missing: ({ summary }) =>
    summary.nested === undefined ? "The trace shows no guest hypervisor." : undefined,
  render,
};

function render({ summary }: ResultSet): Html {
  const { columns, order } = NESTED;
  const { rows } = resultTable(NESTED, summary.nested?.rows ?? []);
  const table = dataTable(
    "Shadow tables, by policy and cause",
    columns.map(({ name, type }) =>
      type === "utf8" ? { header: name } : { header: name, align: "right" as const },
    ),
    rows.map((row) =>
      columns.map(({ name }) => {
        const cell = row[name];
        if (cell === null || cell === undefined) return "—";
        return typeof cell === "number" ? numberText(cell) : String(cell);
      }),
    ),
  );
  return html`<p>Rows: ${order}. Columns as in the table <code>nested</code>.</p>${table}`;
}
