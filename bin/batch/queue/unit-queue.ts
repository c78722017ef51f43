import { Queue, type JobsOptions } from "bullmq";
import * as v from "valibot";
import { type BatchItem, ITEM_SCHEMA, keyOf, SHARED_SCHEMA, type SharedPart } from "../manifest.ts";
import { connectionOf, reasonOf } from "./connect.ts";
import type { RedisAddress } from "./redis-address.ts";

/** What a job on the queue holds: no credentials, and no place of results, which each worker is told. */
export interface QueuedUnit {
  readonly item: BatchItem;
  readonly shared: SharedPart;
}

export type UnitQueue = Queue<QueuedUnit, QueuedOutcome, "unit">;
/** What a finished job says. */
export interface QueuedOutcome {
  readonly isLossy: boolean;
  /** The result was there already. */
  readonly isEarlier: boolean;
}

const KEPT_DONE_S = 7 * 24 * 3600;

export function openQueue(
  address: RedisAddress,
  name: string,
  onError: (reason: string) => void,
): UnitQueue {
  const queue: UnitQueue = new Queue(name, { connection: connectionOf(address) });
  // A server that goes away comes back or not: whoever waits for an answer decides.
  queue.on("error", (error) => onError(reasonOf(error)));
  return queue;
}

/** One job a key, so that submitting a trace again adds nothing. Not all digits: the library refuses such. */
export function jobIdOf(key: string): string {
  return `unit-${key}`;
}

export function jobOptions(item: BatchItem, attempts: number, delayMs: number): JobsOptions {
  return {
    jobId: jobIdOf(item.key),
    attempts,
    // With jitter, so that the retries of a disk that was full do not come all at once.
    backoff: { type: "exponential", delay: delayMs, jitter: 0.5 },
    removeOnComplete: { age: KEPT_DONE_S },
    removeOnFail: false,
  };
}

const schema = v.strictObject({ item: ITEM_SCHEMA, shared: SHARED_SCHEMA });

/** A job as it came from the server, which others write to; undefined where it is none of ours. */
export function parseUnit(data: unknown): QueuedUnit | undefined {
  const parsed = v.safeParse(schema, data);
  if (!parsed.success) return undefined;
  const { item, shared } = parsed.output;
  return item.key === keyOf(item, shared) ? { item, shared } : undefined;
}

/** What a job is called in messages, whatever it holds. */
export function nameOfJob(data: unknown): string {
  return parseUnit(data)?.item.trace ?? "a job that is no unit of a batch";
}
