import { APPLIED_FUNCTIONS } from "../../ingest/events/kinds.ts";
import { PointerTable } from "../../ingest/events/pointers.ts";
import { geometryOf, minBlockBytes, type PageShift } from "../stage2/geometry.ts";
import type { EventRow } from "./rows.ts";
import { FAULT_KIND, type FaultKind, MIB, PROT, TIB } from "./units.ts";

export { EAGAIN, GIB, KIB, MIB, PROT, TIB } from "./units.ts";

export interface Slot {
  /** Guest-physical, in bytes. */
  readonly base: number;
  readonly size: number;
  /** Default 0. */
  readonly id?: number;
}

/** How the probes of a trace were set: what their events carry. */
export interface Probes {
  /** Are returns of page-table calls recorded? Default yes. */
  readonly returns?: boolean;
  /** Do page-table calls name their mmu beside the pgt? Default yes; a trace of 7.2 does not. */
  readonly mmuInCalls?: boolean;
  /** First argument of stage2_apply_range: the mmu, or (6.1 and older) the kvm. */
  readonly applied?: "mmu" | "kvm";
  /** `unmap` brackets its pieces with kvm_unmap_gfn_range and stage2_apply_range. Default yes. */
  readonly scopes?: boolean;
}

interface Pointers {
  readonly kvm: number;
  readonly mmu: number;
  readonly pgt: number;
}

/** A recorded trace, written as a story: what happened to which VM, on which thread and CPU. */
export class Trace {
  readonly pageShift: PageShift;
  readonly pointers: PointerTable = new PointerTable();
  readonly rows: EventRow[] = [];
  readonly #probes: Probes;
  #vms = 0;

  constructor(pageShift: PageShift = 12, probes: Probes = {}) {
    this.pageShift = pageShift;
    this.#probes = probes;
  }

  /** A new VM; one whose `place` was used before has the pointers of that one, as after kfree. */
  vm(pid = 100, cpu = 0, place: number = this.#vms): Vm {
    this.#vms = Math.max(this.#vms, place + 1);
    const kvm = 0x8000_0000 + place * 0x4000;
    const pointers = {
      kvm: this.pointers.intern(0xffff8000, kvm),
      mmu: this.pointers.intern(0xffff8000, kvm + 0x880),
      pgt: this.pointers.intern(0xffff0000, 0x1000_0000 + place * 0x100),
    };
    return new Vm(this, this.#probes, pointers, pid, cpu);
  }

  /** Events are missing here. */
  lost(): void {
    this.rows.push({ kind: "lost", pid: 0, cpu: 0 });
  }
}

/** One VM as seen from one thread; all methods add events. Addresses and sizes in bytes of IPA. */
export class Vm {
  readonly pid: number;
  readonly cpu: number;
  readonly pointers: Pointers;
  readonly #trace: Trace;
  readonly #probes: Probes;

  constructor(trace: Trace, probes: Probes, pointers: Pointers, pid: number, cpu: number) {
    this.#trace = trace;
    this.#probes = probes;
    this.pointers = pointers;
    this.pid = pid;
    this.cpu = cpu;
  }

  /** The same VM on another thread. */
  on(pid: number, cpu: number = this.cpu): Vm {
    return new Vm(this.#trace, this.#probes, this.pointers, pid, cpu);
  }

  /** The VM's memslots are created: its tables begin empty. */
  create(...slots: readonly Slot[]): this {
    for (const slot of slots) this.#commit(slot, 0, 0, 0);
    return this;
  }

  /** Logging is switched on; write-protection follows unless it is done by KVM_CLEAR_DIRTY_LOG. */
  enableLog(slot: Slot): this {
    return this.#commit(slot, 3, 0, 1);
  }

  disableLog(slot: Slot): this {
    return this.#commit(slot, 3, 1, 0);
  }

  entry(): this {
    return this.add({ kind: "kvm_entry" });
  }

  exit(): this {
    return this.add({ kind: "kvm_exit" });
  }

  fault(ipa: number, level: number, kind: FaultKind): this {
    const addr = ipa - (ipa % this.#pageBytes);
    return this.add({ kind: "guest_fault", addr, arg0: (FAULT_KIND[kind] << 2) | level });
  }

  map(
    ipa: number,
    size: number,
    phys: number,
    prot: number = PROT.rwx,
    result: { ret?: number } = {},
  ): this {
    return this.#call("map", result.ret ?? 0, { addr: ipa, len: size, phys, prot });
  }

  /** Maps everything with leaves of one size, as many faults would. */
  populate(ipa: number, size: number, leaf: number, prot: number = PROT.rwx): this {
    const step = leaf < MIB ? size : leaf;
    for (let at = ipa; at < ipa + size; at += step) {
      // An output address that is off by a page keeps the walk from using blocks.
      this.map(at, step, leaf < MIB ? TIB + at + this.#pageBytes : TIB + at, prot);
    }
    return this;
  }

  relax(ipa: number, prot: number = PROT.rwx, result: { ret?: number } = {}): this {
    return this.#call("relax_perms", result.ret ?? 0, { addr: ipa, prot });
  }

  mkyoung(ipa: number): this {
    return this.add({ kind: "mkyoung", pgt: this.pointers.pgt, addr: ipa });
  }

  /** MMU notifier: kvm_unmap_gfn_range and its pieces, cut where the kernel cuts them. */
  unmap(
    ipa: number,
    size: number,
    scope: "unmap_gfn" | "flush_shadow_memslot" = "unmap_gfn",
  ): this {
    if (this.#probes.scopes !== false) {
      const page = this.#pageBytes;
      this.add({ kind: scope, kvm: this.pointers.kvm, addr: ipa / page, len: size / page });
      this.#applyRange("kvm_pgtable_stage2_unmap", ipa, size);
    }
    return this.#pieces(ipa, size, (addr, len) => this.unmapPiece(addr, len));
  }

  /** One kvm_pgtable_stage2_unmap, without what brackets it. */
  unmapPiece(ipa: number, size: number): this {
    return this.#call("unmap", 0, { addr: ipa, len: size });
  }

  wrprotect(ipa: number, size: number): this {
    if (this.#probes.scopes !== false) this.#applyRange("kvm_pgtable_stage2_wrprotect", ipa, size);
    return this.#pieces(ipa, size, (addr, len) => this.#call("wrprotect", 0, { addr, len }));
  }

  /** Eager split in chunks, as kvm_mmu_split_huge_pages calls kvm_pgtable_stage2_split. */
  split(ipa: number, size: number, chunk: number): this {
    for (let addr = ipa; addr < ipa + size; ) {
      const end = Math.min(ipa + size, (Math.floor(addr / chunk) + 1) * chunk);
      this.#call("split", 0, { addr, len: end - addr });
      addr = end;
    }
    return this;
  }

  /** One mask word of GET/CLEAR_DIRTY_LOG: `bits` are pages of the word, counted from `firstPage`. */
  maskWord(slot: Slot, firstPage: number, bits: readonly number[]): this {
    const sum = (low: number): number =>
      bits
        .filter((bit) => bit >= low && bit < low + 32)
        .reduce((n, bit) => n + 2 ** (bit - low), 0);
    this.add({
      kind: "enable_log_pt_masked",
      kvm: this.pointers.kvm,
      addr: slot.base / this.#pageBytes,
      arg0: firstPage,
      arg1: sum(0),
      arg2: sum(32),
    });
    const low = firstPage + Math.min(...bits);
    const pages = Math.max(...bits) - Math.min(...bits) + 1;
    return this.wrprotect(slot.base + low * this.#pageBytes, pages * this.#pageBytes);
  }

  /** Request: the memslot's invalidation (kvm_flush_remote_tlbs_memslot). */
  remoteMemslot(slot: Slot): this {
    return this.#inPages("remote_memslot", slot);
  }

  /** Request: the whole VM (kvm_flush_remote_tlbs). */
  remote(): this {
    return this.add({ kind: "remote", kvm: this.pointers.kvm });
  }

  age(ipa: number, size: number): this {
    return this.#inPages("age_gfn", { base: ipa, size });
  }

  ringReset(): this {
    return this.add({ kind: "dirty_ring_reset" });
  }

  destroy(): this {
    this.add({ kind: "flush_shadow_all", kvm: this.pointers.kvm });
    return this.add({ kind: "destroy", pgt: this.pointers.pgt });
  }

  // What the kernel really called, where the trace has the primitives' probes.

  hwVm(): this {
    return this.add({ kind: "hw_vmid", mmu: this.pointers.mmu });
  }

  hwIpa(ipa: number, level: number, kind: "hw_vmid_ipa" | "hw_vmid_ipa_nsh" = "hw_vmid_ipa"): this {
    return this.add({ kind, mmu: this.pointers.mmu, addr: ipa, arg0: level });
  }

  hwRange(ipa: number, size: number): this {
    const len = size / this.#pageBytes;
    return this.add({ kind: "hw_vmid_range", mmu: this.pointers.mmu, addr: ipa, len });
  }

  hwCpu(): this {
    return this.add({ kind: "hw_cpu_context", mmu: this.pointers.mmu });
  }

  /** Any event of this thread. */
  add(row: Omit<EventRow, "pid" | "cpu">): this {
    this.#trace.rows.push({ ...row, pid: this.pid, cpu: this.cpu });
    return this;
  }

  get #pageBytes(): number {
    return 2 ** this.#trace.pageShift;
  }

  /** A page-table call whose return is written later, for calls that overlap. */
  begin(kind: "map" | "unmap", columns: Partial<EventRow>): this {
    const mmu = this.#probes.mmuInCalls === false ? 0 : this.pointers.mmu;
    return this.add({ ...columns, kind, pgt: this.pointers.pgt, mmu });
  }

  #call(
    kind: "map" | "unmap" | "wrprotect" | "relax_perms" | "split",
    ret: number,
    columns: Partial<EventRow>,
  ): this {
    const mmu = this.#probes.mmuInCalls === false ? 0 : this.pointers.mmu;
    this.add({ ...columns, kind, pgt: this.pointers.pgt, mmu });
    if (this.#probes.returns !== false) this.add({ kind: `${kind}_ret`, arg0: ret });
    return this;
  }

  #applyRange(applied: (typeof APPLIED_FUNCTIONS)[number], addr: number, len: number): void {
    const object = this.#probes.applied === "kvm" ? this.pointers.kvm : this.pointers.mmu;
    const arg0 = APPLIED_FUNCTIONS.indexOf(applied);
    this.add({ kind: "apply_range", mmu: object, kvm: object, addr, len, arg0 });
  }

  /** stage2_apply_range: pieces end at multiples of the coarsest block. */
  #pieces(ipa: number, size: number, piece: (addr: number, len: number) => void): this {
    const chunk = minBlockBytes(geometryOf(this.#trace.pageShift));
    for (let addr = ipa; addr < ipa + size; ) {
      const end = Math.min(ipa + size, (Math.floor(addr / chunk) + 1) * chunk);
      piece(addr, end - addr);
      addr = end;
    }
    return this;
  }

  #inPages(kind: "remote_memslot" | "age_gfn", { base, size }: Slot): this {
    const page = this.#pageBytes;
    return this.add({ kind, kvm: this.pointers.kvm, addr: base / page, len: size / page });
  }

  #commit(slot: Slot, change: number, oldFlags: number, newFlags: number): this {
    const page = this.#pageBytes;
    return this.add({
      kind: "commit_region",
      kvm: this.pointers.kvm,
      addr: slot.base / page,
      len: slot.size / page,
      arg0: change,
      arg1: oldFlags,
      arg2: newFlags,
      arg3: slot.id ?? 0,
    });
  }
}
