/** Which vCPUs are inside the guest: a flush interrupts those, and only those. */
export class RunningVcpus {
  /** Threads inside the guest, by VM. */
  readonly #inside = new Map<number, Set<number>>();
  /** Entries and exits were recorded, so an absent vCPU is not running. */
  isKnown = false;

  enter(kvm: number, pid: number): void {
    this.isKnown = true;
    const inside = this.#inside.get(kvm);
    if (inside === undefined) this.#inside.set(kvm, new Set([pid]));
    else inside.add(pid);
  }

  leave(kvm: number, pid: number): void {
    this.isKnown = true;
    this.#inside.get(kvm)?.delete(pid);
  }

  /** vCPUs of the VM that an interrupt has to be sent to. */
  count(kvm: number): number {
    return this.#inside.get(kvm)?.size ?? 0;
  }

  forget(): void {
    this.#inside.clear();
  }
}
