import { NumberScanner } from "../../formats/number-scanner.ts";
import { wholeLines } from "../../formats/text/head-lines.ts";
import type { SequenceFormat } from "../access-format.ts";
import { FETCH, READ, WRITE } from "../access-batch.ts";
import type { AccessRows } from "../access-rows.ts";
import { type AccessLines, TextAccessReader } from "../text-access-reader.ts";

const SPACE = 32;
const COMMA = 44;
const EQUALS = 61;
const DASH = 45;
const LETTER_I = 73;
const LETTER_L = 76;
const LETTER_M = 77;
const LETTER_S = 83;

/**
 * `valgrind --tool=lackey --trace-mem=yes`: `I  addr,size`, ` L addr,size`, ` S addr,size` and
 * ` M addr,size` (a load and a store), addresses hexadecimal without prefix, sizes decimal. Valgrind's own
 * messages begin with `==PID==` or `--PID--`. Threads run one after the other and are not told apart.
 */
class LackeyLines implements AccessLines {
  readonly #rows: AccessRows;
  readonly #numbers = new NumberScanner();

  constructor(rows: AccessRows) {
    this.#rows = rows;
  }

  takeLine(bytes: Uint8Array, start: number, end: number, line: number): boolean {
    if (end === start || isMessage(bytes, start)) {
      this.#rows.others += 1;
      return true;
    }
    const isFetch = bytes[start] === LETTER_I && bytes[start + 1] === SPACE;
    if (bytes[start + 2] !== SPACE || !(isFetch || bytes[start] === SPACE)) return false;
    const letter = isFetch ? LETTER_I : bytes[start + 1]!;
    if (!(isFetch || letter === LETTER_L || letter === LETTER_S || letter === LETTER_M))
      return false;
    const numbers = this.#numbers;
    const comma = numbers.scanHex(bytes, start + 3, end);
    if (comma < 0 || bytes[comma] !== COMMA) return false;
    const { high, low } = numbers;
    if (numbers.scanDecimal(bytes, comma + 1, end) !== end || numbers.high !== 0) return false;
    const size = numbers.low >>> 0;
    const rows = this.#rows;
    rows.record = line;
    if (letter === LETTER_I) return rows.add(FETCH, high, low, size);
    if (letter === LETTER_S) return rows.add(WRITE, high, low, size);
    if (!rows.add(READ, high, low, size)) return false;
    return letter === LETTER_L || rows.add(WRITE, high, low, size);
  }
}

function isMessage(bytes: Uint8Array, start: number): boolean {
  const first = bytes[start];
  return first === bytes[start + 1] && (first === EQUALS || first === DASH);
}

const ACCESS = /^(?:I {2}| [LSM] )[0-9a-fA-F]{1,16},\d+$/;

export const lackey: SequenceFormat = {
  id: "lackey",
  streamClass: "sequence",
  isBinary: false,
  bias: "user mode only; threads one after the other; no time",
  sniff(head) {
    let seen = 0;
    for (const [from, to] of wholeLines(head)) {
      if (to === from || isMessage(head, from)) continue;
      if (
        !ACCESS.test(Buffer.from(head.subarray(from, Math.min(to, from + 64))).toString("latin1"))
      )
        break;
      seen += 1;
      if (seen === 3) break;
    }
    return seen > 0
      ? { applies: true, reason: "lines of lackey's memory trace" }
      : { applies: false, reason: "no line ` L addr,size`" };
  },
  read: (source, options) =>
    new TextAccessReader("lackey", source, options, (rows) => new LackeyLines(rows)),
};
