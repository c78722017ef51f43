import { parseTimeNs } from "../../formats/csv/cells.ts";
import { textOf } from "../../formats/bytes.ts";
import { NumberScanner } from "../../formats/number-scanner.ts";
import { FETCH, READ, WRITE } from "../access-batch.ts";
import type { AccessRows } from "../access-rows.ts";
import type { AccessColumns, AccessField } from "./access-columns.ts";

const TWO_32 = 4294967296;
const MAX_THREAD = 0x7fffffff;
const MAX_SPACE = 0xffff;
const MAX_REPEAT = 0xffffffff;
/** Larger differences of time are no longer exact. */
const MAX_EXACT_HIGH = 0x1fffff;

const KIND_OF_WORD: ReadonlyMap<string, number> = new Map([
  ...["r", "read", "0"].map((word) => [word, READ] as const),
  ...["w", "write", "1"].map((word) => [word, WRITE] as const),
  ...["x", "fetch", "2"].map((word) => [word, FETCH] as const),
]);

/** What is wrong with a row; undefined: nothing. */
export interface CellProblem {
  readonly code: "BAD_NUMBER" | "MISSING_ARGUMENT";
  readonly reason: string;
}

/** Turns the cells of one row of an access table into an access. */
export class AccessCells {
  baseNs: bigint | undefined;
  readonly #columns: AccessColumns;
  readonly #rows: AccessRows;
  readonly #numbers = new NumberScanner();
  #baseHigh = 0;
  #baseLow = 0;
  /** Of the row that is being read. */
  #high = 0;
  #low = 0;

  constructor(columns: AccessColumns, rows: AccessRows) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** @param ends where the cells end; one byte stands between them. */
  take(bytes: Uint8Array, start: number, ends: Int32Array): CellProblem | undefined {
    const rows = this.#rows;
    const { address } = this.#columns;
    if (!this.#scanAddress(bytes, start, ends)) {
      return this.#isEmpty(address, start, ends)
        ? { code: "MISSING_ARGUMENT", reason: `no ${address}` }
        : bad(address);
    }
    const thread = this.#small("thread", bytes, start, ends, 0, MAX_THREAD);
    const space = this.#small("asid", bytes, start, ends, 0, MAX_SPACE);
    const size = this.#small("size", bytes, start, ends, 1, MAX_REPEAT);
    const repeat = this.#small("repeat", bytes, start, ends, 1, MAX_REPEAT);
    const kind = this.#kind(bytes, start, ends);
    if (thread < 0) return bad("thread");
    if (space < 0) return bad("asid");
    if (size < 0) return bad("size");
    if (repeat < 1) return bad("repeat");
    if (kind === undefined) return { code: "BAD_NUMBER", reason: "rw is neither r, w nor x" };
    const tsNs = this.#time(bytes, start, ends);
    if (tsNs === undefined) return bad("time");
    rows.tsNs = tsNs;
    rows.thread = thread;
    rows.space = space;
    return rows.add(kind, this.#high, this.#low, size, repeat)
      ? undefined
      : { code: "BAD_NUMBER", reason: "no address, or an access of more than 64 KiB" };
  }

  #from(place: number, start: number, ends: Int32Array): number {
    return place === 0 ? start : ends[place - 1]! + 1;
  }

  #isEmpty(field: AccessField, start: number, ends: Int32Array): boolean {
    const place = this.#columns.places.get(field);
    return place === undefined || this.#from(place, start, ends) === ends[place]!;
  }

  /** Sets high and low to the row's address. */
  #scanAddress(bytes: Uint8Array, start: number, ends: Int32Array): boolean {
    const { address, places } = this.#columns;
    const place = places.get(address)!;
    const from = this.#from(place, start, ends);
    const numbers = this.#numbers;
    if (bytes[from] === DASH || numbers.scan(bytes, from, ends[place]!) !== ends[place]!)
      return false;
    this.#high = numbers.high;
    this.#low = numbers.low;
    if (address === "va" || address === "ipa") return true;
    const page = numbers.quantity();
    const perHigh = TWO_32 / this.#rows.pages.pageBytes;
    if (!(page < perHigh * TWO_32)) return false;
    this.#high = Math.floor(page / perHigh);
    this.#low = (page % perHigh) * this.#rows.pages.pageBytes;
    return true;
  }

  /** −1: no number up to `max`. */
  #small(
    field: AccessField,
    bytes: Uint8Array,
    start: number,
    ends: Int32Array,
    absent: number,
    max: number,
  ): number {
    const place = this.#columns.places.get(field);
    if (place === undefined) return absent;
    const from = this.#from(place, start, ends);
    const end = ends[place]!;
    if (from === end) return absent;
    const numbers = this.#numbers;
    if (bytes[from] === DASH || numbers.scan(bytes, from, end) !== end) return -1;
    const value = numbers.quantity();
    return value <= max ? value : -1;
  }

  #kind(bytes: Uint8Array, start: number, ends: Int32Array): number | undefined {
    const place = this.#columns.places.get("rw");
    if (place === undefined) return READ;
    const from = this.#from(place, start, ends);
    const letter = bytes[from]! | 0x20;
    if (ends[place]! - from === 1) {
      if (letter === LETTER_R) return READ;
      if (letter === LETTER_W) return WRITE;
    }
    return KIND_OF_WORD.get(textOf(bytes, from, Math.min(ends[place]!, from + 8)).toLowerCase());
  }

  /** NaN: the table tells no time; undefined: a cell that is no time. */
  #time(bytes: Uint8Array, start: number, ends: Int32Array): number | undefined {
    const { places } = this.#columns;
    const place = places.get("ts_ns");
    if (place === undefined) return this.#timeOfSeconds(bytes, start, ends);
    const from = this.#from(place, start, ends);
    const numbers = this.#numbers;
    if (numbers.scanDecimal(bytes, from, ends[place]!) !== ends[place]!) return undefined;
    const high = numbers.high >>> 0;
    const low = numbers.low >>> 0;
    if (this.baseNs === undefined) {
      this.baseNs = (BigInt(high) << 32n) | BigInt(low);
      this.#baseHigh = high;
      this.#baseLow = low;
    }
    const difference = high - this.#baseHigh;
    if (Math.abs(difference) > MAX_EXACT_HIGH) return undefined;
    return difference * TWO_32 + (low - this.#baseLow);
  }

  #timeOfSeconds(bytes: Uint8Array, start: number, ends: Int32Array): number | undefined {
    const place = this.#columns.places.get("ts_s");
    if (place === undefined) return Number.NaN;
    const from = this.#from(place, start, ends);
    const ns = parseTimeNs(textOf(bytes, from, Math.min(ends[place]!, from + 40)), true);
    if (ns === undefined) return undefined;
    this.baseNs ??= ns;
    const tsNs = Number(ns - this.baseNs);
    return Number.isSafeInteger(tsNs) ? tsNs : undefined;
  }
}

const DASH = 45;
const LETTER_R = 114;
const LETTER_W = 119;

function bad(name: string): CellProblem {
  return { code: "BAD_NUMBER", reason: `\`${name}\` is not a number that fits` };
}
