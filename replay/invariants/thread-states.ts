/** Threads that are remembered; of more, those seen first are forgotten. */
const MAX_THREADS = 65_536;

/** A state for each thread, in bounded memory. */
export class ThreadStates<State> {
  readonly #byPid = new Map<number, State>();
  readonly #create: () => State;
  #lastPid = Number.NaN;
  #last: State | undefined;

  constructor(create: () => State) {
    this.#create = create;
  }

  of(pid: number): State {
    if (pid === this.#lastPid) return this.#last!;
    let state = this.#byPid.get(pid);
    if (state === undefined) {
      if (this.#byPid.size >= MAX_THREADS) this.#forgetFirst();
      state = this.#create();
      this.#byPid.set(pid, state);
    }
    this.#lastPid = pid;
    this.#last = state;
    return state;
  }

  values(): Iterable<State> {
    return this.#byPid.values();
  }

  clear(): void {
    this.#byPid.clear();
    this.#lastPid = Number.NaN;
  }

  #forgetFirst(): void {
    for (const pid of this.#byPid.keys()) {
      this.#byPid.delete(pid);
      return;
    }
  }
}
