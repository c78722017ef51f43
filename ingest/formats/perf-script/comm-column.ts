import { isDigit, literal, matchesAt, SPACE } from "../bytes.ts";
import { endOfEventName, type PerfContext } from "./perf-context.ts";

/**
 * Where the task's number stands in a line: behind a comm right-aligned in 16 columns, at once where
 * the comm was left out with `-F`, or somewhere, where call chains are printed too and the comm is not
 * aligned.
 */
export type CommColumn = "aligned" | "none" | "free";

const COMM_COLUMNS = 16;
const GUEST = literal("VM:");

/**
 * Reads the context of a line; false: it has none. In a line with a free comm it must be readable at
 * one place only, as a comm may hold anything.
 */
export function readContextOf(
  column: CommColumn,
  context: PerfContext,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  if (isOfGuest(bytes, start, end)) return false;
  if (column === "none") return context.read(bytes, start, end);
  if (column === "aligned") {
    const blank = start + COMM_COLUMNS;
    return blank < end && bytes[blank] === SPACE && context.read(bytes, blank, end);
  }
  const at = placeOfFreeContext(context, bytes, start, end);
  return at >= 0 && context.read(bytes, at, end);
}

/**
 * `VM:  597 VCPU:000 ` in front of a line (`-F +machine_pid,vcpu`): an event of a guest's own kernel, that was
 * put into the file of its host. It says nothing of this machine.
 */
export function isOfGuest(bytes: Uint8Array, start: number, end: number): boolean {
  if (start + GUEST.length > end || !matchesAt(bytes, start, GUEST)) return false;
  let at = start + GUEST.length;
  while (bytes[at] === SPACE) at += 1;
  return isDigit(bytes[at]!);
}

/** The only place at which a context and an event can be read; -1: there is none, -2: several. */
function placeOfFreeContext(
  context: PerfContext,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let found = -1;
  for (let at = start + 1; at < end; at += 1) {
    if (bytes[at - 1] !== SPACE || !isDigit(bytes[at]!)) continue;
    if (!context.read(bytes, at, end) || endOfEventName(bytes, context.bodyStart, end) < 0)
      continue;
    if (found >= 0) return -2;
    found = at;
  }
  return found;
}
