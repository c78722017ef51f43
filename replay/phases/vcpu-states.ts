/** What is known of a thread that enters guests. */
export interface VcpuState {
  readonly pid: number;
  /** It executes guest instructions. */
  isInGuest: boolean;
  /** It left KVM_RUN (kvm_userspace_exit) and has not entered the guest since. */
  isOut: boolean;
  /** A signal took it out: the exit's reason was an errno. */
  isKicked: boolean;
  firstEntryNs: number;
  /** Of the last kvm_exit; NaN before one. */
  lastExitNs: number;
  /** Of the guest fault that it is inside KVM for; NaN where it is not. */
  faultNs: number;
  /** That fault led to a page-table call. */
  isMapping: boolean;
  /** Number of the VM that it was bound to; 0: none yet. */
  vm: number;
}

/** Threads that enter guests, by pid. */
export class VcpuStates {
  readonly #states = new Map<number, VcpuState>();
  #last: VcpuState | undefined;

  /** Made where new. */
  of(pid: number): VcpuState {
    if (this.#last !== undefined && this.#last.pid === pid) return this.#last;
    let state = this.#states.get(pid);
    if (state === undefined) {
      state = newState(pid);
      this.#states.set(pid, state);
    }
    this.#last = state;
    return state;
  }

  /** Undefined for a thread that was not seen to enter a guest. */
  find(pid: number): VcpuState | undefined {
    return this.#last !== undefined && this.#last.pid === pid ? this.#last : this.#states.get(pid);
  }

  get all(): Iterable<VcpuState> {
    return this.#states.values();
  }

  /** Events are missing: nothing of what threads do now is known. */
  forget(): void {
    for (const state of this.#states.values()) {
      state.isInGuest = false;
      state.isOut = false;
      state.isKicked = false;
      state.faultNs = Number.NaN;
    }
  }
}

function newState(pid: number): VcpuState {
  return {
    pid,
    isInGuest: false,
    isOut: false,
    isKicked: false,
    firstEntryNs: Number.NaN,
    lastExitNs: Number.NaN,
    faultNs: Number.NaN,
    isMapping: false,
    vm: 0,
  };
}
