import { DASH, HASH } from "../bytes.ts";
import { hasNewlineAt } from "../words.ts";
import { type LineContext, PID_DASH_COLUMN } from "./line-context.ts";

/** Where the lines of a layout keep pid, CPU and time. */
export interface LineColumns {
  /** Columns of the comm, blanks before it included; the pid stands behind them. */
  readonly commColumns: number;
  /**
   * Reads the context of the line at `start` from the columns at which the kernel writes it. False:
   * this line has none there. `end` is the line's end or anything behind it that a line end guards: a
   * line that ends early never lends its place to the next line's event.
   */
  read(context: LineContext, bytes: Uint8Array, start: number, end: number): boolean;
  /** Reads what stands behind the comm, whose columns end at `from`: they were read before. */
  readBehindComm(context: LineContext, bytes: Uint8Array, from: number, end: number): boolean;
}

/** The default layout: `comm-pid [(tgid)] [cpu] [flags] time: `. */
export const defaultColumns: LineColumns = {
  commColumns: PID_DASH_COLUMN,

  read(context: LineContext, bytes: Uint8Array, start: number, end: number): boolean {
    if (context.readKnown(bytes, start, end)) return true;
    const column = start + PID_DASH_COLUMN;
    // No comm reaches column 0, so what begins with `#` is a comment.
    if (column + 1 >= end || bytes[column] !== DASH || bytes[start] === HASH) return false;
    if (hasNewlineAt(bytes, start, PID_DASH_COLUMN / 4)) return false;
    if (!context.read(bytes, column, end)) return false;
    context.keepBeginning(bytes, start, end);
    return true;
  },

  readBehindComm(context: LineContext, bytes: Uint8Array, from: number, end: number): boolean {
    return context.read(bytes, from, end);
  },
};
