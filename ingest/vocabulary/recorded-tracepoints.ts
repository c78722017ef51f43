import type { RecordedArch } from "./recorded-probes.ts";

/**
 * Tracepoints that are recorded, where the kernel has them. On arm64 those that the replay reads: faults
 * and notifier calls (whose HVAs need the memslots), the dirty ring, and what tells on which CPU a vCPU is
 * loaded (`__kvm_flush_cpu_context` is predicted from that). `kvm_set_spte_hva` exists until 6.8, those of
 * nested guests since 6.5 or 6.8.
 */
const FAULTS = [
  "kvm/kvm_guest_fault",
  "kvm/kvm_access_fault",
  "kvm/kvm_userspace_exit",
  "kvm/kvm_unmap_hva_range",
  "kvm/kvm_set_spte_hva",
  "kvm/kvm_age_hva",
  "kvm/kvm_test_age_hva",
  "kvm/kvm_age_page",
  "kvm/kvm_dirty_ring_push",
  "kvm/kvm_dirty_ring_reset",
  "kvm/kvm_dirty_ring_exit",
] as const;

const VCPU_LOADS = [
  "kvm/kvm_entry",
  "kvm/kvm_exit",
  "kvm/kvm_timer_restore_state",
  "kvm/kvm_timer_save_state",
  "kvm/kvm_arm_setup_debug",
  "kvm/kvm_arm_clear_debug",
  "kvm/kvm_handle_sys_reg",
  "kvm/kvm_sys_access",
  "kvm/kvm_wfx_arm64",
  "kvm/kvm_hvc_arm64",
  "kvm/kvm_mmio_emulate",
  "kvm/kvm_mmio_nisv",
  "kvm/kvm_set_way_flush",
  "kvm/kvm_toggle_cache",
] as const;

const NESTED = [
  "kvm/kvm_nested_eret",
  "kvm/kvm_inject_nested_exception",
  "kvm/kvm_forward_sysreg_trap",
] as const;

/**
 * Without kvm_mmu_get_page, _prepare_zap_page, _sync_page and _unsync_page: the TDP MMU does not need them,
 * and on 6.1 they print neither text nor newline, so that the next event stands on their line.
 */
const X86 = [
  "kvm/kvm_page_fault",
  "kvm/kvm_userspace_exit",
  "kvm/kvm_unmap_hva_range",
  "kvm/kvm_set_spte_hva",
  "kvm/kvm_age_hva",
  "kvm/kvm_test_age_hva",
  "kvm/kvm_age_page",
  "kvm/kvm_dirty_ring_push",
  "kvm/kvm_dirty_ring_reset",
  "kvm/kvm_dirty_ring_exit",
  "kvm/kvm_hv_flush_tlb",
  "kvm/kvm_hv_flush_tlb_ex",
  "kvm/kvm_pv_tlb_flush",
  "kvm/kvm_pml_full",
  "kvmmmu/kvm_tdp_mmu_spte_changed",
  "kvmmmu/kvm_mmu_set_spte",
  "kvmmmu/kvm_mmu_spte_requested",
  "kvmmmu/kvm_mmu_split_huge_page",
  "kvmmmu/kvm_mmu_zap_all_fast",
  "kvmmmu/kvm_mmu_set_accessed_bit",
  "kvmmmu/kvm_mmu_set_dirty_bit",
  "kvmmmu/fast_page_fault",
  "kvmmmu/mark_mmio_spte",
  "kvmmmu/handle_mmio_page_fault",
  "kvmmmu/check_mmio_spte",
] as const;

const X86_LOADS = ["kvm/kvm_entry", "kvm/kvm_exit"] as const;

/** `standard`; `faults` without what happens at every exit; `none`. */
export const TRACEPOINT_SETS = ["standard", "faults", "none"] as const;
export type TracepointSet = (typeof TRACEPOINT_SETS)[number];

/** `system/event` of each tracepoint that is recorded. */
export function recordedTracepoints(
  arch: RecordedArch,
  set: TracepointSet,
  isNested: boolean,
): readonly string[] {
  if (set === "none") return [];
  const isFull = set === "standard";
  if (arch === "x86") return [...X86, ...(isFull ? X86_LOADS : [])];
  return [...FAULTS, ...(isFull ? VCPU_LOADS : []), ...(isFull || isNested ? NESTED : [])];
}
