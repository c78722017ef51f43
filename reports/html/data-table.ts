import { Html, html, type HtmlPart } from "./markup.ts";

export interface HtmlColumn {
  /** With the unit. */
  readonly header: string;
  readonly align?: "right";
}

/** A table that a screen reader can follow: a caption, column headers, the first cell heading its row. */
export function dataTable(
  caption: string,
  columns: readonly HtmlColumn[],
  rows: readonly (readonly HtmlPart[])[],
): Html {
  const align = (c: number): Html => html`${columns[c]?.align === "right" ? NUMBER : undefined}`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
<table><caption>${caption}</caption>
<thead><tr>${columns.map(({ header }, c) => html`<th scope="col"${align(c)}>${header}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) =>
      html`<tr>${row.map((cell, c) =>
        c === 0 ? html`<th scope="row"${align(c)}>${cell}</th>` : html`<td${align(c)}>${cell}</td>`,
      )}</tr>\n`,
  )}</tbody></table></div>`;
}

const NUMBER = new Html(' class="n"');

/** The same, folded away behind its name: the numbers behind a chart. */
export function foldedTable(
  caption: string,
  columns: readonly HtmlColumn[],
  rows: readonly (readonly HtmlPart[])[],
): Html {
  return html`<details><summary>${caption}</summary>${dataTable(caption, columns, rows)}</details>`;
}
