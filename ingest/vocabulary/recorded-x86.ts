import type { RecordedFunction } from "./recorded-probes.ts";
import { X86_TDP_FUNCTIONS } from "./recorded-x86-tdp.ts";
import { at, probe, rangeAt, slotAt } from "./recorded-x86-shapes.ts";

/** Flush requests, memslot changes, notifier calls and zaps of x86 KVM. */
const X86_MMU_FUNCTIONS: readonly RecordedFunction[] = [
  probe("kvm_flush_remote_tlbs", "kvm", at("5.10", "kvm=%di:x64")),
  probe(
    "kvm_flush_remote_tlbs_with_address",
    "kvm start_gfn pages",
    at("5.10", "kvm=%di:x64 start_gfn=%si:x64 pages=%dx:x64"),
  ),
  probe(
    "kvm_arch_flush_remote_tlbs_memslot",
    "kvm memslot",
    at("5.10", `kvm=%di:x64 memslot=%si:x64 ${slotAt("%si")}`),
  ),
  probe("kvm_make_all_cpus_request", "kvm req", at("5.10", "kvm=%di:x64 req=%si:s32")),
  probe(
    "__handle_changed_spte",
    "kvm sp gfn old_spte new_spte level",
    at(
      "5.10",
      "kvm=%di:x64 as_id=%si:s32 gfn=%dx:x64 old_spte=%cx:x64 new_spte=%r8:x64 level=%r9:s32",
      "6.1",
    ),
    at("7.2", "kvm=%di:x64 sp=%si:x64 gfn=%dx:x64 old_spte=%cx:x64 new_spte=%r8:x64 level=%r9:s32"),
  ),
  probe(
    "zap_collapsible_spte_range",
    "kvm root slot",
    at("5.10", "kvm=%di:x64 root=%si:x64 start=%dx:x64 end=%cx:x64", "5.10"),
    at("6.1", `kvm=%di:x64 root=%si:x64 slot=%dx:x64 ${slotAt("%dx")}`),
  ),
  probe(
    "kvm_zap_gfn_range",
    "kvm gfn_start gfn_end",
    at("5.10", "kvm=%di:x64 gfn_start=%si:x64 gfn_end=%dx:x64"),
  ),
  probe("kvm_mmu_zap_all_fast", "kvm", at("5.10", "kvm=%di:x64")),
  probe("kvm_mmu_zap_all", "kvm", at("5.10", "", "5.10"), at("6.1", "kvm=%di:x64")),
  probe(
    "kvm_mmu_zap_collapsible_sptes",
    "kvm slot",
    at("5.10", `kvm=%di:x64 memslot=%si:x64 ${slotAt("%si")}`, "5.10"),
    at("6.1", `kvm=%di:x64 slot=%si:x64 ${slotAt("%si")}`),
  ),
  probe(
    "kvm_mmu_slot_remove_write_access",
    "kvm memslot start_level",
    at("5.10", `kvm=%di:x64 memslot=%si:x64 ${slotAt("%si")} start_level=%dx:s32`),
  ),
  probe(
    "kvm_mmu_slot_leaf_clear_dirty",
    "kvm memslot",
    at("5.10", `kvm=%di:x64 memslot=%si:x64 ${slotAt("%si")}`),
  ),
  probe(
    "kvm_mmu_slot_set_dirty",
    "kvm memslot",
    at("5.10", `kvm=%di:x64 memslot=%si:x64 ${slotAt("%si")}`),
  ),
  probe(
    "kvm_mmu_slot_largepage_remove_write_access",
    "kvm memslot",
    at("5.10", `kvm=%di:x64 memslot=%si:x64 ${slotAt("%si")}`),
  ),
  probe(
    "kvm_arch_mmu_enable_log_dirty_pt_masked",
    "kvm slot gfn_offset mask",
    at("5.10", `kvm=%di:x64 slot=%si:x64 ${slotAt("%si")} gfn_offset=%dx:x64 mask=%cx:x64`),
  ),
  probe(
    "kvm_arch_flush_shadow_memslot",
    "kvm slot",
    at("5.10", `kvm=%di:x64 slot=%si:x64 ${slotAt("%si")}`),
  ),
  probe("kvm_arch_flush_shadow_all", "kvm", at("5.10", "", "5.10"), at("6.1", "kvm=%di:x64")),
  probe(
    "kvm_mmu_invalidate_zap_pages_in_memslot",
    "kvm slot node",
    at("5.10", `kvm=%di:x64 slot=%si:x64 ${slotAt("%si")} node=%dx:x64`),
  ),
  probe(
    "kvm_unmap_hva_range",
    "kvm start end flags",
    at("5.10", "kvm=%di:x64 start=%si:x64 end=%dx:x64 flags=%cx:s32"),
  ),
  probe("kvm_age_hva", "kvm start end", at("5.10", "kvm=%di:x64 start=%si:x64 end=%dx:x64")),
  probe(
    "kvm_arch_commit_memory_region",
    "kvm old new change",
    at(
      "5.10",
      "kvm=%di:x64 mem=%si:x64 gpa=+{kvm_userspace_memory_region.guest_phys_addr}(%si):x64 size=+{kvm_userspace_memory_region.memory_size}(%si):x64 old=%dx:x64 old_flags=+{kvm_memory_slot.flags}(%dx):x32 new=%cx:x64 new_base_gfn=+{kvm_memory_slot.base_gfn}(%cx):x64 new_npages=+{kvm_memory_slot.npages}(%cx):x64 hva=+{kvm_memory_slot.userspace_addr}(%cx):x64 flags=+{kvm_memory_slot.flags}(%cx):x32 id=+{kvm_memory_slot.id}(%cx):s16 change=%r8:s32",
      "5.10",
    ),
    at(
      "6.1",
      "kvm=%di:x64 old=%si:x64 old_flags=+{kvm_memory_slot.flags}(%si):x32 new=%dx:x64 new_base_gfn=+{kvm_memory_slot.base_gfn}(%dx):x64 new_npages=+{kvm_memory_slot.npages}(%dx):x64 hva=+{kvm_memory_slot.userspace_addr}(%dx):x64 flags=+{kvm_memory_slot.flags}(%dx):x32 id=+{kvm_memory_slot.id}(%dx):s16 change=%cx:s32",
    ),
  ),
  probe(
    "kvm_arch_destroy_vm",
    "kvm",
    at("5.10", "kvm=%di:x64 remote_tlb_flush=+{kvm.stat.remote_tlb_flush}(%di):u64", "5.10"),
    at(
      "6.1",
      "kvm=%di:x64 remote_tlb_flush=+{kvm.stat.generic.remote_tlb_flush}(%di):u64 requests=+{kvm.stat.generic.remote_tlb_flush_requests}(%di):u64",
    ),
  ),
  probe(
    "zap_gfn_range",
    "kvm root start end can_yield",
    at("5.10", "kvm=%di:x64 root=%si:x64 start=%dx:x64 end=%cx:x64 can_yield=%r8:u8"),
  ),
  probe(
    "wrprot_gfn_range",
    "kvm root start end min_level",
    at("5.10", "kvm=%di:x64 root=%si:x64 start=%dx:x64 end=%cx:x64 min_level=%r8:s32"),
  ),
  probe(
    "clear_dirty_gfn_range",
    "kvm root start end",
    at("5.10", "kvm=%di:x64 root=%si:x64 start=%dx:x64 end=%cx:x64"),
  ),
  probe(
    "clear_dirty_pt_masked",
    "kvm root gfn mask wrprot",
    at("5.10", "", "5.10"),
    at("6.1", "kvm=%di:x64 root=%si:x64 gfn=%dx:x64 mask=%cx:x64 wrprot=%r8:u8"),
  ),
  probe("kvm_mmu_flush_or_zap", "", at("5.10", "")),
  probe(
    "kvm_mmu_slot_try_split_huge_pages",
    "kvm memslot target_level",
    at("6.1", `kvm=%di:x64 memslot=%si:x64 ${slotAt("%si")} target_level=%dx:s32`),
  ),
  probe(
    "kvm_mmu_try_split_huge_pages",
    "kvm memslot start end target_level",
    at(
      "6.1",
      `kvm=%di:x64 memslot=%si:x64 ${slotAt("%si")} start=%dx:x64 end=%cx:x64 target_level=%r8:s32`,
    ),
  ),
  probe(
    "kvm_unmap_gfn_range",
    "kvm range",
    at("6.1", `kvm=%di:x64 range=%si:x64 ${rangeAt("%si")}`),
  ),
  probe("kvm_set_spte_gfn", "kvm range", at("6.1", `kvm=%di:x64 range=%si:x64 ${rangeAt("%si")}`)),
  probe("kvm_age_gfn", "kvm range", at("6.1", `kvm=%di:x64 range=%si:x64 ${rangeAt("%si")}`)),
  probe("kvm_test_age_gfn", "kvm range", at("6.1", `kvm=%di:x64 range=%si:x64 ${rangeAt("%si")}`)),
  probe(
    "kvm_flush_remote_tlbs_range",
    "kvm gfn nr_pages",
    at("6.12", "kvm=%di:x64 gfn=%si:x64 nr_pages=%dx:x64"),
  ),
  probe(
    "kvm_flush_remote_tlbs_memslot",
    "kvm memslot",
    at("6.12", `kvm=%di:x64 memslot=%si:x64 ${slotAt("%si")}`),
  ),
  probe("hv_flush_remote_tlbs", "kvm", at("6.12", "kvm=%di:x64")),
  probe(
    "hv_flush_remote_tlbs_range",
    "kvm start_gfn nr_pages",
    at("6.12", "kvm=%di:x64 start_gfn=%si:x64 nr_pages=%dx:x64"),
  ),
  probe(
    "handle_changed_spte",
    "kvm as_id gfn old_spte new_spte level",
    at(
      "6.12",
      "kvm=%di:x64 as_id=%si:s32 gfn=%dx:x64 old_spte=%cx:x64 new_spte=%r8:x64 level=%r9:s32",
    ),
  ),
  probe(
    "kvm_mmu_unmap_gfn_range",
    "kvm range",
    at("6.12", `kvm=%di:x64 range=%si:x64 ${rangeAt("%si")}`),
  ),
  probe(
    "recover_huge_pages_range",
    "kvm root slot",
    at("7.2", `kvm=%di:x64 root=%si:x64 slot=%dx:x64 ${slotAt("%dx")}`),
  ),
  probe(
    "kvm_mmu_recover_huge_pages",
    "kvm slot",
    at("7.2", `kvm=%di:x64 slot=%si:x64 ${slotAt("%si")}`),
  ),
];

/** What is recorded on an x86 host; events are named as their functions. */
export const X86_FUNCTIONS: readonly RecordedFunction[] = [
  ...X86_MMU_FUNCTIONS,
  ...X86_TDP_FUNCTIONS,
];

/** Functions whose return is recorded: its value says whether the caller flushes. */
export const X86_RETURNS: ReadonlyMap<string, string> = new Map([
  ["kvm_unmap_gfn_range", "ret=$retval:u8"],
  ["kvm_unmap_hva_range", "ret=$retval:s32"],
]);
