import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "bullmq";
import { connectionOf, reasonOf } from "./connect.ts";
import type { RedisAddress } from "./redis-address.ts";
import { keepStalled, processUnit, type ProcessorSetting } from "./unit-processor.ts";
import { nameOfJob, type QueuedOutcome, type QueuedUnit, type UnitQueue } from "./unit-queue.ts";

export interface WorkerSetting extends ProcessorSetting {
  readonly address: RedisAddress;
  readonly queue: UnitQueue;
  readonly jobs: number;
  /** A job whose worker was not heard of for so long is another's. */
  readonly lockMs: number;
  /** How often a job may lose its worker before it counts as failed. */
  readonly maxStalls: number;
  /** Ends when the queue holds nothing to do. */
  readonly untilEmpty: boolean;
  readonly stop: AbortSignal;
  readonly onError: (reason: string) => void;
  readonly onUnit?: (name: string, outcome: "done" | "retry" | "failed", reason: string) => void;
}

export interface WorkerReport {
  readonly done: number;
  /** Of them: the result was there already. */
  readonly earlier: number;
  readonly lossy: number;
  /** Failed for good. */
  readonly failed: number;
  /** Attempts that the queue will repeat. */
  readonly retried: number;
}

const POLL_MS = 200;

/**
 * Takes jobs until it is stopped, or until there are none. When it is stopped it finishes what it has and
 * takes no more; when it is killed, another worker takes over what it had.
 */
export async function runWorker(setting: WorkerSetting): Promise<WorkerReport> {
  const report = { done: 0, earlier: 0, lossy: 0, failed: 0, retried: 0 };
  const { queue, stop } = setting;
  const worker = new Worker<QueuedUnit, QueuedOutcome, "unit">(
    queue.name,
    async (job) => processUnit(job, setting),
    {
      connection: connectionOf(setting.address),
      concurrency: setting.jobs,
      lockDuration: setting.lockMs,
      stalledInterval: setting.lockMs,
      maxStalledCount: setting.maxStalls,
    },
  );
  worker.on("error", (error) => setting.onError(reasonOf(error)));
  worker.on("completed", (job, { isLossy, isEarlier }) => {
    report.done += 1;
    if (isEarlier) report.earlier += 1;
    if (isLossy) report.lossy += 1;
    setting.onUnit?.(nameOfJob(job.data), "done", "");
  });
  worker.on("failed", (job, error) => {
    if (job === undefined) return;
    const isFinal = job.finishedOn !== undefined;
    if (isFinal) report.failed += 1;
    else report.retried += 1;
    setting.onUnit?.(nameOfJob(job.data), isFinal ? "failed" : "retry", error.message);
    keepStalled(job, error.message, setting.store).catch(() => {});
  });
  try {
    while (!stop.aborted) {
      if (setting.untilEmpty && (await isEmpty(queue))) break;
      await sleep(POLL_MS, undefined, { signal: stop }).catch(() => {});
    }
  } finally {
    await worker.close();
  }
  return report;
}

/** Nothing waits, is delayed or is being worked on, here or elsewhere. */
async function isEmpty(queue: UnitQueue): Promise<boolean> {
  const counts = await queue.getJobCounts("waiting", "active", "delayed", "prioritized");
  return Object.values(counts).every((count) => count === 0);
}
