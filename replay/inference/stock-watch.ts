import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import type { InferenceResult, InferredReplay } from "./inferred-replay.ts";

const K = EventKind;

/**
 * Infers for as long as a trace shows nothing but stock tracepoints: the first probed stage-2 operation
 * ends it for good, since inferred and probed operations are never mixed.
 */
export class StockWatch {
  #replay: InferredReplay | undefined;
  #hasStock = false;

  constructor(replay: InferredReplay) {
    this.#replay = replay;
  }

  consume(batch: EventBatch): void {
    if (this.#replay === undefined) return;
    for (let row = 0; row < batch.length; row += 1) {
      const kind = batch.kind[row]!;
      if (kind >= K.map && kind <= K.set_owner) {
        this.#replay = undefined;
        return;
      }
      if (kind === K.guest_fault || kind === K.unmap_hva) this.#hasStock = true;
    }
    this.#replay.consume(batch);
  }

  /** Undefined: the trace has probed operations, or nothing to infer them from. */
  finish(): InferenceResult | undefined {
    return this.#hasStock ? this.#replay?.finish() : undefined;
  }
}
