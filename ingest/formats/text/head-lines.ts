import { CARRIAGE_RETURN, NEWLINE } from "../bytes.ts";

/** Whole lines in the first bytes of a content, as places; a rest without line end only if it is all. */
export function* wholeLines(head: Uint8Array): Generator<readonly [number, number]> {
  let start = 0;
  for (;;) {
    const newline = head.indexOf(NEWLINE, start);
    if (newline < 0) break;
    yield [start, newline > start && head[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline];
    start = newline + 1;
  }
  if (start === 0 && head.length > 0) yield [0, head.length];
}
