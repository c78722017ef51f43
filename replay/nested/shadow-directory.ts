import type { PointerTable } from "../../ingest/events/pointers.ts";
import { ShadowContext } from "./shadow-context.ts";

/** A VM's own kvm_s2_mmu lies in the first pages of its struct kvm; shadow ones are allocated apart. */
const EMBEDDED_MMU_MAX_OFFSET = 0x2000n;

/** Which pointers are shadow contexts, and of which VM: as the trace shows it. */
export class ShadowDirectory {
  /** Shadow contexts that the trace ever showed. */
  seen = 0;
  readonly #pointers: PointerTable;
  readonly #contexts = new Map<number, ShadowContext>();
  /** A VM's own. */
  readonly #canonical = new Set<number>();
  readonly #mmuOfPgt = new Map<number, number>();
  /** By struct kvm: whether the trace shows the VM from its creation on. */
  readonly #vms = new Map<number, boolean>();

  constructor(pointers: PointerTable) {
    this.#pointers = pointers;
  }

  get contexts(): Iterable<ShadowContext> {
    return this.#contexts.values();
  }

  showVm(kvm: number, isCreation: boolean): void {
    if (kvm !== 0 && !this.#vms.has(kvm)) this.#vms.set(kvm, isCreation);
  }

  /** The mmu that a call names, by its pgtable where it names no mmu. */
  mmuOf(pgt: number, mmu: number): number {
    if (mmu === 0) return this.#mmuOfPgt.get(pgt) ?? 0;
    if (pgt !== 0 && this.#mmuOfPgt.get(pgt) !== mmu) this.#mmuOfPgt.set(pgt, mmu);
    return mmu;
  }

  /** A context that the trace named as one, or a mmu that lies in none of the VMs that it shows. */
  isShadow(mmu: number): boolean {
    if (mmu === 0) return false;
    if (this.#contexts.has(mmu)) return true;
    if (this.#vms.size === 0 || this.#canonical.has(mmu)) return false;
    if (this.vmEmbedding(mmu) === 0) return true;
    this.#canonical.add(mmu);
    return false;
  }

  /** Pointer id of the struct kvm that holds this mmu; 0: none. */
  vmEmbedding(mmu: number): number {
    const address = this.#pointers.value(mmu);
    for (const kvm of this.#vms.keys()) {
      const offset = address - this.#pointers.value(kvm);
      if (offset >= 0n && offset < EMBEDDED_MMU_MAX_OFFSET) return kvm;
    }
    return 0;
  }

  contextOf(mmu: number): ShadowContext {
    let context = this.#contexts.get(mmu);
    if (context === undefined) {
      const vms = [...this.#vms];
      context = new ShadowContext(mmu, vms.length > 0 && vms.every(([, isBorn]) => isBorn));
      if (vms.length === 1) context.kvm = vms[0]![0];
      this.#contexts.set(mmu, context);
      this.seen += 1;
    }
    return context;
  }

  /** Contexts that belong to a VM for sure, and those that may: the trace does not show whose they are. */
  ofVm(kvm: number): {
    readonly sure: readonly ShadowContext[];
    readonly unsure: readonly ShadowContext[];
  } {
    const all = [...this.#contexts.values()];
    if (this.#vms.size <= 1) return { sure: all, unsure: [] };
    return {
      sure: all.filter((context) => kvm !== 0 && context.kvm === kvm),
      unsure: all.filter((context) => kvm === 0 || context.kvm === 0),
    };
  }

  drop(mmu: number): ShadowContext | undefined {
    const context = this.#contexts.get(mmu);
    this.#contexts.delete(mmu);
    this.#canonical.delete(mmu);
    return context;
  }

  /** Events were lost: what the contexts hold, and whose they are now, is not known. */
  forgetAll(): readonly ShadowContext[] {
    const all = [...this.#contexts.values()];
    for (const context of all) {
      context.isKnown = false;
      context.guestVmid = Number.NaN;
      context.targets.clear();
    }
    for (const kvm of this.#vms.keys()) this.#vms.set(kvm, false);
    return all;
  }
}
