import { visible } from "../terminal.ts";

/**
 * HTML text that is safe to put into a page. Only `html` and `trusted` make it, so that whatever comes from a
 * trace (names of commands, events and files are chosen by others) is escaped on its way in.
 */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

export type HtmlPart = Html | string | number | readonly HtmlPart[] | undefined;

/** A template whose values are escaped; an Html value, or a list of them, is put in as it is. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlPart[]): Html {
  let markup = strings[0]!;
  for (const [i, value] of values.entries()) markup += partMarkup(value) + strings[i + 1]!;
  return new Html(markup);
}

/** Markup that this program or a library made from numbers and escaped text; never from a trace. */
export function trusted(markup: string): Html {
  return new Html(markup);
}

/** Escaped for elements and quoted attributes; control characters are made visible. */
export function escapeHtml(text: string): string {
  return visible(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/**
 * Data for the page's scripts: a JSON block that cannot end its element, whatever strings it holds.
 * @param id of plain letters.
 */
export function jsonBlock(id: string, data: unknown): Html {
  const json = JSON.stringify(data)
    .replaceAll("<", String.raw`\u003c`)
    .replaceAll("\u2028", String.raw`\u2028`)
    .replaceAll("\u2029", String.raw`\u2029`);
  return new Html(`<script type="application/json" id="${escapeHtml(id)}">${json}</script>`);
}

function partMarkup(value: HtmlPart): string {
  if (value === undefined) return "";
  if (value instanceof Html) return value.markup;
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  return value.map(partMarkup).join("");
}
