import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import type { TraceReader } from "../../ingest/reader.ts";

/** Goes through the events of a reader one by one; rows of losses are counted and passed. */
export class EventCursor {
  readonly reader: TraceReader;
  /** Where it stands: a row of the batch. */
  row = -1;
  lostRows = 0;
  readonly #batches: AsyncIterator<EventBatch>;
  #batch: EventBatch | undefined;

  constructor(reader: TraceReader) {
    this.reader = reader;
    this.#batches = reader.batches()[Symbol.asyncIterator]();
  }

  get batch(): EventBatch {
    return this.#batch!;
  }

  /** Goes to the next event of the batch; false: there is none, `load` takes the next batch. */
  advance(): boolean {
    const batch = this.#batch;
    if (batch === undefined) return false;
    for (this.row += 1; this.row < batch.length; this.row += 1) {
      if (batch.kind[this.row] !== EventKind.lost) return true;
      this.lostRows += 1;
    }
    return false;
  }

  /** Takes the next batch and goes to its first event; false at the end of the trace. */
  async load(): Promise<boolean> {
    for (;;) {
      const next = await this.#batches.next();
      if (next.done === true) {
        this.#batch = undefined;
        return false;
      }
      this.#batch = next.value;
      this.row = -1;
      if (this.advance()) return true;
    }
  }

  /** Reads what is left, so that everything about the trace is known. */
  async finish(): Promise<void> {
    while (await this.load()) while (this.advance()) continue;
  }
}
