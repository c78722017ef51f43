import type { Diagnostics } from "../../ingest/diagnostics.ts";
import type { PointerTable } from "../../ingest/events/pointers.ts";
import { EntryStore } from "../stage2/entry-store.ts";
import { type Geometry, startLevelOf } from "../stage2/geometry.ts";
import { Stage2Table } from "../stage2/table.ts";
import { Stage2Context, VirtualMachine } from "./context.ts";

/** Whether a context that appears in the trace begins empty: decided by the trace, or by the user. */
export type StartAssumption = "auto" | "fresh" | "unknown";

/**
 * struct kvm_s2_mmu of a VM lies inside its struct kvm, in its first pages; two struct kvm are never
 * closer than two pages (vmalloc'ed with a guard page). So a mmu less than this behind a kvm is its own.
 */
const EMBEDDED_MMU_MAX_OFFSET = 0x2000n;

/** IPA bits that KVM gives a VM unless userspace asks otherwise (KVM_PHYS_SHIFT). */
export const DEFAULT_IPA_BITS = 40;

/**
 * Who is who: pgtable, mmu and kvm pointers of one VM, learned from the calls that carry several of
 * them and from nesting. Pointers are reused after a VM is gone: `destroyed` forgets them.
 */
export class ContextRegistry {
  readonly #geometry: Geometry;
  readonly #store: EntryStore;
  readonly #pointers: PointerTable;
  readonly #diagnostics: Diagnostics;
  readonly #start: StartAssumption;
  readonly #ipaBits: number | undefined;
  readonly #byPgt = new Map<number, Stage2Context>();
  readonly #byMmu = new Map<number, Stage2Context>();
  readonly #byKvm = new Map<number, VirtualMachine>();
  #nextId = 1;

  constructor(
    geometry: Geometry,
    pointers: PointerTable,
    diagnostics: Diagnostics,
    start: StartAssumption,
    ipaBits: number | undefined,
  ) {
    this.#geometry = geometry;
    this.#store = new EntryStore(geometry.entriesPerTable);
    this.#pointers = pointers;
    this.#diagnostics = diagnostics;
    this.#start = start;
    this.#ipaBits = ipaBits;
  }

  get store(): EntryStore {
    return this.#store;
  }

  /** Contexts that exist now. */
  live(): ReadonlySet<Stage2Context> {
    const all = new Set<Stage2Context>([...this.#byPgt.values(), ...this.#byMmu.values()]);
    for (const { canonical } of this.#byKvm.values())
      if (canonical !== undefined) all.add(canonical);
    return all;
  }

  /** The context with this pgtable and/or mmu; made, with the state that the trace justifies, where new. */
  resolve(
    pgt: number,
    mmu: number,
    hintVm: VirtualMachine | undefined,
    line: number,
  ): Stage2Context {
    const byPgt = pgt === 0 ? undefined : this.#byPgt.get(pgt);
    if (byPgt !== undefined && (mmu === 0 || byPgt.mmu === mmu)) return byPgt;
    if (byPgt !== undefined && byPgt.mmu === 0) {
      this.#bindMmu(byPgt, mmu);
      return byPgt;
    }
    const byMmu = mmu === 0 ? undefined : this.#byMmu.get(mmu);
    if (byMmu !== undefined && (pgt === 0 || byMmu.pgt === 0 || byMmu.pgt === pgt)) {
      if (pgt !== 0) this.#bindPgt(byMmu, pgt);
      return byMmu;
    }
    const vm = this.vmEmbedding(mmu) ?? hintVm ?? this.onlyVm;
    const waiting = vm?.canonical;
    if (waiting !== undefined && waiting.pgt === 0 && waiting.mmu === 0) {
      // A request on the VM came before its first page-table call.
      if (pgt !== 0) this.#bindPgt(waiting, pgt);
      if (mmu !== 0) this.#bindMmu(waiting, mmu);
      return waiting;
    }
    return this.#create(pgt, mmu, vm, line);
  }

  ofPgt(pgt: number): Stage2Context | undefined {
    return this.#byPgt.get(pgt);
  }

  /** The context of a mmu, if the trace has shown it. */
  ofMmu(mmu: number): Stage2Context | undefined {
    return this.#byMmu.get(mmu);
  }

  /** A recorded call names `mmu` inside an operation on `context`: they are one, if neither is known otherwise. */
  bindMmuIfFree(context: Stage2Context, mmu: number): void {
    if (context.mmu === 0 && mmu !== 0 && !this.#byMmu.has(mmu)) this.#bindMmu(context, mmu);
  }

  vmOf(kvm: number): VirtualMachine | undefined {
    return this.#byKvm.get(kvm);
  }

  /** The VM of a kvm pointer, made where new; `born`: this event is the creation of a memslot. */
  vm(kvm: number, born: boolean, line = 0): VirtualMachine {
    let vm = this.#byKvm.get(kvm);
    if (vm === undefined) {
      vm = new VirtualMachine(kvm, born);
      this.#byKvm.set(kvm, vm);
      if (born && this.#start === "auto") {
        const name = `kvm ${this.#pointers.text(kvm)}`;
        this.#diagnostics.add(
          "ASSUMED",
          `${name} begins empty: its first event creates memslot 0 (one made again in mid-life would look the same; --start unknown)`,
          line,
        );
      }
      for (const context of this.live()) {
        // Seen before its VM was: the trace began in the middle of the VM's life.
        if (this.vmEmbedding(context.mmu) === vm) this.attach(context, vm);
      }
    }
    return vm;
  }

  /** The only VM alive, where there is only one. */
  get onlyVm(): VirtualMachine | undefined {
    if (this.#byKvm.size !== 1) return undefined;
    return this.#byKvm.values().next().value;
  }

  /** The VM whose struct kvm holds this mmu. */
  vmEmbedding(mmu: number): VirtualMachine | undefined {
    if (mmu === 0) return undefined;
    const address = this.#pointers.value(mmu);
    let nearest: VirtualMachine | undefined;
    let nearestOffset = EMBEDDED_MMU_MAX_OFFSET;
    for (const vm of this.#byKvm.values()) {
      const offset = address - this.#pointers.value(vm.kvm);
      if (offset < 0n || offset >= nearestOffset) continue;
      nearest = vm;
      nearestOffset = offset;
    }
    return nearest;
  }

  /** The VM's own context; made, without pointers yet, where no page-table call has shown it. */
  canonicalOf(vm: VirtualMachine, line: number): Stage2Context {
    return vm.canonical ?? this.#create(0, 0, vm, line);
  }

  attach(context: Stage2Context, vm: VirtualMachine): void {
    if (context.vm !== undefined) return;
    context.vm = vm;
    const isEmbedded = this.vmEmbedding(context.mmu) === vm;
    if (vm.canonical === undefined || isEmbedded) vm.canonical = context;
  }

  /** The context's table is gone; its pointers may come back for another. */
  destroyed(context: Stage2Context): void {
    context.table.destroy();
    context.isGone = true;
    if (this.#byPgt.get(context.pgt) === context) this.#byPgt.delete(context.pgt);
    if (this.#byMmu.get(context.mmu) === context) this.#byMmu.delete(context.mmu);
    if (context.vm?.canonical === context) context.vm.canonical = undefined;
  }

  vmGone(kvm: number): void {
    this.#byKvm.delete(kvm);
  }

  /** Events were lost: nothing that was known can be relied on. */
  forgetEverything(): void {
    for (const context of this.live()) {
      context.table.destroy();
      context.table = new Stage2Table(this.#geometry, this.#store, false);
      context.historyKnown = false;
      context.forgetLastRan();
    }
    const kvms = [...this.#byKvm.keys()];
    for (const kvm of kvms) {
      const old = this.#byKvm.get(kvm)!;
      const vm = new VirtualMachine(kvm, false);
      for (const [id, slot] of old.slots) vm.slots.set(id, slot);
      vm.canonical = old.canonical;
      if (vm.canonical !== undefined) vm.canonical.vm = vm;
      this.#byKvm.set(kvm, vm);
    }
  }

  #create(pgt: number, mmu: number, vm: VirtualMachine | undefined, line: number): Stage2Context {
    const known = this.#start === "fresh" || (this.#start === "auto" && vm?.bornInTrace === true);
    const table = new Stage2Table(this.#geometry, this.#store, known);
    const context = new Stage2Context(this.#nextId, pgt, mmu, table, known);
    this.#nextId += 1;
    context.rootAssumed = this.#ipaBits === undefined;
    const ipaBits = this.#ipaBits ?? DEFAULT_IPA_BITS;
    context.rootLevel = startLevelOf(ipaBits, this.#geometry.pageShift);
    if (pgt !== 0) this.#bindPgt(context, pgt);
    if (mmu !== 0) this.#bindMmu(context, mmu);
    if (vm !== undefined) this.attach(context, vm);
    if (!known) {
      this.#diagnostics.add(
        "UNKNOWN_CONTEXT",
        `${this.#nameOf(pgt, mmu, vm)}: mapped state at first sight is unknown`,
        line,
      );
    }
    return context;
  }

  #nameOf(pgt: number, mmu: number, vm: VirtualMachine | undefined): string {
    if (pgt !== 0) return `pgt ${this.#pointers.text(pgt)}`;
    return mmu === 0
      ? `kvm ${this.#pointers.text(vm?.kvm ?? 0)}`
      : `mmu ${this.#pointers.text(mmu)}`;
  }

  #bindPgt(context: Stage2Context, pgt: number): void {
    context.pgt = pgt;
    this.#byPgt.set(pgt, context);
  }

  #bindMmu(context: Stage2Context, mmu: number): void {
    context.mmu = mmu;
    this.#byMmu.set(mmu, context);
    if (context.vm === undefined) {
      const vm = this.vmEmbedding(mmu);
      if (vm !== undefined) this.attach(context, vm);
    }
  }
}
