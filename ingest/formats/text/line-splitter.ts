import { CARRIAGE_RETURN, NEWLINE } from "../bytes.ts";
import { lineEndFrom, READ_AHEAD_BYTES } from "../words.ts";
import type { LineProblems } from "./problems.ts";

/** Longest line that is read, in bytes without its end. */
export const MAX_LINE_BYTES: number = 64 * 1024;

/** What takes the lines. */
export interface LineSink {
  /** Lines that could not be used. */
  unparsed: number;
  /**
   * Reads the line at `start` if that can be done without searching its end first. Gives the line end,
   * or -1: nothing has been read then, and `read` is used once the end is known.
   * @param fill where the bytes end; a line end stands there as a guard, and READ_AHEAD_BYTES can be
   * read behind it.
   */
  readEvent(bytes: Uint8Array, start: number, fill: number): number;
  /** Reads the line at `start`…`end` (line end excluded); the line before it stands before it. */
  read(bytes: Uint8Array, start: number, end: number): void;
}

/**
 * Cuts a stream of bytes into lines, whatever the sizes of the chunks, and gives each to the reader.
 * Holds at most one unfinished line.
 */
export class LineSplitter {
  /** Lines seen, empty and overlong ones included. */
  lines = 0;
  #buffer: Uint8Array = new Uint8Array(MAX_LINE_BYTES * 4);
  /** Unread bytes are `#from`…`#fill`. */
  #from = 0;
  #fill = 0;
  /** Offset in the content of the buffer's first byte. */
  #bufferOffset = 0;
  /** Inside a line that is too long: its bytes are dropped up to its end. */
  #skipping = false;
  /** Offset in the content of the line that is being skipped. */
  #skippedFrom = 0;
  readonly #reader: LineSink;
  readonly #problems: LineProblems;

  constructor(reader: LineSink, problems: LineProblems) {
    this.#reader = reader;
    this.#problems = problems;
  }

  /** Takes a copy of the chunk; call `readLines` until it says that it needs more. */
  push(chunk: Uint8Array): void {
    this.#makeRoom(chunk.length + 1 + READ_AHEAD_BYTES);
    this.#buffer.set(chunk, this.#fill);
    this.#fill += chunk.length;
    // A line end behind the last byte stops every search and every number.
    this.#buffer[this.#fill] = NEWLINE;
  }

  /** Reads whole lines while `hasRoom()`; false: more bytes are needed. */
  readLines(hasRoom: () => boolean): boolean {
    const bytes = this.#buffer;
    while (hasRoom()) {
      if (!this.#skipping) {
        this.#problems.line = this.lines + 1;
        this.#problems.byteOffset = this.#bufferOffset + this.#from;
        const end = this.#reader.readEvent(bytes, this.#from, this.#fill);
        if (end >= 0) {
          this.lines += 1;
          this.#from = end + 1;
          continue;
        }
      }
      const newline = lineEndFrom(bytes, this.#from);
      if (newline >= this.#fill) {
        this.#dropIfTooLong();
        return false;
      }
      this.#readLine(bytes, this.#from, newline);
      this.#from = newline + 1;
    }
    return true;
  }

  /** The last line, where it has no line end. True: there was one, and it has been read. */
  readUnterminated(): boolean {
    if (this.#skipping) {
      this.#endSkippedLine(this.#fill);
      return false;
    }
    if (this.#from === this.#fill) return false;
    this.#readLine(this.#buffer, this.#from, this.#fill);
    this.#from = this.#fill;
    return true;
  }

  /**
   * Gives up a last line without a line end, where the source is known to be cut: a number at its end
   * may have lost digits and still look like one.
   */
  dropUnterminated(): void {
    if (!this.#skipping && this.#from === this.#fill) return;
    this.#skipping = false;
    this.lines += 1;
    this.#problems.line = this.lines;
    this.#problems.byteOffset = this.#bufferOffset + this.#from;
    this.#problems.add(
      "TRUNCATED",
      "the cut last line is not used",
      this.#buffer,
      this.#from,
      this.#fill,
    );
    this.#from = this.#fill;
  }

  #readLine(bytes: Uint8Array, start: number, newline: number): void {
    if (this.#skipping) {
      this.#endSkippedLine(newline);
      return;
    }
    this.lines += 1;
    this.#problems.line = this.lines;
    this.#problems.byteOffset = this.#bufferOffset + start;
    const end = newline > start && bytes[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    if (end - start > MAX_LINE_BYTES) this.#reportTooLong(newline - start);
    else this.#reader.read(bytes, start, end);
  }

  /** An unfinished line that is too long already is not kept. */
  #dropIfTooLong(): void {
    if (!this.#skipping) {
      // One byte more than the limit may be the CR of a line end.
      if (this.#fill - this.#from <= MAX_LINE_BYTES + 1) return;
      this.#skipping = true;
      this.#skippedFrom = this.#bufferOffset + this.#from;
    }
    this.#from = this.#fill;
  }

  #endSkippedLine(end: number): void {
    this.#skipping = false;
    this.lines += 1;
    this.#problems.line = this.lines;
    this.#problems.byteOffset = this.#skippedFrom;
    this.#reportTooLong(this.#bufferOffset + end - this.#skippedFrom);
  }

  #reportTooLong(length: number): void {
    this.#problems.note("LINE_TOO_LONG", `${length} bytes`);
    this.#reader.unparsed += 1;
  }

  /**
   * Moves what is unread to the front, and grows the buffer if that is not enough. The line before stays in
   * front of it: what the next one means may depend on it.
   */
  #makeRoom(size: number): void {
    if (this.#fill + size <= this.#buffer.length) return;
    const before = this.#from < 2 ? 0 : this.#buffer.lastIndexOf(NEWLINE, this.#from - 2) + 1;
    const keepFrom = this.#from - before > MAX_LINE_BYTES + 2 ? this.#from : before;
    const kept = this.#fill - keepFrom;
    const target =
      kept + size <= this.#buffer.length ? this.#buffer : new Uint8Array((kept + size) * 2);
    target.set(this.#buffer.subarray(keepFrom, this.#fill));
    this.#buffer = target;
    this.#bufferOffset += keepFrom;
    this.#from -= keepFrom;
    this.#fill = kept;
  }
}
