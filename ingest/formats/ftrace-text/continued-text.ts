import { CARRIAGE_RETURN, NEWLINE, textOf } from "../bytes.ts";

/**
 * Text of an event that its line leaves open: in quotes, inside another value (an array of strings, a
 * character), whose end is not looked for, or a comm that may have so many bytes more.
 */
type OpenText = "quoted" | "value" | { readonly commBytesLeft: number } | undefined;

const COMM_BYTES = 15;
/** `name="text"` of a probe: the kernel escapes nothing in it. */
const OPENING = /="/g;
const CLOSING = /"(?= |$)/g;
/** `comm=…`, `prev_comm=…` of a tracepoint, without quotes. */
const COMM_AT_END = /(?:^| )(?:\w+_)?comm=([^=]*)$/;
const NEXT_FIELD = / \w+=/;

/**
 * The kernel prints texts of users as they are, line ends included: text in quotes, and comms. Follows which
 * lines continue the text of the event before them; any other line that is no event is a loss.
 */
export class ContinuedText {
  /** The last line that was found to continue a text. */
  #continuedLine = 0;
  #open: OpenText = undefined;

  /** Whether the line before this one continued an event's text. */
  isBehind(line: number): boolean {
    return this.#continuedLine > 0 && this.#continuedLine === line - 1;
  }

  /**
   * Whether the line at `start`…`end` is text of the event before it. The line before stands before it.
   * @param eventLine of the last event.
   * @param isOpenValue the reader of its arguments came to the line's end inside one of them.
   */
  takes(
    line: number,
    eventLine: number,
    isOpenValue: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): boolean {
    if (eventLine === line - 1 && line > 1) {
      this.#open = openTextOf(lineBefore(bytes, start)) ?? (isOpenValue ? "value" : undefined);
    } else if (!this.isBehind(line)) return false;
    if (this.#open === undefined) return false;
    const left = afterLine(this.#open, textOf(bytes, start, end));
    if (left === "none of it") return false;
    this.#open = left;
    this.#continuedLine = line;
    return true;
  }
}

function lineBefore(bytes: Uint8Array, start: number): string {
  if (start < 2) return "";
  const end = bytes[start - 2] === CARRIAGE_RETURN ? start - 2 : start - 1;
  return textOf(bytes, bytes.lastIndexOf(NEWLINE, start - 2) + 1, end);
}

/** What a text leaves open at its end. */
function openTextOf(text: string): OpenText {
  OPENING.lastIndex = 0;
  while (OPENING.exec(text) !== null) {
    CLOSING.lastIndex = OPENING.lastIndex;
    if (CLOSING.exec(text) === null) return "quoted";
    OPENING.lastIndex = CLOSING.lastIndex;
  }
  const comm = COMM_AT_END.exec(text)?.[1];
  return comm !== undefined && comm.length < COMM_BYTES
    ? { commBytesLeft: COMM_BYTES - comm.length - 1 }
    : undefined;
}

/** What is open behind the next line of an open text. */
function afterLine(open: Exclude<OpenText, undefined>, text: string): OpenText | "none of it" {
  if (open === "value") return open;
  if (open === "quoted") {
    CLOSING.lastIndex = 0;
    if (CLOSING.exec(text) === null) return open;
    return openTextOf(text.slice(CLOSING.lastIndex));
  }
  const commBytes = NEXT_FIELD.exec(text)?.index ?? text.length;
  if (commBytes > open.commBytesLeft) return "none of it";
  if (commBytes < text.length) return openTextOf(text.slice(commBytes));
  return commBytes === open.commBytesLeft
    ? undefined
    : { commBytesLeft: open.commBytesLeft - commBytes - 1 };
}
