import type { Manifest } from "../manifest.ts";
import type { ResultStore } from "../store/result-store.ts";
import { jobIdOf, nameOfJob, type UnitQueue } from "./unit-queue.ts";

export interface QueueStatus {
  readonly queue: string;
  readonly jobs: Readonly<Record<string, number>>;
  /** Failed for good, with the reason of the last attempt. */
  readonly failed: readonly { readonly trace: string; readonly reason: string }[];
  /** Of a manifest, where one is named. */
  readonly manifest: ManifestStatus | null;
}

export interface ManifestStatus {
  readonly planned: number;
  readonly done: number;
  /** Waiting, delayed or in work. */
  readonly queued: number;
  readonly failed: number;
  /** Neither done nor on the queue: `batch submit` puts them there. */
  readonly missing: readonly string[];
}

/** Failures that are fetched at a time. */
const PAGE = 500;

export async function queueStatus(
  queue: UnitQueue,
  manifest: Manifest | undefined,
  store: ResultStore | undefined,
): Promise<QueueStatus> {
  const jobs = await queue.getJobCounts("waiting", "active", "delayed", "completed", "failed");
  const failed: { trace: string; reason: string }[] = [];
  for (let from = 0; ; from += PAGE) {
    const page = await queue.getFailed(from, from + PAGE - 1);
    for (const job of page) {
      failed.push({ trace: nameOfJob(job.data), reason: job.failedReason });
    }
    if (page.length < PAGE) break;
  }
  failed.sort((a, b) => (a.trace < b.trace ? -1 : 1));
  const ofManifest =
    manifest === undefined || store === undefined
      ? null
      : await manifestStatus(queue, manifest, store);
  return { queue: queue.name, jobs, failed, manifest: ofManifest };
}

async function manifestStatus(
  queue: UnitQueue,
  { items }: Manifest,
  store: ResultStore,
): Promise<ManifestStatus> {
  let done = 0;
  let queued = 0;
  let failed = 0;
  const missing: string[] = [];
  for (const { key, trace } of items) {
    if (await store.has("results", key)) {
      done += 1;
      continue;
    }
    const state = await queue.getJobState(jobIdOf(key));
    if (state === "failed") failed += 1;
    else if (state === "unknown" || state === "completed") missing.push(trace);
    else queued += 1;
  }
  return { planned: items.length, done, queued, failed, missing };
}
