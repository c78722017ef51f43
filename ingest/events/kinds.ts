import { codesOf } from "../codes.ts";

/**
 * What an event means, whatever its probe was called and whichever format carried it.
 *
 * The names are those of the kernel functions' short forms as people use them for probe names; the
 * function that each stands for is in `ingest/vocabulary/functions.ts`. Columns that an event fills
 * are in `EventColumns`; a column that the source did not carry is 0 for pointers and NaN for numbers.
 *
 * Order is the numeric code in the `kind` column: append only, never reorder (Arrow event files keep it).
 */
export const EVENT_KINDS = [
  /** A line that was understood as an event, but of no kind that the replay uses. */
  "other",
  /** Events were lost here. `cpu` as recorded (65535: unknown), `arg0` how many (NaN: unknown). */
  "lost",

  // Stage-2 operations: `pgt` and/or `mmu`, `addr` and `len` in bytes of IPA.
  /** kvm_pgtable_stage2_map: + `phys`, `prot`, `protHigh`, `arg0` = walk flags (6.2+). */
  "map",
  "unmap",
  "wrprotect",
  /** kvm_pgtable_stage2_relax_perms: `addr`, `prot`; no `len`. */
  "relax_perms",
  "mkyoung",
  "mkold",
  "is_young",
  /** kvm_pgtable_stage2_test_clear_young: `addr`, `len`, `arg0` = mkold (0/1). */
  "test_clear_young",
  /** kvm_pgtable_stage2_flush: cache maintenance only. */
  "flush_dcache",
  "split",
  "destroy",
  "destroy_range",
  "free_unlinked",
  "set_owner",

  // Their returns: `arg0` = return value (negative errno).
  "map_ret",
  "unmap_ret",
  "wrprotect_ret",
  "relax_perms_ret",
  "split_ret",

  // Scopes: they say why the operations that follow on the same task happen.
  /** stage2_apply_range: `mmu` or `kvm`, `addr`, `len` (= end - addr), `arg0` = index of APPLIED_FUNCTIONS. */
  "apply_range",
  /** __unmap_stage2_range / kvm_stage2_unmap_range: `mmu`, `addr`, `len`. */
  "unmap_range",
  /** kvm_stage2_wp_range: `mmu`, `addr`, `len`. */
  "wp_range",
  /** kvm_unmap_gfn_range: `kvm`, `addr` and `len` in PAGES. */
  "unmap_gfn",
  /** kvm_age_gfn / kvm_test_age_gfn: `kvm`, `addr` and `len` in PAGES. */
  "age_gfn",
  "test_age_gfn",
  /** kvm_set_spte_gfn (until 6.8): `kvm`, `addr` and `len` in PAGES. */
  "set_spte_gfn",
  /**
   * kvm_arch_mmu_enable_log_dirty_pt_masked: `kvm`, `addr` = slot base in PAGES, `arg0` = offset in the
   * slot in pages, `arg1` = mask bits 31:0, `arg2` = mask bits 63:32.
   */
  "enable_log_pt_masked",
  /**
   * kvm_arch_commit_memory_region: `kvm`, `addr` and `len` in PAGES, `arg0` = change (0 create,
   * 1 delete, 2 move, 3 flags only), `arg1` = old flags, `arg2` = new flags, `arg3` = slot id,
   * `phys` = the memslot's host-virtual address in bytes.
   */
  "commit_region",
  /** kvm_arch_flush_shadow_memslot: `kvm`, `addr` and `len` in PAGES. */
  "flush_shadow_memslot",
  "flush_shadow_all",
  /** kvm_free_stage2_pgd: `mmu`. */
  "free_pgd",
  /**
   * Nested virtualisation scopes: `kvm` or `mmu`. Those of a guest's TLBI: `prot` and `protHigh` = the
   * VTTBR that the shadow context stands for; nested_tlbi_ipa: `arg1` and `arg2` = operand.
   */
  "nested_unmap",
  "nested_wp",
  "nested_tlbi_ipa",
  "nested_tlbi_range",
  "nested_tlbi_s1",

  // Requests for an invalidation, by generic code; pages where a range is given.
  /** kvm_flush_remote_tlbs: `kvm`. */
  "remote",
  /** kvm_flush_remote_tlbs_range: `kvm`, `addr` and `len` in PAGES. */
  "remote_range",
  /** kvm_flush_remote_tlbs_memslot: `kvm`, `addr` and `len` in PAGES. */
  "remote_memslot",
  /** kvm_arch_flush_remote_tlbs: `kvm`. */
  "arch_remote",
  /** kvm_arch_flush_remote_tlbs_range: `kvm`, `addr` and `len` in PAGES. */
  "arch_remote_range",
  /** kvm_arch_flush_remote_tlbs_memslot (until 6.5): `kvm`, `addr` and `len` in PAGES. */
  "arch_remote_memslot",
  /** kvm_tlb_flush_vmid_range: `mmu`, `addr` and `len` in BYTES. */
  "tlb_range",

  // The six primitives: `mmu`; see replay/tlbi/primitives.ts.
  /** __kvm_tlb_flush_vmid. */
  "hw_vmid",
  /** __kvm_tlb_flush_vmid_ipa: `addr` in bytes, `arg0` = level argument. */
  "hw_vmid_ipa",
  /** __kvm_tlb_flush_vmid_ipa_nsh: `addr` in bytes, `arg0` = level argument. */
  "hw_vmid_ipa_nsh",
  /** __kvm_tlb_flush_vmid_range: `addr` in bytes, `len` in PAGES. */
  "hw_vmid_range",
  /** __kvm_flush_cpu_context. */
  "hw_cpu_context",
  /** __kvm_flush_vm_context. */
  "hw_vm_context",

  // Stock tracepoints.
  /** kvm_guest_fault: `addr` = IPA in bytes (low bits zero), `arg0` = syndrome (hsr). */
  "guest_fault",
  /** kvm_access_fault: `addr` = IPA in bytes. */
  "access_fault",
  "kvm_entry",
  "kvm_exit",
  /** kvm_userspace_exit: `arg0` = reason code where printed. */
  "userspace_exit",
  /** Any other tracepoint that fires only while a vCPU is loaded; `arg0` = vCPU number where printed. */
  "vcpu_event",
  /** kvm_unmap_hva_range: `addr`, `len` in bytes of HVA. */
  "unmap_hva",
  "set_spte_hva",
  "age_hva",
  "test_age_hva",
  "dirty_ring_push",
  "dirty_ring_reset",
  /**
   * tracing_mark_write and other free text. Of the s2 driver's accesses: `addr` = IPA and `len` = stride in
   * bytes, `arg0` = how many, `arg1` = 0 read, 1 write, `arg2` = number of the VM; other
   * markers of the drivers, those of nested guests among them: see `MarkerOp`.
   */
  "marker",

  // x86 KVM (TDP MMU). Frames and lengths in PAGES unless said otherwise.
  /**
   * __handle_changed_spte, handle_changed_spte (with `kvm`) and the tracepoint kvm_tdp_mmu_spte_changed
   * (without): `addr` = gfn, `arg0` = level (1: 4 KiB), `prot` = new SPTE, `arg1` and `arg2` = old SPTE bits
   * 31:0 and 63:32, `arg3` = address space, NaN where it was not recorded.
   */
  "spte_changed",
  /** kvm_mmu_set_spte: `addr` = gfn, `prot` = SPTE, `arg0` = level, `phys` = where the SPTE lies. */
  "set_spte",
  /** kvm_mmu_split_huge_page: `addr` = gfn, `prot` = the huge SPTE, `arg0` = level, `arg1` = errno. */
  "split_huge_page",
  /** kvm_page_fault: `addr` = guest-physical address in BYTES, `arg1`, `arg2` = error code, `arg3` = vCPU. */
  "page_fault",
  /**
   * fast_page_fault: `addr` = guest-physical address in BYTES, `prot` = the SPTE as it stands, `arg1`,
   * `arg2` = the SPTE before, `arg3` = vCPU.
   */
  "fast_page_fault",
  /** kvm_tdp_mmu_map: a fault is mapped. */
  "tdp_map",
  /** kvm_unmap_hva_range as a function (until 5.12): `kvm`, `addr` and `len` in BYTES of HVA. */
  "unmap_hva_call",
  /** tdp_mmu_zap_leafs, zap_gfn_range: `kvm`, `pgt` = root. */
  "zap_leafs",
  /** kvm_zap_gfn_range: `kvm`. */
  "zap_gfn_range",
  /** zap_collapsible_spte_range: `kvm`, `pgt` = root. Its callers: slot only. */
  "zap_collapsible",
  /** recover_huge_pages_range (6.13+): `kvm`, `pgt` = root. */
  "recover_huge_pages",
  /** tdp_mmu_make_huge_spte (6.13+): `kvm`. */
  "make_huge_spte",
  /** kvm_mmu_slot_remove_write_access: `kvm`, the slot. */
  "slot_wrprotect",
  /** kvm_mmu_slot_leaf_clear_dirty: `kvm`, the slot. */
  "slot_clear_dirty",
  /** kvm_mmu_slot_try_split_huge_pages, kvm_mmu_try_split_huge_pages: `kvm`, the slot. */
  "slot_split",
  /** kvm_mmu_zap_all_fast, the function (with `kvm`) and the tracepoint of that name (without). */
  "zap_all_fast",
  /** kvm_mmu_zap_all, kvm_tdp_mmu_zap_all. */
  "zap_all",
  /** __tdp_mmu_zap_root, tdp_mmu_zap_root: `kvm`, `pgt` = root. */
  "zap_root",
  /** kvm_make_all_cpus_request: `kvm`, `arg0` = request with its flags. */
  "cpus_request",
  /** kvm_arch_destroy_vm: `kvm`, `arg0` = flushes that kicked a vCPU, `arg1` = flushes requested. */
  "destroy_vm",
  /** hv_flush_remote_tlbs, hv_flush_remote_tlbs_range: on Hyper-V, which can flush a range. */
  "hv_flush",
  "hv_flush_range",
  // Nested virtualisation, on the host of guest hypervisors (6.11 on).
  /**
   * Handlers of a TLBI that a guest hypervisor executed: `arg1` and `arg2` = operand bits 31:0 and 63:32;
   * its encoding in `addr` = op1, `len` = CRn, `phys` = CRm, `arg3` = op2.
   */
  "handle_ipas2e1is",
  "handle_ripas2e1is",
  "handle_vmalls12e1is",
  "handle_alle1is",
  "handle_tlbi_el1",
  "handle_tlbi_el2",
  /** compute_tlb_inval_range: `mmu`, `arg1` and `arg2` = operand; its return: `len` = size in BYTES. */
  "compute_inval",
  "compute_inval_ret",
  /** kvm_s2_mmu_iterate_by_vmid: `kvm`, `arg0` = VMID that the guest hypervisor uses. */
  "iterate_by_vmid",
  /** lookup_s2_mmu; its return: `mmu`, 0 where no shadow context fits. */
  "lookup_s2_mmu",
  "lookup_s2_mmu_ret",
  /** kvm_walk_nested_s2: `addr` = IPA of the nested guest in bytes. */
  "walk_nested",
  /** kvm_s2_handle_perm_fault: `phys` = what the guest's stage 2 translated to, an IPA of its VM in bytes. */
  "nested_perm",
  /** kvm_nested_s2_flush: `kvm`; caches only. */
  "nested_flush",
  /** kvm_nested_eret: `arg0` = HCR_EL2.VM of the guest hypervisor, 0 or 1. */
  "nested_eret",
  /** kvm_inject_nested_exception: the nested guest is left. */
  "nested_exception",
] as const;

export type EventKindName = (typeof EVENT_KINDS)[number];

/** Code of each kind, for switches in hot code: `EventKind.map`. */
export const EventKind: Readonly<Record<EventKindName, number>> = codesOf(EVENT_KINDS);

/** Kinds of x86 KVM: a replay of stage 2 leaves them alone. */
export const X86_EVENT_KINDS: ReadonlySet<EventKindName> = new Set<EventKindName>([
  "spte_changed",
  "set_spte",
  "split_huge_page",
  "page_fault",
  "fast_page_fault",
  "tdp_map",
  "unmap_hva_call",
  "zap_leafs",
  "zap_gfn_range",
  "zap_collapsible",
  "recover_huge_pages",
  "make_huge_spte",
  "slot_wrprotect",
  "slot_clear_dirty",
  "slot_split",
  "zap_all_fast",
  "zap_all",
  "zap_root",
  "cpus_request",
  "destroy_vm",
  "hv_flush",
  "hv_flush_range",
]);

/** What stage2_apply_range's `fn=` argument may name; `apply_range.arg0` is the index (0: another). */
export const APPLIED_FUNCTIONS = [
  "other",
  "kvm_pgtable_stage2_unmap",
  "kvm_pgtable_stage2_wrprotect",
  "kvm_pgtable_stage2_flush",
] as const;

/** `cpu` of an event whose source does not say. */
export const UNKNOWN_CPU = 0xffff;
