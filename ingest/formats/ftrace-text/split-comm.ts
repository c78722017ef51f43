import { HASH, SPACE } from "../bytes.ts";

/** A line that may be the beginning of an event, for whoever reports it if it is not. */
export interface HeldLine {
  readonly line: number;
  readonly byteOffset: number;
  readonly bytes: Uint8Array;
}

/**
 * A comm may hold line ends: then the event's columns begin in one line and end in the next. Such a line is
 * held until the next one shows whether the pid stands where it must: with the line ends counted as bytes
 * of the comm, it is in the same column as in any other line.
 */
export class SplitComm {
  /** The line that began the comm, and those that continued it. */
  readonly held: HeldLine[] = [];
  readonly #columns: number;
  /** Bytes of the comm's columns so far, line ends included. */
  #taken = 0;

  /** @param columns of the layout's comm, blanks before it included. */
  constructor(columns: number) {
    this.#columns = columns;
  }

  get isPending(): boolean {
    return this.#taken > 0;
  }

  /** Where the comm's columns end in a line that begins at `start`. */
  placeIn(start: number): number {
    return start + this.#columns - this.#taken;
  }

  /** Whether the line at `start`…`end` can begin such a comm, or continue it; then it is held. */
  hold(line: number, byteOffset: number, bytes: Uint8Array, start: number, end: number): boolean {
    const taken = this.#taken + (end - start) + 1;
    if (taken > this.#columns) return false;
    if (!this.isPending && !isBeginning(bytes, start, end, this.#columns)) return false;
    this.#taken = taken;
    this.held.push({ line, byteOffset, bytes: bytes.slice(start, end) });
    return true;
  }

  clear(): void {
    this.#taken = 0;
    this.held.length = 0;
  }
}

/** A comm has 15 bytes at most: in wider columns a blank stands before it. */
function isBeginning(bytes: Uint8Array, start: number, end: number, columns: number): boolean {
  if (start === end || bytes[start] === HASH) return false;
  return columns < 16 || bytes[start] === SPACE;
}
