import { CARRIAGE_RETURN, literal, matchesAt, NEWLINE } from "../bytes.ts";

/** Marks that mail programs put before each line of what they quote, the longest first. */
const MARKS: readonly Uint8Array[] = ["> > > ", ">>> ", "> > ", ">> ", "> ", ">>", ">"].map(
  literal,
);

/** Marks that every line of a text begins with (a line of the mark alone is an empty one). */
export function quoteMarksOf(head: Uint8Array): readonly Uint8Array[] {
  return MARKS.filter((mark) => linesOf(head).every((line) => isQuoted(line, mark)));
}

/** A text without the mark before each line. */
export function withoutMark(head: Uint8Array, mark: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const line of linesOf(head)) {
    pieces.push(line.subarray(Math.min(mark.length, line.length)), Uint8Array.of(NEWLINE));
  }
  return Uint8Array.from(Buffer.concat(pieces));
}

function isQuoted(line: Uint8Array, mark: Uint8Array): boolean {
  if (line.length >= mark.length) return matchesAt(line, 0, mark);
  return line.every((byte, i) => byte === mark[i]);
}

/** Whole lines, without the line ends; a cut last line only where it is the only one. */
function linesOf(head: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (;;) {
    const newline = head.indexOf(NEWLINE, start);
    if (newline < 0) break;
    const isCrLf = newline > start && head[newline - 1] === CARRIAGE_RETURN;
    lines.push(head.subarray(start, isCrLf ? newline - 1 : newline));
    start = newline + 1;
  }
  return lines.length === 0 ? [head] : lines;
}
