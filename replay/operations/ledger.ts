import { FlushQueue } from "../policies/flush-queue.ts";
import { UnmapScope } from "../policies/pending.ts";
import { RecordedCalls } from "./recorded-calls.ts";

/**
 * What gathers while a thread has something open: recorded calls, and for each policy the calls it
 * issues and what its unmap operation has removed. Ledgers come from a pool, so a trace with many
 * threads needs no more of them than threads that are busy at one time.
 */
export class Ledger {
  readonly recorded: RecordedCalls = new RecordedCalls();
  /** By policy. */
  readonly queues: readonly FlushQueue[];
  readonly scopes: readonly UnmapScope[];

  constructor(policies: number) {
    this.queues = Array.from({ length: policies }, () => new FlushQueue());
    this.scopes = Array.from({ length: policies }, () => new UnmapScope());
  }

  /** Nothing in it is waiting: another thread may have it. */
  get isIdle(): boolean {
    if (this.recorded.length > 0) return false;
    for (const queue of this.queues) if (queue.length > 0) return false;
    for (const scope of this.scopes) if (scope.isTouched) return false;
    return true;
  }

  /** Drops what gathered: the operation was cut. */
  reset(): void {
    this.recorded.clear();
    for (const queue of this.queues) queue.clear();
    for (const scope of this.scopes) scope.reset();
  }
}

/** Of a thread that has nothing open. Never written to. */
export const NO_LEDGER: Ledger = new Ledger(0);
