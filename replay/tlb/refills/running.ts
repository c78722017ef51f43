import type { Guest } from "./guest.ts";

/** PEs that are modelled, at most; guest time on others is counted and said. */
export const MODELLED_PES = 8;

/** Who is in a guest on which CPU, by kvm_entry and kvm_exit. */
export class RunningGuests {
  /** By PE of the model. */
  readonly guest: (Guest | undefined)[] = [];
  /** CPU that the PE stands for. */
  readonly cpu: number[] = [];
  /** Threads that run there, and since when their visits are due. */
  readonly pid: number[] = [];
  readonly sinceNs: number[] = [];
  /** Time in guests that the model saw, and that it could not use. */
  guestNs = 0;
  unknownVmNs = 0;
  unmodelledNs = 0;
  readonly #slotOfCpu = new Map<number, number>();
  /** Of a guest that is not known, or on a PE that is not modelled: since when, by CPU. */
  readonly #unusedSince = new Map<number, { sinceNs: number; isKnown: boolean }>();

  get pes(): number {
    return this.#slotOfCpu.size;
  }

  /** PE of a CPU; -1 where it is not modelled. */
  slotOf(cpu: number): number {
    return this.#slotOfCpu.get(cpu) ?? -1;
  }

  /** A thread enters the guest. */
  enter(cpu: number, pid: number, guest: Guest | undefined, nowNs: number): number {
    let slot = this.slotOf(cpu);
    if (slot < 0 && guest !== undefined && this.pes < MODELLED_PES) {
      slot = this.pes;
      this.#slotOfCpu.set(cpu, slot);
      this.cpu[slot] = cpu;
    }
    if (slot < 0 || guest === undefined) {
      this.#unusedSince.set(cpu, { sinceNs: nowNs, isKnown: guest !== undefined });
      return -1;
    }
    this.guest[slot] = guest;
    this.pid[slot] = pid;
    this.sinceNs[slot] = nowNs;
    return slot;
  }

  /** The CPU is not in a guest any more; who had been there is to be advanced before. */
  leave(cpu: number, nowNs: number): void {
    const unused = this.#unusedSince.get(cpu);
    if (unused !== undefined) {
      const ns = Math.max(0, nowNs - unused.sinceNs);
      if (unused.isKnown) this.unmodelledNs += ns;
      else this.unknownVmNs += ns;
      this.#unusedSince.delete(cpu);
    }
    const slot = this.slotOf(cpu);
    if (slot >= 0) this.guest[slot] = undefined;
  }

  /** Events are missing: nobody is known to be in a guest. */
  forget(): void {
    this.#unusedSince.clear();
    this.guest.fill(undefined);
  }

  /** ns that a PE was in its guest since it was last asked. */
  take(slot: number, nowNs: number): number {
    const ns = nowNs - this.sinceNs[slot]!;
    if (!(ns > 0)) return 0;
    this.sinceNs[slot] = nowNs;
    this.guestNs += ns;
    return ns;
  }
}
