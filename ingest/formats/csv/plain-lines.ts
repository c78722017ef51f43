import { CARRIAGE_RETURN, HASH, NEWLINE, QUOTE } from "../bytes.ts";
import { MAX_RECORD_CHARS } from "./record-source.ts";

const COMMA = 44;
/** What a byte is in a plain line. */
const TEXT = 0;
const SEPARATOR = 1;
const LINE_END = 2;
const RETURN = 3;
const ODD = 4;

/** Visible ASCII without the quote is text; blanks too are odd, because the parser takes them off cells. */
const CLASS: Uint8Array = new Uint8Array(256).fill(ODD);
CLASS.fill(TEXT, 0x21, 0x7f);
CLASS[QUOTE] = ODD;
CLASS[COMMA] = SEPARATOR;
CLASS[NEWLINE] = LINE_END;
CLASS[CARRIAGE_RETURN] = RETURN;

/** Takes the plain lines, in order. */
export interface PlainSink {
  /** Whether there is room for one more row. */
  hasRoom(): boolean;
  /**
   * A record whose cells are the bytes between commas.
   * @param ends where its cells end, in `bytes`; only as many as `ends` holds.
   * @param count how many cells it has.
   */
  record(bytes: Uint8Array, start: number, ends: Int32Array, count: number, line: number): void;
}

/**
 * Cuts CSV into lines and cells where that takes no more than looking for commas and line ends: until the
 * first line with a quote, a blank, or any byte but visible ASCII. What begins there is another's.
 */
export class PlainLines {
  /** Lines taken so far. */
  lines = 0;
  /** Of them, comments. */
  comments = 0;
  /** Set where a line was met that is not plain. */
  isOver = false;
  #bytes: Uint8Array = new Uint8Array(4 * MAX_RECORD_CHARS);
  #from = 0;
  #fill = 0;
  readonly #ends = new Int32Array(256);
  readonly #sink: PlainSink;

  constructor(sink: PlainSink) {
    this.#sink = sink;
  }

  /** What has not been taken. */
  get rest(): Uint8Array {
    return this.#bytes.subarray(this.#from, this.#fill);
  }

  /** Takes a copy of the chunk; call `read` until it says that it needs more. */
  push(chunk: Uint8Array): void {
    const unread = this.#fill - this.#from;
    if (this.#fill + chunk.length + 1 > this.#bytes.length) {
      const size = unread + chunk.length + 1;
      const target = size <= this.#bytes.length ? this.#bytes : new Uint8Array(size * 2);
      target.set(this.#bytes.subarray(this.#from, this.#fill));
      this.#bytes = target;
      this.#from = 0;
      this.#fill = unread;
    }
    this.#bytes.set(chunk, this.#fill);
    this.#fill += chunk.length;
    this.#bytes[this.#fill] = NEWLINE;
  }

  /** Reads whole lines while there is room; false: more bytes are needed, or it is over. */
  read(): boolean {
    while (this.#sink.hasRoom()) {
      if (this.isOver || !this.#readLine()) return false;
    }
    return true;
  }

  #readLine(): boolean {
    const bytes = this.#bytes;
    const ends = this.#ends;
    const start = this.#from;
    if (bytes[start] === HASH) return this.#skipComment();
    let at = start;
    let count = 0;
    for (;;) {
      const type = CLASS[bytes[at]!]!;
      if (type === TEXT) {
        at += 1;
        continue;
      }
      if (type !== SEPARATOR) break;
      if (count < ends.length) ends[count] = at;
      count += 1;
      at += 1;
    }
    let end = at;
    if (bytes[at] === CARRIAGE_RETURN && bytes[at + 1] === NEWLINE) at += 1;
    if (at >= this.#fill) {
      // A long line is for the parser, which knows when one is too long.
      if (at - start > MAX_RECORD_CHARS / 2) this.isOver = true;
      return false;
    }
    if (bytes[at] !== NEWLINE || at - start > MAX_RECORD_CHARS / 2 || count >= ends.length) {
      this.isOver = true;
      return false;
    }
    if (end > at) end = at;
    this.lines += 1;
    this.#from = at + 1;
    if (end === start) return true;
    ends[count] = end;
    this.#sink.record(bytes, start, ends, count + 1, this.lines);
    return true;
  }

  #skipComment(): boolean {
    const newline = this.#bytes.indexOf(NEWLINE, this.#from);
    if (newline >= this.#fill) {
      if (newline - this.#from > MAX_RECORD_CHARS / 2) this.isOver = true;
      return false;
    }
    this.lines += 1;
    this.comments += 1;
    this.#from = newline + 1;
    return true;
  }
}
