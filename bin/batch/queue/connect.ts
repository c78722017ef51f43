import { Redis } from "ioredis";
import { TraceError } from "../../../ingest/errors.ts";
import type { RedisAddress } from "./redis-address.ts";

const CONNECT_TIMEOUT_MS = 5000;
const LONGEST_PAUSE_MS = 2000;

export interface Connection {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: Record<string, never>;
  readonly connectTimeout: number;
  /** Null: a request waits until the server is back. */
  readonly maxRetriesPerRequest: null;
  /** Milliseconds until the next attempt to connect. */
  readonly retryStrategy: (times: number) => number;
}

/** How BullMQ reaches the server: for ever, because a server that restarts comes back. */
export function connectionOf(address: RedisAddress): Connection {
  const { host, port, username, password, database, isTls } = address;
  return {
    host,
    port,
    db: database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(isTls ? { tls: {} } : {}),
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(LONGEST_PAUSE_MS, 100 * times),
  };
}

/**
 * Fails at once where there is no server or it does not let us in: what follows would wait for it without
 * a word. @throws TraceError UNREADABLE.
 */
export async function refuseUnreachable(address: RedisAddress): Promise<void> {
  const redis = new Redis({
    ...connectionOf(address),
    lazyConnect: true,
    maxRetriesPerRequest: 1,
    retryStrategy: () => null,
  });
  // The cause comes this way; the call itself may only know that the connection was closed.
  let cause: unknown;
  redis.on("error", (error) => {
    cause ??= error;
  });
  try {
    await redis.connect();
    await redis.ping();
  } catch (error) {
    throw new TraceError(
      "UNREADABLE",
      `Redis does not answer: ${reasonOf(cause ?? error)}`,
      address.description,
      "is a server running there? TLBI_REPLAY_REDIS_URL or --redis names another",
    );
  } finally {
    redis.disconnect();
  }
}

/** In our words or by its code: a message of the server or the library may repeat what was sent. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code !== "") return code;
  const reply = /^(WRONGPASS|NOAUTH|NOPERM|LOADING|READONLY|OOM|MISCONF|ERR)\b/.exec(error.message);
  const known: Readonly<Record<string, string>> = {
    WRONGPASS: "the user or the password is wrong (WRONGPASS)",
    NOAUTH: "it wants a password (NOAUTH)",
    NOPERM: "this user may not do that (NOPERM)",
    OOM: "its memory is full (OOM)",
    MISCONF: "it cannot save to its disk (MISCONF)",
  };
  const word = reply?.[1];
  if (word !== undefined) return known[word] ?? word;
  return /closed|ended/i.test(error.message) ? "the connection was closed" : error.name;
}
