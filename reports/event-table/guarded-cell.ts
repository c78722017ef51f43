/** What a spreadsheet takes for the beginning of a formula, behind any number of guards. */
const FORMULA = /^'*[=+\-@\t\r\0]/;
/** Everything but plain text needs quotes: the reader takes blanks off a bare cell. */
const NEEDS_QUOTES = /[^!-~]|[",#]/;

/**
 * A CSV cell of a text that others have chosen: a `'` in front of what looks like a formula (and in front
 * of what looks guarded already, so that the guard can be taken away again), quotes where RFC 4180 wants them.
 */
export function guardedCell(text: string): string {
  const guarded = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
