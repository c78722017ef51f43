import type { Stage2Table } from "../stage2/table.ts";

/** `lastRan` of a CPU on which the trace does not show who ran last; no vCPU yet: -1. */
export const LAST_RAN_UNKNOWN = -2;
export const LAST_RAN_NONE = -1;

/** One stage-2 context: the page table of a VM, or a nested guest's shadow. Identified by pgt and/or mmu. */
export class Stage2Context {
  readonly id: number;
  /** Pointer ids; 0 while the trace has not shown them. */
  pgt: number;
  mmu: number;
  vm: VirtualMachine | undefined;
  table: Stage2Table;
  /** Start level of the hardware's walk, and whether it is only assumed. */
  rootLevel: number;
  rootAssumed: boolean;
  /** Longest eager-split call seen: the chunk (KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE) is at least so long. */
  splitChunkPages = 0;
  /** By CPU: pid of the vCPU thread that was loaded last. */
  readonly #lastRan: number[] = [];
  #lastRanDefault: number;
  /** History complete from its creation on. */
  historyKnown: boolean;
  /** Its table was destroyed: threads that ran its vCPUs may live on, or their pids come back. */
  isGone = false;

  constructor(id: number, pgt: number, mmu: number, table: Stage2Table, historyKnown: boolean) {
    this.id = id;
    this.pgt = pgt;
    this.mmu = mmu;
    this.table = table;
    this.historyKnown = historyKnown;
    this.#lastRanDefault = historyKnown ? LAST_RAN_NONE : LAST_RAN_UNKNOWN;
    this.rootLevel = 0;
    this.rootAssumed = true;
  }

  /** A table of a nested guest: not its VM's own. */
  get isShadow(): boolean {
    const canonical = this.vm?.canonical;
    if (canonical === undefined || canonical === this) return false;
    return canonical.mmu !== 0 && this.mmu !== 0;
  }

  lastRan(cpu: number): number {
    return this.#lastRan[cpu] ?? this.#lastRanDefault;
  }

  setLastRan(cpu: number, pid: number): void {
    this.#lastRan[cpu] = pid;
  }

  forgetLastRan(): void {
    this.#lastRan.length = 0;
    this.#lastRanDefault = LAST_RAN_UNKNOWN;
  }
}

/** Part of a VM's IPA space, as committed by kvm_arch_commit_memory_region. */
export interface MemorySlot {
  readonly basePage: number;
  readonly pages: number;
}

export class VirtualMachine {
  /** Pointer id of struct kvm. */
  readonly kvm: number;
  /** The trace begins before the VM's first memslot was created, so its tables begin empty. */
  readonly bornInTrace: boolean;
  canonical: Stage2Context | undefined;
  /** By slot id. */
  readonly slots: Map<number, MemorySlot> = new Map<number, MemorySlot>();

  constructor(kvm: number, bornInTrace: boolean) {
    this.kvm = kvm;
    this.bornInTrace = bornInTrace;
  }

  /** A memslot is made or changed; any other in its place was deleted before. */
  setSlot(id: number, slot: MemorySlot): void {
    for (const [otherId, other] of this.slots) {
      const isApart =
        other.basePage >= slot.basePage + slot.pages ||
        other.basePage + other.pages <= slot.basePage;
      if (otherId !== id && !isApart) this.slots.delete(otherId);
    }
    this.slots.set(id, slot);
  }

  slotAt(basePage: number): MemorySlot | undefined {
    for (const slot of this.slots.values()) if (slot.basePage === basePage) return slot;
    return undefined;
  }
}
