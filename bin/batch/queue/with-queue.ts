import type { Log } from "../../log.ts";
import { refuseUnreachable } from "./connect.ts";
import { DEFAULT_QUEUE } from "./queue-name.ts";
import { type RedisAddress, redisAddress } from "./redis-address.ts";
import { openQueue, type UnitQueue } from "./unit-queue.ts";

export interface QueueOptions {
  readonly redis: string | undefined;
  readonly queue: string | undefined;
}

/** A server that is away is said once, and again when it has been back. */
const QUIET_MS = 10_000;

/**
 * Opens the queue, does something with it and closes it, whatever happens.
 * @throws TraceError UNREADABLE where no server answers.
 */
export async function withQueue<Result>(
  options: QueueOptions,
  log: Log,
  use: (
    queue: UnitQueue,
    address: RedisAddress,
    onError: (reason: string) => void,
  ) => Promise<Result>,
): Promise<Result> {
  const address = redisAddress(options.redis, process.env);
  await refuseUnreachable(address);
  let saidMs = Number.NEGATIVE_INFINITY;
  const onError = (reason: string): void => {
    if (performance.now() - saidMs < QUIET_MS) return;
    saidMs = performance.now();
    log.warn(`${address.description}: ${reason}; waiting for it to come back`);
  };
  const queue = openQueue(address, options.queue ?? DEFAULT_QUEUE, onError);
  try {
    return await use(queue, address, onError);
  } finally {
    await queue.close();
  }
}
