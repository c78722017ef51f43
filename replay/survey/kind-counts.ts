import type { EventBatch } from "../../ingest/events/columns.ts";
import {
  APPLIED_FUNCTIONS,
  EVENT_KINDS,
  EventKind,
  type EventKindName,
} from "../../ingest/events/kinds.ts";

/** Events by kind, and what stage2_apply_range was called for. */
export class KindCounts {
  readonly #counts = new Float64Array(EVENT_KINDS.length);
  readonly #applied = new Uint8Array(APPLIED_FUNCTIONS.length);

  consume(batch: EventBatch): void {
    const { kind, arg0 } = batch;
    for (let row = 0; row < batch.length; row += 1) {
      const code = kind[row]!;
      this.#counts[code]! += 1;
      // NaN where the probe does not tell, which no element of the array is.
      if (code === EventKind.apply_range) this.#applied[arg0[row]!] = 1;
    }
  }

  applied(): ReadonlySet<string> {
    return new Set(APPLIED_FUNCTIONS.filter((_, code) => this.#applied[code] === 1));
  }

  byKind(): ReadonlyMap<EventKindName, number> {
    return new Map(
      EVENT_KINDS.map((kind, code) => [kind, this.#counts[code]!] as const).filter(
        ([, count]) => count > 0,
      ),
    );
  }
}
