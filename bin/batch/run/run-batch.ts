import { TraceError } from "../../../ingest/errors.ts";
import type { BatchItem } from "../manifest.ts";
import type { ResultStore } from "../store/result-store.ts";
import { failureJson, parseFailure } from "./failure-document.ts";
import { isOfStore, isTransient, type UnitFailed, type UnitOutcome } from "./outcome.ts";
import { delayMs, pause, type RetryPolicy, triesAgain } from "./retry.ts";

export interface FailedTrace {
  readonly trace: string;
  readonly key: string;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  /** It failed in an earlier run, and was not tried again. */
  readonly isEarlier: boolean;
}

export interface RunReport {
  readonly planned: number;
  readonly computed: number;
  /** Results that were there already. */
  readonly skipped: number;
  /** Of the computed ones: their traces lost data. */
  readonly lossy: number;
  readonly failed: readonly FailedTrace[];
  /** Neither done nor failed: the run was stopped before. */
  readonly untried: number;
  /** Why the run stopped before its end; undefined where it did not. */
  readonly stopped: string | undefined;
}

export interface RunSetting {
  readonly store: ResultStore;
  readonly execute: (item: BatchItem) => Promise<UnitOutcome>;
  /** How many traces are worked on at once. */
  readonly jobs: number;
  readonly retry: RetryPolicy;
  /** Try again what failed for good in an earlier run. */
  readonly retryFailed: boolean;
  readonly stop: AbortSignal;
  readonly onProgress?: (done: number) => void;
}

/**
 * Works on items in their order, `jobs` at a time, and keeps a result or a failure of each. What has a result
 * is not done again. A store that takes no results ends the run: the rest stays to be done.
 */
export async function runBatch(
  items: readonly BatchItem[],
  setting: RunSetting,
): Promise<RunReport> {
  return new BatchRun(items, setting).run();
}

class BatchRun {
  readonly #items: readonly BatchItem[];
  readonly #setting: RunSetting;
  #next = 0;
  #computed = 0;
  #skipped = 0;
  #lossy = 0;
  readonly #failed: FailedTrace[] = [];
  #stopped: string | undefined;

  constructor(items: readonly BatchItem[], setting: RunSetting) {
    this.#items = items;
    this.#setting = setting;
  }

  async run(): Promise<RunReport> {
    await Promise.all(Array.from({ length: this.#setting.jobs }, async () => this.#work()));
    const ended = this.#computed + this.#skipped + this.#failed.length;
    if (this.#setting.stop.aborted) this.#stopped ??= "it was interrupted";
    return {
      planned: this.#items.length,
      computed: this.#computed,
      skipped: this.#skipped,
      lossy: this.#lossy,
      failed: this.#failed.toSorted((a, b) => (a.trace < b.trace ? -1 : 1)),
      untried: this.#items.length - ended,
      stopped: this.#stopped,
    };
  }

  get #isStopped(): boolean {
    return this.#stopped !== undefined || this.#setting.stop.aborted;
  }

  async #work(): Promise<void> {
    while (!this.#isStopped) {
      const item = this.#items[this.#next];
      if (item === undefined) return;
      this.#next += 1;
      try {
        await this.#one(item);
      } catch (error) {
        // The store does not answer, or does not take a failure.
        if (!(error instanceof TraceError)) throw error;
        this.#stopped ??= error.message;
      }
      this.#setting.onProgress?.(this.#computed + this.#skipped + this.#failed.length);
    }
  }

  async #one(item: BatchItem): Promise<void> {
    const { store, retryFailed } = this.#setting;
    if (await store.has("results", item.key)) {
      this.#skipped += 1;
      return;
    }
    const text = await store.read("failures", item.key);
    const earlier = text === undefined ? undefined : parseFailure(text, item.key);
    if (earlier !== undefined && !retryFailed && !isTransient(earlier.code)) {
      const { code, message, attempts } = earlier;
      this.#failed.push(failedTrace(item, { code, message, attempts, isEarlier: true }));
      return;
    }
    await this.#attempt(item, earlier?.attempts ?? 0);
  }

  async #attempt(item: BatchItem, before: number): Promise<void> {
    const { store, retry, stop } = this.#setting;
    for (let attempts = 1; ; attempts += 1) {
      const outcome = await this.#setting.execute(item);
      if (outcome.ok) {
        await store.remove("failures", item.key);
        this.#computed += 1;
        if (outcome.isLossy) this.#lossy += 1;
        return;
      }
      // Its worker was ended because the run was: nothing is known of the trace.
      if (stop.aborted) return;
      if (triesAgain(outcome.code, attempts, retry)) {
        await pause(delayMs(attempts, retry), stop);
        if (this.#isStopped) return;
        continue;
      }
      if (isOfStore(outcome.code)) {
        this.#stopped ??= outcome.message;
        return;
      }
      await this.#keepFailure(item, outcome, before + attempts);
      return;
    }
  }

  async #keepFailure(item: BatchItem, outcome: UnitFailed, attempts: number): Promise<void> {
    const { key, trace } = item;
    const { code, message } = outcome;
    this.#failed.push(failedTrace(item, { code, message, attempts, isEarlier: false }));
    const text = failureJson({ key, trace, code, message, attempts });
    await this.#setting.store.write("failures", key, text);
  }
}

function failedTrace(
  { trace, key }: BatchItem,
  rest: Omit<FailedTrace, "trace" | "key">,
): FailedTrace {
  return { trace, key, ...rest };
}
