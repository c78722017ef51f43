/** A call that has begun and not ended. */
export interface OpenCall {
  readonly symbol: string;
  /** Its event could be used, so that its return can be. */
  readonly wasRead: boolean;
}

/** No task has such a number: -2 stands for whoever ran on CPU 0 before the text named somebody. */
const FIRST_UNNAMED = -2;

/**
 * Which task a line is of, where the lines themselves do not say: the kernel prints a line only when another
 * task goes on on a CPU, so the first one of each CPU has no name until then.
 */
export class GraphTasks {
  readonly #running = new Map<number, number>();
  /** Tasks whose first lines stood under a number that stands for their CPU. */
  readonly #aliases = new Map<number, number>();
  readonly #calls = new Map<number, (OpenCall | undefined)[]>();

  /** Number of the task that runs on a CPU. */
  runningOn(cpu: number): number {
    return this.#running.get(cpu) ?? FIRST_UNNAMED - cpu;
  }

  /** ` 0)  a-1  =>  b-2`. */
  switched(cpu: number, from: number, to: number): void {
    if (!this.#running.has(cpu) && !this.#aliases.has(from)) {
      this.#aliases.set(from, FIRST_UNNAMED - cpu);
    }
    this.#running.set(cpu, this.#aliases.get(to) ?? to);
  }

  begin(pid: number, depth: number, call: OpenCall): void {
    let calls = this.#calls.get(pid);
    if (calls === undefined) {
      calls = [];
      this.#calls.set(pid, calls);
    }
    // Calls that are deeper have ended, though their ends were lost.
    calls.length = depth;
    calls[depth] = call;
  }

  /** The call that ends; undefined where it began before the trace, or its beginning was lost. */
  end(pid: number, depth: number): OpenCall | undefined {
    const calls = this.#calls.get(pid);
    if (calls === undefined || depth >= calls.length) return undefined;
    const call = calls[depth];
    calls.length = depth;
    if (depth === 0) this.#calls.delete(pid);
    return call;
  }

  /** Events were lost: what is open may have ended. */
  forget(): void {
    this.#calls.clear();
  }
}
