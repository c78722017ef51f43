import { BRACKET_OPEN, DASH, IS_FLAG, isDigit, PAREN_CLOSE, PAREN_OPEN, SPACE } from "../bytes.ts";
import { ContextFields } from "../text/context-fields.ts";

/**
 * A comm has at most 15 bytes and is right-aligned in 16, so byte 16 of each line that the kernel wrote
 * is the `-` before the pid, whatever the comm holds.
 */
export const PID_DASH_COLUMN = 16;

/** `-1 [000] 1.000001: ` and a name cannot be shorter than this. */
const SHORTEST_CONTEXT = 12;

/**
 * The part of a line before the event's own text: pid, CPU and time.
 *
 * `comm-pid [(tgid)] [cpu] [flags] time: ` with widths that are minima.
 */
export class LineContext extends ContextFields {
  /** Letters of the irq-info column; 0 where there is none. */
  flagLetters = 0;
  hasTgid = false;

  /** Reads the context of a line whose `-` before the pid is at `dash`. False: there is none there. */
  read(bytes: Uint8Array, dash: number, end: number): boolean {
    if (end - dash < SHORTEST_CONTEXT || bytes[dash] !== DASH) return false;
    const bracket = this.#readTask(bytes, dash + 1);
    if (bracket < 0 || bytes[bracket] !== BRACKET_OPEN) return false;
    const afterCpu = this.readBracketedCpu(bytes, bracket + 1);
    if (afterCpu < 0 || bytes[afterCpu] !== SPACE) return false;
    const afterFlags = this.#readFlags(bytes, afterCpu + 1);
    if (afterFlags < 0) return false;
    const colon = this.readTime(bytes, afterFlags);
    if (colon < 0 || colon >= end) return false;
    const next = colon + 1;
    if (next < end && bytes[next] !== SPACE) return false;
    this.bodyStart = next < end ? next + 1 : end;
    return true;
  }

  /** Pid, blanks and the TGID column if there is one; gives the place of `[`. */
  #readTask(bytes: Uint8Array, from: number): number {
    let at = this.readPid(bytes, from);
    if (at < 0 || bytes[at] !== SPACE) return -1;
    while (bytes[at] === SPACE) at += 1;
    this.hasTgid = bytes[at] === PAREN_OPEN;
    if (!this.hasTgid) return at;
    // `(  12591)`, or `(-------)` where the group is not known.
    at += 1;
    while (bytes[at] === SPACE || bytes[at] === DASH || isDigit(bytes[at]!)) at += 1;
    return bytes[at] === PAREN_CLOSE && bytes[at + 1] === SPACE ? at + 2 : -1;
  }

  /** The irq-info letters if there are any; gives the place of the first blank or digit after them. */
  #readFlags(bytes: Uint8Array, from: number): number {
    this.flagLetters = 0;
    // Without irq-info a blank pads the time; the first letter (irqs) is never a digit.
    if (bytes[from] === SPACE || isDigit(bytes[from]!)) return from;
    let at = from;
    while (IS_FLAG[bytes[at]!] === 1) at += 1;
    const letters = at - from;
    if (letters < 4 || letters > 8 || bytes[at] !== SPACE) return -1;
    this.flagLetters = letters;
    return at;
  }
}

/**
 * Place of the `-` before the pid in a line whose leading blanks were stripped (mail, web pages):
 * the only place at which a whole context can be read. -1 where there is none, -2 where there are
 * several and the comm or the text imitates one.
 */
export function findPidDash(
  context: LineContext,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let found = -1;
  for (let at = start; at < end; at += 1) {
    if (bytes[at] !== DASH || !isDigit(bytes[at + 1]!)) continue;
    if (!context.read(bytes, at, end)) continue;
    if (found >= 0) return -2;
    found = at;
  }
  return found;
}
