import type { TraceReader } from "../../ingest/reader.ts";
import { EventCursor } from "./event-cursor.ts";
import { type FormatLimit, limitsOf } from "./format-limits.ts";
import { RowComparer } from "./row-comparer.ts";

export interface Difference {
  /** Number of the event, from 1. */
  readonly event: number;
  /** `events` where one trace ends before the other. */
  readonly column: string;
  /** In words, of the first and of the second trace. */
  readonly values: readonly [string, string];
  /** Lines or records of the two files; 0 where the trace has ended. */
  readonly lines: readonly [number, number];
}

export interface Comparison {
  /** Events compared, and found equal up to the difference. */
  readonly events: number;
  readonly difference: Difference | undefined;
  /** What was not compared, because one of the formats cannot carry it. */
  readonly limits: readonly FormatLimit[];
  /** Rows of losses in each. */
  readonly lostRows: readonly [number, number];
}

/** Compares two readers event by event, up to what their formats cannot carry; reads both to the end. */
export async function compareEvents(a: TraceReader, b: TraceReader): Promise<Comparison> {
  const [left, right] = [new EventCursor(a), new EventCursor(b)];
  // The layout is known once the first batch is read.
  let hasLeft = await left.load();
  let hasRight = await right.load();
  const limits = [...new Set([...limitsOf(a.info()), ...limitsOf(b.info())])];
  const comparer = new RowComparer(left, right, limits);
  let events = 0;
  let difference: Difference | undefined;
  while (hasLeft && hasRight) {
    const column = comparer.differs();
    if (column !== undefined) {
      difference = { event: events + 1, ...comparer.describe(column) };
      break;
    }
    events += 1;
    hasLeft = left.advance() || (await left.load());
    hasRight = right.advance() || (await right.load());
  }
  if (difference === undefined && hasLeft !== hasRight) {
    difference = {
      event: events + 1,
      column: "events",
      values: hasLeft ? ["goes on", "has ended"] : ["has ended", "goes on"],
      lines: hasLeft ? [left.batch.line[left.row]!, 0] : [0, right.batch.line[right.row]!],
    };
  }
  await Promise.all([left.finish(), right.finish()]);
  return { events, difference, limits, lostRows: [left.lostRows, right.lostRows] };
}
