import { literal, matchesAt } from "../../formats/bytes.ts";
import { NumberScanner } from "../../formats/number-scanner.ts";
import { wholeLines } from "../../formats/text/head-lines.ts";
import type { SequenceFormat } from "../access-format.ts";
import { FETCH, READ, WRITE } from "../access-batch.ts";
import type { AccessRows } from "../access-rows.ts";
import { type AccessLines, TextAccessReader } from "../text-access-reader.ts";

const SPACE = 32;
const DOT = 46;
const COLON = 58;
const LESS = 60;
const LETTER_T = 84;
const LETTER_W = 87;

const BYTES_AT = literal(" byte(s) @ 0x");
const TIMESTAMP = literal("<marker: timestamp ");
const KINDS: readonly { readonly word: Uint8Array; readonly kind: number }[] = [
  { word: literal("ifetch "), kind: FETCH },
  { word: literal("read "), kind: READ },
  { word: literal("write "), kind: WRITE },
];
/** Words of records that access nothing through the TLB that is modelled, or may not. */
const OTHERS: readonly Uint8Array[] = ["non-fetched", "pref", "iflush", "dflush", "flush"].map(
  literal,
);
const HEADS: readonly Uint8Array[] = ["Output format:", "<--record#->", "-----"].map(literal);
const RESULTS = literal("View tool results:");
const MAX_SPACE = 0xffff;
const TWO_32 = 4294967296;

/**
 * The text of `drmemtrace`'s tool `view`: record, instruction, thread (`tid` or `Wn.Ttid`), and what it
 * is. Times are those of the last timestamp marker (µs). The workload's number is the address space.
 */
class ViewLines implements AccessLines {
  baseNs: bigint | undefined;
  readonly #rows: AccessRows;
  readonly #numbers = new NumberScanner();
  #baseHigh = 0;
  #baseLow = 0;
  /** The tool's results stand behind the last record. */
  #isOver = false;

  constructor(rows: AccessRows) {
    this.#rows = rows;
  }

  takeLine(bytes: Uint8Array, start: number, end: number, line: number): boolean {
    if (this.#isOver || end === start || this.#isFrame(bytes, start, end)) {
      this.#rows.others += 1;
      return true;
    }
    const detail = this.#scanPlace(bytes, start, end);
    if (detail < 0) return false;
    this.#rows.record = line;
    if (bytes[detail] === LESS) return this.#takeMarker(bytes, detail, end);
    for (const { word, kind } of KINDS) {
      if (matchesAt(bytes, detail, word)) {
        return this.#takeAccess(bytes, detail + word.length, end, kind);
      }
    }
    if (OTHERS.some((word) => matchesAt(bytes, detail, word)) || isHexBytes(bytes, detail, end)) {
      this.#rows.others += 1;
      return true;
    }
    return false;
  }

  #isFrame(bytes: Uint8Array, start: number, end: number): boolean {
    if (matchesAt(bytes, start, RESULTS)) this.#isOver = true;
    return (
      this.#isOver ||
      HEADS.some((head) => end - start >= head.length && matchesAt(bytes, start, head))
    );
  }

  /** Record, instruction and thread; gives where the details begin, or -1. */
  #scanPlace(bytes: Uint8Array, start: number, end: number): number {
    const numbers = this.#numbers;
    const record = numbers.scanDecimal(bytes, skip(bytes, start, end), end);
    if (record < 0 || bytes[record] !== SPACE) return -1;
    const instruction = numbers.scanDecimal(bytes, skip(bytes, record, end), end);
    if (instruction < 0 || bytes[instruction] !== COLON) return -1;
    let at = skip(bytes, instruction + 1, end);
    let space = 0;
    if (bytes[at] === LETTER_W) {
      const dot = numbers.scanDecimal(bytes, at + 1, end);
      if (dot < 0 || bytes[dot] !== DOT || bytes[dot + 1] !== LETTER_T) return -1;
      space = numbers.quantity();
      at = dot + 2;
    }
    const stop = numbers.scanDecimal(bytes, at, end);
    const thread = numbers.quantity();
    if (stop < 0 || bytes[stop] !== SPACE || !(thread <= 0x7fffffff) || !(space <= MAX_SPACE))
      return -1;
    this.#rows.thread = thread;
    this.#rows.space = space;
    return skip(bytes, stop, end);
  }

  #takeMarker(bytes: Uint8Array, detail: number, end: number): boolean {
    this.#rows.others += 1;
    if (!matchesAt(bytes, detail, TIMESTAMP)) return true;
    const numbers = this.#numbers;
    if (numbers.scanDecimal(bytes, detail + TIMESTAMP.length, end) < 0) return false;
    // Microseconds since 1601 are too many for a double: only their differences are exact.
    const high = numbers.high >>> 0;
    const low = numbers.low >>> 0;
    if (this.baseNs === undefined) {
      this.baseNs = ((BigInt(high) << 32n) | BigInt(low)) * 1000n;
      this.#baseHigh = high;
      this.#baseLow = low;
    }
    const tsNs = ((high - this.#baseHigh) * TWO_32 + (low - this.#baseLow)) * 1000;
    if (!Number.isSafeInteger(tsNs)) return false;
    this.#rows.tsNs = tsNs;
    return true;
  }

  #takeAccess(bytes: Uint8Array, from: number, end: number, kind: number): boolean {
    const numbers = this.#numbers;
    const stop = numbers.scanDecimal(bytes, skip(bytes, from, end), end);
    const size = numbers.quantity();
    if (stop < 0 || Number.isNaN(size) || !matchesAt(bytes, stop, BYTES_AT)) return false;
    const last = numbers.scanHex(bytes, stop + BYTES_AT.length, end);
    if (last < 0 || last > end || (last < end && bytes[last] !== SPACE)) return false;
    return this.#rows.add(kind, numbers.high, numbers.low, size);
  }
}

function skip(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] === SPACE) at += 1;
  return at;
}

/** The rest of a long instruction's encoding, on a line of its own. */
function isHexBytes(bytes: Uint8Array, from: number, end: number): boolean {
  return /^(?:[0-9a-f]{2} ?)+$/.test(
    Buffer.from(bytes.subarray(from, Math.min(end, from + 64))).toString("latin1"),
  );
}

const RECORD = /^ *\d+ +\d+: +(?:W\d+\.T)?\d+ (?: *)(?:<|ifetch |read |write |non-fetched)/;
const LOOKED_AT = 5;

export const drmemtraceView: SequenceFormat = {
  id: "drmemtrace",
  streamClass: "sequence",
  isBinary: false,
  bias: "user mode only; the recorded program ran slowed down",
  sniff(head) {
    let lines = 0;
    for (const [from, to] of wholeLines(head)) {
      const text = Buffer.from(head.subarray(from, Math.min(to, from + 120))).toString("latin1");
      if (RECORD.test(text)) return { applies: true, reason: "records of drmemtrace's tool view" };
      lines += 1;
      if (lines === LOOKED_AT) break;
    }
    return { applies: false, reason: "no record of drmemtrace's tool view" };
  },
  read: (source, options) =>
    new TextAccessReader("drmemtrace", source, options, (rows) => new ViewLines(rows)),
};
