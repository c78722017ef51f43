import { setTimeout as sleep } from "node:timers/promises";
import { isTransient } from "./outcome.ts";

export interface RetryPolicy {
  /** Attempts after the first, for failures that another attempt may mend. */
  readonly retries: number;
  /** Wait before the first of them; doubles with each. */
  readonly delayMs: number;
}

const LONGEST_DELAY_MS = 30_000;

/** Whether a trace is tried again after its `attempts`-th attempt (from 1) in this run. */
export function triesAgain(code: string, attempts: number, policy: RetryPolicy): boolean {
  return isTransient(code) && attempts <= policy.retries;
}

export function delayMs(attempts: number, policy: RetryPolicy): number {
  return Math.min(LONGEST_DELAY_MS, policy.delayMs * 2 ** (attempts - 1));
}

/** Ends early, without an error, when the run is stopped. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch(() => {});
}
