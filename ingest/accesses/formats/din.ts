import { NumberScanner } from "../../formats/number-scanner.ts";
import { wholeLines } from "../../formats/text/head-lines.ts";
import type { SequenceFormat } from "../access-format.ts";
import { FETCH, READ, WRITE } from "../access-batch.ts";
import type { AccessRows } from "../access-rows.ts";
import { type AccessLines, TextAccessReader } from "../text-access-reader.ts";

const SPACE = 32;
const TAB = 9;
const ZERO = 48;
/** Kinds of the labels 0, 1 and 2. */
const KIND_OF_LABEL: readonly number[] = [READ, WRITE, FETCH];
/** 3: an escape record that is ignored; 4: flush the cache. Neither is an access. */
const LAST_LABEL = 4;

/** Dinero's `din`: `label address`, the address hexadecimal; what stands behind it is an annotation. */
class DinLines implements AccessLines {
  readonly #rows: AccessRows;
  readonly #numbers = new NumberScanner();

  constructor(rows: AccessRows) {
    this.#rows = rows;
  }

  takeLine(bytes: Uint8Array, start: number, end: number, line: number): boolean {
    const at = skipBlanks(bytes, start, end);
    if (at === end) {
      this.#rows.others += 1;
      return true;
    }
    const label = bytes[at]! - ZERO;
    const from = skipBlanks(bytes, at + 1, end);
    if (label < 0 || label > LAST_LABEL || from === at + 1) return false;
    const hasPrefix = bytes[from] === ZERO && (bytes[from + 1]! | 0x20) === 0x78;
    const numbers = this.#numbers;
    const stop = numbers.scanHex(bytes, hasPrefix ? from + 2 : from, end);
    if (stop < 0 || (stop < end && !isBlank(bytes[stop]!))) return false;
    const kind = KIND_OF_LABEL[label];
    if (kind === undefined) {
      this.#rows.others += 1;
      return true;
    }
    this.#rows.record = line;
    return this.#rows.add(kind, numbers.high, numbers.low, 1);
  }
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isBlank(bytes[at]!)) at += 1;
  return at;
}

const ACCESS = /^[ \t]*[0-4][ \t]+(?:0[xX])?[0-9a-fA-F]{1,16}(?:[ \t]|$)/;
const LOOKED_AT = 20;

export const din: SequenceFormat = {
  id: "din",
  streamClass: "sequence",
  isBinary: false,
  bias: "no sizes: an access that crosses into the next page touches only the first; no time",
  sniff(head) {
    let seen = 0;
    for (const [from, to] of wholeLines(head)) {
      const text = Buffer.from(head.subarray(from, Math.min(to, from + 64))).toString("latin1");
      if (!ACCESS.test(text))
        return { applies: false, reason: "not every line is `label address`" };
      seen += 1;
      if (seen === LOOKED_AT) break;
    }
    return { applies: seen > 0, reason: "lines of a label 0…4 and an address" };
  },
  read: (source, options) =>
    new TextAccessReader("din", source, options, (rows) => new DinLines(rows)),
};
