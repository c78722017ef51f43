import { styleText } from "node:util";

/** How a report is drawn: nothing here changes a number, only where it stands. */
export interface TerminalOptions {
  /** Columns of the terminal; undefined (a file or a pipe) means that lines may be as long as they need. */
  readonly width?: number | undefined;
  readonly colour?: boolean | undefined;
}

/** What is asked of a stream: process.stdout and process.stderr have it all where they are terminals. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  hasColors?(): boolean;
}

/** What this stream can show. Colour only on a terminal that has it, and never with NO_COLOR. */
export function terminalOptions(stream: TerminalStream): TerminalOptions {
  if (stream.isTTY !== true) return { colour: false };
  return { width: stream.columns, colour: stream.hasColors?.() ?? false };
}

export type Style = "bold" | "dim" | "red" | "yellow" | "green";

export function paint(text: string, style: Style, options: TerminalOptions): string {
  if (options.colour !== true) return text;
  return styleText(style, text, { validateStream: false });
}

export interface TableColumn {
  /** With the unit: `pages (4 KiB)`. */
  readonly header: string;
  /** Names to the left, numbers to the right. */
  readonly align: "left" | "right";
  /** Leading columns that are repeated where a wide table is broken into parts. */
  readonly key?: boolean | undefined;
}

const GAP = "  ";

/**
 * A table as aligned text, every line ended by LF. A table that is wider than the terminal is broken
 * into parts side by side, the key columns repeated in each: a number is never cut.
 */
export function formatTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  options: TerminalOptions = {},
): string {
  const safe = rows.map((row) => row.map(visible));
  const widths = columns.map((column, c) =>
    safe.reduce((w, row) => Math.max(w, textWidth(row[c] ?? "")), textWidth(column.header)),
  );
  const parts = splitColumns(columns, widths, options.width ?? Number.POSITIVE_INFINITY);
  const texts = parts.map((part) => formatPart(part, columns, widths, safe, options));
  return texts.join("\n");
}

/** Indices of the columns of each part. */
function splitColumns(
  columns: readonly TableColumn[],
  widths: readonly number[],
  available: number,
): readonly (readonly number[])[] {
  const widthOf = (part: readonly number[]): number =>
    part.reduce((sum, c) => sum + (widths[c] ?? 0), 0) + GAP.length * (part.length - 1);
  const keys = columns.flatMap((column, c) => (column.key === true ? [c] : []));
  const parts: number[][] = [];
  let part = [...keys];
  for (let c = 0; c < columns.length; c += 1) {
    if (keys.includes(c)) continue;
    if (part.length > keys.length && widthOf([...part, c]) > available) {
      parts.push(part);
      part = [...keys];
    }
    part.push(c);
  }
  parts.push(part);
  return parts;
}

function formatPart(
  part: readonly number[],
  columns: readonly TableColumn[],
  widths: readonly number[],
  rows: readonly (readonly string[])[],
  options: TerminalOptions,
): string {
  const line = (cells: readonly string[]): string =>
    part
      .map((c) => pad(cells[c] ?? "", widths[c] ?? 0, columns[c]?.align ?? "left"))
      .join(GAP)
      .trimEnd();
  const header = paint(line(columns.map((column) => column.header)), "bold", options);
  return [header, ...rows.map(line)].map((text) => `${text}\n`).join("");
}

function pad(text: string, width: number, align: "left" | "right"): string {
  const blank = " ".repeat(Math.max(0, width - textWidth(text)));
  return align === "left" ? text + blank : blank + text;
}

/** Cells of a terminal that a text takes: what we put into tables is neither wide nor combining. */
function textWidth(text: string): number {
  return text.length;
}

/** Makes control characters visible: a trace or a file name must not be able to steer the terminal. */
export function visible(text: string): string {
  return text.replace(
    // eslint-disable-next-line no-control-regex
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** `1234567` as `1,234,567`, the same in every locale. */
export function formatCount(count: number | bigint): string {
  const digits = String(typeof count === "number" ? BigInt(count) : count);
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** An upper bound on what may come on top: `+≤12`, or `0` where nothing is unknown. */
export function formatUnknown(count: number): string {
  return count === 0 ? "0" : `+≤${formatCount(count)}`;
}

/** `1 call`, `2 calls`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}
