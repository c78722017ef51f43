import {
  BRACKET_OPEN,
  COLON,
  DASH,
  IS_FLAG,
  isDigit,
  PAREN_CLOSE,
  PAREN_OPEN,
  SPACE,
} from "../bytes.ts";
import { ContextFields } from "../text/context-fields.ts";
import { decimalOfWord, wordAt } from "../words.ts";
import { KNOWN_BEGINNING_BYTES, KnownBeginnings } from "./known-beginnings.ts";

/**
 * A comm has at most 15 bytes and is right-aligned in 16, so byte 16 of each line that the kernel wrote
 * is the `-` before the pid, whatever the comm holds.
 */
export const PID_DASH_COLUMN = 16;

/** `-1 [000] 1.000001: ` and a name cannot be shorter than this. */
const SHORTEST_CONTEXT = 12;
/** A beginning, then `123456: `. */
const KNOWN_CONTEXT_BYTES = KNOWN_BEGINNING_BYTES + 8;
/** The last four bytes of `123456: ` without its last two digits. */
const COLON_AND_BLANK = (COLON << 16) | (SPACE << 24);
const TWO_ZEROS = 0x3030;

/**
 * The part of a line before the event's own text: pid, CPU and time.
 *
 * `comm-pid [(tgid)] [cpu] [flags] time: ` with widths that are minima.
 */
export class LineContext extends ContextFields {
  /** Letters of the irq-info column; 0 where there is none. */
  flagLetters = 0;
  hasTgid = false;
  readonly #known = new KnownBeginnings();

  /**
   * Reads the context of a line whose beginning is like that of an earlier one, up to the second, and
   * whose time has six decimals. False: it has to be read part by part.
   */
  readKnown(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start < KNOWN_CONTEXT_BYTES) return false;
    const at = this.#known.find(this, bytes, start);
    if (at < 0) return false;
    const last = wordAt(bytes, at + 4) ^ COLON_AND_BLANK;
    // Two more digits, which the two zeros make four; the colon and the blank have become 0.
    const high = decimalOfWord(wordAt(bytes, at));
    const low = decimalOfWord((last << 16) | TWO_ZEROS);
    if (last >>> 16 !== 0 || high < 0 || low < 0) return false;
    this.fractionNs = (high * 100 + low) * 1000;
    this.bodyStart = at + 8;
    return true;
  }

  /** Lets later lines that begin like the one just read, which begins at `start`, be read faster. */
  keepBeginning(bytes: Uint8Array, start: number, end: number): void {
    if (this.isTicks || end - start < KNOWN_CONTEXT_BYTES) return;
    this.#known.keep(this, bytes, start, this.fractionFrom);
  }

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
