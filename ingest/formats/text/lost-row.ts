import type { EventBatch } from "../../events/columns.ts";
import { EventKind, UNKNOWN_CPU } from "../../events/kinds.ts";

/**
 * Writes a row of kind `lost`: pid -1, the time of the event before it (0 before the first) and
 * `arg0` = how many events (NaN: not known).
 */
export function addLostRow(
  batch: EventBatch,
  cpu: number,
  count: number,
  tsNs: number,
  line: number,
): void {
  const row = batch.length;
  batch.kind[row] = EventKind.lost;
  batch.cpu[row] = Math.min(cpu, UNKNOWN_CPU);
  batch.pid[row] = -1;
  batch.tsNs[row] = tsNs;
  batch.line[row] = line;
  batch.arg0[row] = count;
  batch.length = row + 1;
}
