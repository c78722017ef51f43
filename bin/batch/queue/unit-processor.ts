import { type Job, UnrecoverableError } from "bullmq";
import { TraceError } from "../../../ingest/errors.ts";
import type { BatchItem, SharedPart } from "../manifest.ts";
import { toolIdentity } from "../../version.ts";
import { failureJson } from "../run/failure-document.ts";
import { isOfStore, isTransient, type UnitFailed, type UnitOutcome } from "../run/outcome.ts";
import type { ResultStore } from "../store/result-store.ts";
import { parseUnit, type QueuedOutcome, type QueuedUnit } from "./unit-queue.ts";

export interface ProcessorSetting {
  readonly store: ResultStore;
  readonly execute: (item: BatchItem, shared: SharedPart) => Promise<UnitOutcome>;
}

type UnitJob = Job<QueuedUnit, QueuedOutcome, "unit">;

/**
 * The unit of work behind a job: the same as in `batch run`, and like there a result is not computed twice.
 * What another attempt may mend is thrown for the queue to try again; what it cannot, and the last attempt,
 * become a failure document too, so that a merge lists them without asking the queue.
 */
export async function processUnit(job: UnitJob, setting: ProcessorSetting): Promise<QueuedOutcome> {
  const unit = parseUnit(job.data);
  if (unit === undefined) throw new UnrecoverableError("this job is not a unit of a batch");
  const { item, shared } = unit;
  const { store } = setting;
  if (await store.has("results", item.key)) return { isLossy: false, isEarlier: true };
  const own = toolIdentity();
  if (shared.tool.name !== own.name || shared.tool.version !== own.version) {
    const planned = `${shared.tool.name} ${shared.tool.version}`;
    throw new UnrecoverableError(`planned by ${planned}, and this worker is ${own.version}`);
  }
  const outcome = await setting.execute(item, shared);
  if (outcome.ok) {
    await store.remove("failures", item.key).catch(() => {});
    return { isLossy: outcome.isLossy, isEarlier: false };
  }
  const attempt = job.attemptsMade + 1;
  const isLast = !isTransient(outcome.code) || attempt >= (job.opts.attempts ?? 1);
  if (isLast && !isOfStore(outcome.code)) await keepFailure(store, item, outcome, attempt);
  const text = failureText(outcome);
  if (isTransient(outcome.code)) throw new Error(text);
  throw new UnrecoverableError(text);
}

/** A job that failed without its worker saying so: its workers were lost, one after the other. */
export async function keepStalled(job: UnitJob, reason: string, store: ResultStore): Promise<void> {
  const unit = parseUnit(job.data);
  if (unit === undefined || !/stalled/.test(reason)) return;
  if (await store.has("results", unit.item.key)) return;
  const failure: UnitFailed = {
    ok: false,
    code: "WORKER_LOST",
    message: "the workers that had this trace were lost, one after the other",
  };
  await keepFailure(store, unit.item, failure, job.attemptsMade + 1);
}

async function keepFailure(
  store: ResultStore,
  { key, trace }: BatchItem,
  { code, message }: UnitFailed,
  attempts: number,
): Promise<void> {
  try {
    await store.write("failures", key, failureJson({ key, trace, code, message, attempts }));
  } catch (error) {
    // The queue keeps the failure; the store has no room for it.
    if (!(error instanceof TraceError)) throw error;
  }
}

/** `CODE: sentence`, as a job's reason on the queue. */
function failureText({ code, message }: UnitFailed): string {
  return `${code}: ${message}`;
}
