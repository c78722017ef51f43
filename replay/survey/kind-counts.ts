import type { EventBatch } from "../../ingest/events/columns.ts";
import { EVENT_KINDS, type EventKindName } from "../../ingest/events/kinds.ts";

/** Events by kind, and nothing else. */
export class KindCounts {
  readonly #counts = new Float64Array(EVENT_KINDS.length);

  consume(batch: EventBatch): void {
    const { kind } = batch;
    for (let row = 0; row < batch.length; row += 1) this.#counts[kind[row]!]! += 1;
  }

  byKind(): ReadonlyMap<EventKindName, number> {
    return new Map(
      EVENT_KINDS.map((kind, code) => [kind, this.#counts[code]!] as const).filter(
        ([, count]) => count > 0,
      ),
    );
  }
}
