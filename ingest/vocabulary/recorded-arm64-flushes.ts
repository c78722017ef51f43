import type { RecordedFunction } from "./recorded-probes.ts";
import { SLOT, one } from "./recorded-arm64-shapes.ts";

/** Until 5.9 the tables were made in mmu.c; the replay has no meaning for most of this. */
export const LEGACY: readonly RecordedFunction[] = [
  {
    name: "unmap_range_legacy",
    symbol: "unmap_stage2_range",
    params: "kvm start size",
    until: "5.9",
    insteadOf: "unmap_range",
    shapes: [
      { since: "5.4", fetch: "kvm=%x0:x64 start=%x1:x64 size=%x2:x64" },
      { since: "5.9", fetch: "mmu=%x0:x64 start=%x1:x64 size=%x2:x64" },
    ],
  },
  {
    name: "flush_ipa_legacy",
    symbol: "kvm_tlb_flush_vmid_ipa",
    params: "kvm ipa",
    until: "5.9",
    shapes: [
      { since: "5.4", fetch: "kvm=%x0:x64 ipa=%x1:x64" },
      { since: "5.9", fetch: "mmu=%x0:x64 ipa=%x1:x64 level=%x2:s32" },
    ],
  },
];

/** Requests for a flush; pages where a range is given, except tlb_range (bytes). */
export const REQUESTS: readonly RecordedFunction[] = [
  {
    name: "remote",
    symbol: "kvm_flush_remote_tlbs",
    params: "kvm",
    shapes: one("kvm=%x0:x64"),
  },
  {
    name: "remote_range",
    symbol: "kvm_flush_remote_tlbs_range",
    params: "kvm gfn nr_pages",
    shapes: one("kvm=%x0:x64 gfn=%x1:x64 nr_pages=%x2:x64"),
  },
  {
    name: "remote_memslot",
    symbol: "kvm_flush_remote_tlbs_memslot",
    params: "kvm memslot",
    shapes: one(`kvm=%x0:x64 ${SLOT}`),
  },
  {
    name: "arch_remote",
    symbol: "kvm_arch_flush_remote_tlbs",
    params: "kvm",
    shapes: one("kvm=%x0:x64"),
  },
  {
    name: "arch_remote_range",
    symbol: "kvm_arch_flush_remote_tlbs_range",
    params: "kvm gfn nr_pages",
    shapes: one("kvm=%x0:x64 gfn=%x1:x64 nr_pages=%x2:x64"),
  },
  {
    name: "arch_remote_memslot",
    symbol: "kvm_arch_flush_remote_tlbs_memslot",
    params: "kvm memslot",
    shapes: one(`kvm=%x0:x64 ${SLOT}`),
  },
  {
    name: "tlb_range",
    symbol: "kvm_tlb_flush_vmid_range",
    params: "mmu addr size",
    neededSince: "6.6",
    shapes: one("mmu=%x0:x64 addr=%x1:x64 size=%x2:x64"),
  },
];

export const PRIMITIVES: readonly RecordedFunction[] = [
  {
    name: "hw_vmid_ipa",
    symbol: "__kvm_tlb_flush_vmid_ipa",
    params: "mmu ipa level",
    neededSince: "5.9",
    isPrimitive: true,
    shapes: one("mmu=%x0:x64 ipa=%x1:x64 level=%x2:s32"),
  },
  {
    name: "hw_vmid_ipa_nsh",
    symbol: "__kvm_tlb_flush_vmid_ipa_nsh",
    params: "mmu ipa level",
    neededSince: "6.5",
    isPrimitive: true,
    shapes: one("mmu=%x0:x64 ipa=%x1:x64 level=%x2:s32"),
  },
  {
    name: "hw_vmid",
    symbol: "__kvm_tlb_flush_vmid",
    params: "mmu",
    neededSince: "5.9",
    isPrimitive: true,
    shapes: one("mmu=%x0:x64"),
  },
  {
    // Start in bytes, length in pages.
    name: "hw_vmid_range",
    symbol: "__kvm_tlb_flush_vmid_range",
    params: "mmu start pages",
    neededSince: "6.6",
    isPrimitive: true,
    shapes: one("mmu=%x0:x64 start=%x1:x64 pages=%x2:u64"),
  },
  {
    name: "hw_cpu_context",
    symbol: "__kvm_flush_cpu_context",
    params: "mmu",
    isPrimitive: true,
    shapes: one("mmu=%x0:x64"),
  },
  {
    name: "hw_vm_context",
    symbol: "__kvm_flush_vm_context",
    params: "",
    isPrimitive: true,
    shapes: one(""),
  },
];
