import { pickLines } from "../ingest/source/pick-lines.ts";
import type { StallEventRow } from "../replay/timeline/timeline-rows.ts";
import type { TraceRun } from "./opened-trace.ts";

/** Formats whose records are not lines of text. */
const BINARY_FORMATS: ReadonlySet<string> = new Set(["trace-dat", "arrow"]);

/**
 * The events with their lines as recorded: a second reading of the trace, for those few. What came from a
 * pipe, or is no text, keeps what the event columns hold.
 */
export async function withLines(
  events: readonly StallEventRow[],
  run: TraceRun,
): Promise<readonly StallEventRow[]> {
  if (events.length === 0 || run.path === "-" || BINARY_FORMATS.has(run.info.format)) return events;
  const lines = await pickLines(run.path, new Set(events.map(({ line }) => line)));
  return events.map((event) => {
    const found = lines.get(event.line);
    if (found === undefined) return event;
    return { ...event, byte_offset: found.byteOffset, text: found.text };
  });
}
