/** Which vCPUs are inside the guest: a flush interrupts those, and only those. */
export class RunningVcpus {
  /** Threads inside the guest, by VM; 0: of a VM that no event of theirs names. */
  readonly #inside = new Map<number, Set<number>>();
  readonly #vms = new Set<number>();
  /** Entries and exits were recorded, so an absent vCPU is not running. */
  isKnown = false;

  /** The trace has a VM of this pointer. */
  note(kvm: number): void {
    this.#vms.add(kvm);
  }

  enter(kvm: number, pid: number): void {
    this.isKnown = true;
    const inside = this.#inside.get(kvm);
    if (inside === undefined) this.#inside.set(kvm, new Set([pid]));
    else inside.add(pid);
  }

  leave(pid: number): void {
    this.isKnown = true;
    for (const inside of this.#inside.values()) inside.delete(pid);
  }

  /** vCPUs of the VM that an interrupt has to be sent to; those of no known VM are of the only one. */
  count(kvm: number): number {
    const own = this.#inside.get(kvm)?.size ?? 0;
    if (kvm === 0 || this.#vms.size > 1) return own;
    return own + (this.#inside.get(0)?.size ?? 0);
  }

  forget(): void {
    this.#inside.clear();
  }
}
