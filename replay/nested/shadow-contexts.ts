/**
 * Which shadow context KVM runs a nested guest on (nested.c, lookup_s2_mmu and get_s2_mmu_nested, 6.11 to
 * 7.3): two for each vCPU of the VM, found by what the guest hypervisor put in its registers.
 */
export const CONTEXTS_PER_VCPU = 2;

/** Guest hypervisor's registers when it enters its guest. */
export interface ContextKey {
  /** VTTBR_EL2 without CnP: VMID and table. */
  readonly vttbr: bigint;
  readonly vtcr: bigint;
  /** HCR_EL2.VM: without stage 2 only the VMID counts. */
  readonly isStage2On: boolean;
}

const CNP = 1n;
const VMID_SHIFT = 48n;

interface Slot {
  key: ContextKey | undefined;
  users: number;
  isUnmapPending: boolean;
}

export interface Lookup {
  /** Number of the context, from 0. */
  readonly index: number;
  /** It was another guest's before. */
  readonly isRecycled: boolean;
  /** Everything in it is to be unmapped before the vCPU runs on it. */
  readonly isUnmapPending: boolean;
}

/** The shadow contexts of one VM. */
export class ShadowContexts {
  readonly #slots: Slot[] = [];
  #next = 0;

  constructor(vcpus: number) {
    for (let i = 0; i < vcpus * CONTEXTS_PER_VCPU; i += 1) {
      this.#slots.push({ key: undefined, users: 0, isUnmapPending: false });
    }
  }

  get count(): number {
    return this.#slots.length;
  }

  /**
   * A vCPU is loaded for a nested guest: takes the context of that key, or where there is none the next
   * that nobody uses, counted on from where the last search ended. Undefined: every one is in use, which
   * KVM does not let happen.
   */
  take(key: ContextKey): Lookup | undefined {
    const known = this.#slots.findIndex((slot) => slot.key !== undefined && fits(slot.key, key));
    const index = known >= 0 ? known : this.#free();
    const slot = this.#slots[index];
    if (slot === undefined) return undefined;
    const isRecycled = known < 0 && slot.key !== undefined;
    if (known < 0) {
      this.#next = (index + 1) % this.#slots.length;
      slot.key = { ...key, vttbr: key.vttbr & ~CNP };
      if (isRecycled) slot.isUnmapPending = true;
    }
    slot.users += 1;
    return { index, isRecycled, isUnmapPending: slot.isUnmapPending };
  }

  /** The vCPU stops using it; one that is only scheduled out (not in WFI) keeps it. */
  put(index: number): void {
    this.#slots[index]!.users -= 1;
  }

  /** [0, phys_size) was unmapped: KVM_REQ_NESTED_S2_UNMAP. */
  unmapped(index: number): void {
    this.#slots[index]!.isUnmapPending = false;
  }

  /** Contexts in use or left of a guest with this VMID: what its TLBIs reach. */
  ofVmid(vmid: bigint): readonly number[] {
    return this.#slots.flatMap(({ key }, index) =>
      key !== undefined && key.vttbr >> VMID_SHIFT === vmid ? [index] : [],
    );
  }

  /** Every context that was ever taken: what ALLE1 and the host's own unmaps reach. */
  valid(): readonly number[] {
    return this.#slots.flatMap(({ key }, index) => (key === undefined ? [] : [index]));
  }

  #free(): number {
    const count = this.#slots.length;
    for (let i = 0; i < count; i += 1) {
      const index = (this.#next + i) % count;
      if (this.#slots[index]!.users === 0) return index;
    }
    return -1;
  }
}

/** A context whose guest had stage 2 on is found by VTTBR and VTCR, one without by its VMID. */
function fits(of: ContextKey, wanted: ContextKey): boolean {
  if (of.isStage2On !== wanted.isStage2On) return false;
  const vttbr = wanted.vttbr & ~CNP;
  if (!wanted.isStage2On) return of.vttbr >> VMID_SHIFT === vttbr >> VMID_SHIFT;
  return of.vttbr === vttbr && of.vtcr === wanted.vtcr;
}
