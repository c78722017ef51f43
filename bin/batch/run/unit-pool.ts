import { fileURLToPath } from "node:url";
import workerpool from "workerpool";
import type { BatchItem, SharedPart } from "../manifest.ts";
import type { UnitSetting } from "../unit.ts";
import { failed, type UnitOutcome } from "./outcome.ts";
import { OUT_OF_MEMORY_EXIT, type UnitJob } from "./unit-job.ts";

export interface PoolSetting extends UnitSetting {
  readonly jobs: number;
  readonly store: string;
  /** Most resident memory of a worker process. */
  readonly maxMemoryBytes: number;
  /** Most time for one trace. */
  readonly timeoutMs: number;
}

/** Built or not, the worker is the built file: processes cannot load TypeScript. */
const WORKER: string = fileURLToPath(new URL("./unit-worker.js", import.meta.url)).replace(
  /^(.*)\/(bin\/batch\/run\/unit-worker\.js)$/,
  (_whole, root: string, file: string) =>
    import.meta.url.endsWith(".ts") ? `${root}/dist/${file}` : `${root}/${file}`,
);

/**
 * Processes that work on traces, one trace each at a time. Processes and not threads: what kills one (the
 * kernel's OOM killer, a defect, a signal) costs one attempt at one trace.
 */
export class UnitPool {
  readonly #pool: workerpool.Pool;
  readonly #setting: PoolSetting;

  constructor(setting: PoolSetting) {
    this.#setting = setting;
    const heapMb = Math.max(64, Math.floor(setting.maxMemoryBytes / 2 ** 20));
    this.#pool = workerpool.pool(WORKER, {
      workerType: "process",
      maxWorkers: setting.jobs,
      maxQueueSize: setting.jobs,
      forkOpts: {
        execArgv: [`--max-old-space-size=${heapMb}`],
        // A Ctrl-C is for the parent to see, which may want to let its workers finish.
        detached: true,
        stdio: ["ignore", "ignore", "ignore", "ipc"],
      },
    });
  }

  async run(item: BatchItem, shared: SharedPart): Promise<UnitOutcome> {
    const { root, maxContentBytes, store, maxMemoryBytes, timeoutMs } = this.#setting;
    const setting = { root, maxContentBytes };
    const job: UnitJob = { item, shared, setting, store, maxMemoryBytes };
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `unit` of unit-worker.ts gives
      return (await this.#pool.exec("unit", [job]).timeout(timeoutMs)) as UnitOutcome;
    } catch (error) {
      return this.#outcomeOf(error);
    }
  }

  /** Ends the processes, at once where they are to be abandoned. */
  async close(force: boolean): Promise<void> {
    await this.#pool.terminate(force);
  }

  #outcomeOf(error: unknown): UnitOutcome {
    const { timeoutMs, maxMemoryBytes } = this.#setting;
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    if (name === "TimeoutError") {
      return failed("TIMEOUT", `the trace took longer than ${timeoutMs / 1000} s`);
    }
    const exit = /exitCode: `(\d+)`/.exec(message)?.[1];
    const signal = /signalCode: `(SIG[A-Z0-9]+)`/.exec(message)?.[1];
    // 134 and SIGABRT: the runtime could not get more heap.
    if (Number(exit) === OUT_OF_MEMORY_EXIT || exit === "134" || signal === "SIGABRT") {
      const mib = Math.floor(maxMemoryBytes / 2 ** 20);
      return failed("OUT_OF_MEMORY", `the trace needs more than ${mib} MiB of memory`);
    }
    if (signal !== undefined) return failed("WORKER_LOST", `the worker was ended by ${signal}`);
    if (exit !== undefined) return failed("WORKER_LOST", `the worker ended with code ${exit}`);
    return failed("WORKER_LOST", "the worker ended without an answer");
  }
}
