import { setTimeout as sleep } from "node:timers/promises";
import type { BatchItem, Manifest, SharedPart } from "../manifest.ts";
import type { ResultStore } from "../store/result-store.ts";
import { jobIdOf, jobOptions, type UnitQueue } from "./unit-queue.ts";

export interface SubmitReport {
  readonly planned: number;
  /** Put on the queue now. */
  readonly submitted: number;
  /** Their results are in the store. */
  readonly done: number;
  /** On the queue from an earlier submission. */
  readonly queued: number;
  /** Failed for good on the queue; `--retry-failed` tries them again. */
  readonly failed: number;
  /** Of those that had failed: tried again now. */
  readonly retried: number;
  /** Neither: the submission was stopped before. */
  readonly untried: number;
}

export interface SubmitSetting {
  readonly queue: UnitQueue;
  /** Where the results go: what is there needs no job. */
  readonly store: ResultStore;
  readonly attempts: number;
  readonly delayMs: number;
  /** Back-pressure: no more jobs than this wait on the queue. */
  readonly maxWaiting: number;
  readonly retryFailed: boolean;
  readonly stop: AbortSignal;
  readonly onProgress?: (done: number) => void;
}

const POLL_MS = 250;

/**
 * Puts items on the queue, each once however often it is submitted, and waits while the queue is full. It
 * may be ended and repeated at any time.
 */
export async function submitBatch(
  manifest: Manifest,
  setting: SubmitSetting,
): Promise<SubmitReport> {
  const counts = { submitted: 0, done: 0, queued: 0, failed: 0, retried: 0 };
  const { root, tool, parameters, parameter_files } = manifest;
  const shared: SharedPart = { root, tool, parameters, parameter_files };
  let room = 0;
  let ended = 0;
  for (const item of manifest.items) {
    if (room === 0) room = await waitForRoom(setting);
    if (setting.stop.aborted) break;
    const outcome = await submitOne(item, shared, setting);
    counts[outcome] += 1;
    if (outcome === "submitted" || outcome === "retried") room -= 1;
    ended += 1;
    setting.onProgress?.(ended);
  }
  const planned = manifest.items.length;
  return { planned, ...counts, untried: planned - ended };
}

async function submitOne(
  item: BatchItem,
  shared: SharedPart,
  setting: SubmitSetting,
): Promise<"submitted" | "done" | "queued" | "failed" | "retried"> {
  const { queue, store } = setting;
  if (await store.has("results", item.key)) return "done";
  const job = await queue.getJob(jobIdOf(item.key));
  const state = job === undefined ? undefined : await job.getState();
  // A job that says it is done, without a result: somebody emptied the store.
  if (state === "completed") await job?.remove();
  else if (state === "failed") {
    if (!setting.retryFailed) return "failed";
    await job?.remove();
    await add(item, shared, setting);
    return "retried";
  } else if (state !== undefined && state !== "unknown") return "queued";
  await add(item, shared, setting);
  return "submitted";
}

async function add(item: BatchItem, shared: SharedPart, setting: SubmitSetting): Promise<void> {
  const { queue, attempts, delayMs } = setting;
  await queue.add("unit", { item, shared }, jobOptions(item, attempts, delayMs));
}

async function waitForRoom({ queue, maxWaiting, stop }: SubmitSetting): Promise<number> {
  for (;;) {
    const {
      waiting = 0,
      delayed = 0,
      prioritized = 0,
    } = await queue.getJobCounts("waiting", "delayed", "prioritized");
    const room = maxWaiting - waiting - delayed - prioritized;
    if (room > 0 || stop.aborted) return Math.max(0, room);
    await sleep(POLL_MS, undefined, { signal: stop }).catch(() => {});
  }
}
