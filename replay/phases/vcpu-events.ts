import type { ReplayState } from "../state.ts";
import type { GuestRecord } from "./guest-record.ts";
import type { GuestRecords } from "./guest-records.ts";
import { type VcpuState, VcpuStates } from "./vcpu-states.ts";

/** Threads that enter guests: whose they are, when a whole VM stands still, and how long faults take. */
export class VcpuEvents {
  /** kvm_entry events were seen: without them no stop and no fault time can be told. */
  showsEntries = false;
  showsExits = false;
  /**
   * A kvm_userspace_exit with an errno was seen. `trace-cmd report` and `perf script` print none: there, as
   * without the tracepoint, a stopped VM and an idle one look alike.
   */
  showsKicks = false;
  readonly #guests: GuestRecords;
  readonly #states = new VcpuStates();

  constructor(guests: GuestRecords) {
    this.#guests = guests;
  }

  entry(pid: number, tsNs: number, line: number, replay: ReplayState): void {
    this.showsEntries = true;
    const state = this.#states.of(pid);
    const isFirst = Number.isNaN(state.firstEntryNs);
    if (isFirst) state.firstEntryNs = tsNs;
    const record = this.#recordOf(state, tsNs, replay);
    if (isFirst) this.#ranFirst(record, tsNs, line);
    if (record !== undefined) {
      if (record.stops.isStopped) record.endStop(tsNs, line);
      if (state.isMapping && !Number.isNaN(state.faultNs)) {
        const { counts } = record.timeline.current;
        counts.faultNs += Math.max(0, tsNs - state.faultNs);
        counts.faults += 1;
      }
    }
    state.isInGuest = true;
    state.isOut = false;
    state.isKicked = false;
    state.isMapping = false;
    state.faultNs = Number.NaN;
  }

  exit(pid: number, tsNs: number): void {
    this.showsExits = true;
    const state = this.#states.of(pid);
    state.isInGuest = false;
    state.lastExitNs = tsNs;
  }

  fault(pid: number, tsNs: number): void {
    const state = this.#states.of(pid);
    state.isInGuest = false;
    state.faultNs = tsNs;
  }

  /** The thread's fault led to a page-table call: it is not emulation of a device. */
  mapped(pid: number): void {
    const state = this.#states.find(pid);
    if (state !== undefined) state.isMapping = true;
  }

  /** `reason`: negative where an errno made KVM_RUN return. */
  userspaceExit(pid: number, tsNs: number, line: number, reason: number): void {
    if (reason < 0) this.showsKicks = true;
    const state = this.#states.of(pid);
    state.isInGuest = false;
    state.isOut = true;
    state.isKicked = reason < 0;
    state.faultNs = Number.NaN;
    const record = state.vm === 0 ? undefined : this.#guests.find(state.vm);
    if (record === undefined || !record.isLogging || record.stops.isStopped) return;
    let kicked = 0;
    for (const other of record.vcpuPids) {
      const one = this.#states.of(other);
      if (!one.isOut) return;
      if (one.isKicked) kicked += 1;
    }
    if (kicked > 0) record.beginStop(tsNs, kicked, line);
  }

  /** Dirty pages of a VM are about to be collected: does it stand still? Only where nothing says so. */
  beforeClear(record: GuestRecord, pid: number, line: number): void {
    if (this.showsKicks || record.stops.isStopped || record.vcpuPids.has(pid)) return;
    const lastExitNs = this.lastExitNs(record);
    if (!Number.isNaN(lastExitNs)) record.beginStop(lastExitNs, 0, line);
  }

  /** When the last vCPU left the guest; NaN where one is inside, or that is not known. */
  lastExitNs(record: GuestRecord): number {
    let last = Number.NaN;
    for (const pid of record.vcpuPids) {
      const state = this.#states.of(pid);
      if (state.isInGuest || Number.isNaN(state.lastExitNs)) return Number.NaN;
      last = Number.isNaN(last) ? state.lastExitNs : Math.max(last, state.lastExitNs);
    }
    return last;
  }

  forget(): void {
    this.#states.forget();
  }

  recordOfPid(pid: number): GuestRecord | undefined {
    const vm = this.#states.find(pid)?.vm ?? 0;
    return vm === 0 ? undefined : this.#guests.find(vm);
  }

  /** The VM of the thread's last fault; where it had none yet, the only one that there is. */
  #recordOf(state: VcpuState, tsNs: number, replay: ReplayState): GuestRecord | undefined {
    const { vcpuContext } = replay.task(state.pid);
    const context = vcpuContext ?? replay.contexts.onlyVm?.canonical;
    if (context === undefined || context.isGone) return undefined;
    const record = this.#guests.ofContext(context, tsNs);
    if (state.vm !== record.number) {
      this.#guests.find(state.vm)?.vcpuPids.delete(state.pid);
      state.vm = record.number;
      record.vcpuPids.add(state.pid);
      record.firstEntryNs = Math.min(record.firstEntryNs, state.firstEntryNs);
    }
    return record;
  }

  /** A thread enters a guest for the first time: the destination of a migration that stopped its source? */
  #ranFirst(own: GuestRecord | undefined, tsNs: number, line: number): void {
    const isNew =
      own === undefined
        ? this.#guests.all.some((one) => one.vcpuPids.size === 0 && isMade(one))
        : own.firstEntryNs === tsNs && isMade(own);
    if (!isNew) return;
    for (const record of this.#guests.all) {
      if (record !== own) record.ranElsewhere(tsNs, line);
    }
  }
}

/** The trace shows how its memory was made. */
function isMade(record: GuestRecord): boolean {
  return !record.slots.isEmpty && !record.isGone;
}
