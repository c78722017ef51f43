import type { RecordedFunction } from "./recorded-probes.ts";
import { at, probe, rangeAt, slotAt } from "./recorded-x86-shapes.ts";

/** The functions of the x86 TDP MMU, by the releases at which their arguments were recorded. */
export const X86_TDP_FUNCTIONS: readonly RecordedFunction[] = [
  probe(
    "__kvm_tdp_mmu_zap_gfn_range",
    "kvm start end can_yield",
    at("5.10", "kvm=%di:x64 start=%si:x64 end=%dx:x64 can_yield=%cx:u8"),
  ),
  probe(
    "kvm_tdp_mmu_age_hva_range",
    "kvm start end",
    at("5.10", "kvm=%di:x64 start=%si:x64 end=%dx:x64"),
  ),
  probe(
    "kvm_tdp_mmu_clear_dirty_pt_masked",
    "kvm slot gfn mask wrprot",
    at("5.10", `kvm=%di:x64 slot=%si:x64 ${slotAt("%si")} gfn=%dx:x64 mask=%cx:x64 wrprot=%r8:u8`),
  ),
  probe(
    "kvm_tdp_mmu_clear_dirty_slot",
    "kvm slot",
    at("5.10", `kvm=%di:x64 slot=%si:x64 ${slotAt("%si")}`),
  ),
  probe("kvm_tdp_mmu_free_root", "kvm root", at("5.10", "kvm=%di:x64 root=%si:x64")),
  probe("kvm_tdp_mmu_get_vcpu_root_hpa", "vcpu", at("5.10", "", "5.10"), at("6.1", "vcpu=%di:x64")),
  probe("kvm_tdp_mmu_handle_hva_range", "", at("5.10", "")),
  probe(
    "kvm_tdp_mmu_map",
    "vcpu fault",
    at(
      "5.10",
      "vcpu=%di:x64 gpa=%si:x64 error_code=%dx:s32 map_writable=%cx:s32 max_level=%r8:s32 pfn=%r9:x64",
      "5.10",
    ),
    at("6.1", "vcpu=%di:x64 fault=%si:x64"),
  ),
  probe("kvm_tdp_mmu_set_spte_hva", "kvm address", at("5.10", "kvm=%di:x64 address=%si:x64")),
  probe("kvm_tdp_mmu_slot_set_dirty", "", at("5.10", "")),
  probe("kvm_tdp_mmu_test_age_hva", "", at("5.10", "")),
  probe(
    "kvm_tdp_mmu_write_protect_gfn",
    "kvm slot gfn min_level",
    at("5.10", "", "5.10"),
    at("6.1", `kvm=%di:x64 slot=%si:x64 ${slotAt("%si")} gfn=%dx:x64 min_level=%cx:s32`),
  ),
  probe(
    "kvm_tdp_mmu_wrprot_slot",
    "kvm slot min_level",
    at("5.10", `kvm=%di:x64 slot=%si:x64 ${slotAt("%si")} min_level=%dx:s32`),
  ),
  probe("kvm_tdp_mmu_zap_all", "kvm", at("5.10", "kvm=%di:x64")),
  probe(
    "kvm_tdp_mmu_zap_collapsible_sptes",
    "kvm slot",
    at("5.10", `kvm=%di:x64 slot=%si:x64 ${slotAt("%si")}`),
  ),
  probe(
    "kvm_tdp_mmu_zap_hva_range",
    "kvm start end",
    at("5.10", "kvm=%di:x64 start=%si:x64 end=%dx:x64"),
  ),
  probe(
    "tdp_mmu_split_huge_pages_root",
    "kvm root start end target_level shared",
    at(
      "6.1",
      "kvm=%di:x64 root=%si:x64 start=%dx:x64 end=%cx:x64 target_level=%r8:s32 shared=%r9:u8",
    ),
  ),
  probe(
    "tdp_mmu_zap_leafs",
    "kvm root start end can_yield flush",
    at("6.1", "kvm=%di:x64 root=%si:x64 start=%dx:x64 end=%cx:x64 can_yield=%r8:u8 flush=%r9:u8"),
  ),
  probe(
    "__tdp_mmu_zap_root",
    "kvm root shared zap_level",
    at("6.1", "kvm=%di:x64 root=%si:x64 shared=%dx:u8 zap_level=%cx:s32"),
  ),
  probe(
    "tdp_mmu_link_sp",
    "kvm iter sp shared",
    at("6.1", "kvm=%di:x64 iter=%si:x64 sp=%dx:x64 account_nx=%cx:u8 shared=%r8:u8", "6.1"),
    at("6.12", "kvm=%di:x64 iter=%si:x64 sp=%dx:x64 shared=%cx:u8"),
  ),
  probe(
    "kvm_tdp_mmu_age_gfn_range",
    "kvm range",
    at("6.1", `kvm=%di:x64 range=%si:x64 ${rangeAt("%si")}`),
  ),
  probe("kvm_tdp_mmu_invalidate_all_roots", "kvm", at("6.1", "kvm=%di:x64")),
  probe(
    "kvm_tdp_mmu_put_root",
    "kvm root",
    at("6.1", "kvm=%di:x64 root=%si:x64 shared=%dx:u8", "6.1"),
    at("6.12", "kvm=%di:x64 root=%si:x64"),
  ),
  probe(
    "kvm_tdp_mmu_set_spte_gfn",
    "kvm range",
    at("6.1", `kvm=%di:x64 range=%si:x64 ${rangeAt("%si")}`),
  ),
  probe(
    "kvm_tdp_mmu_test_age_gfn",
    "kvm range",
    at("6.1", `kvm=%di:x64 range=%si:x64 ${rangeAt("%si")}`),
  ),
  probe(
    "kvm_tdp_mmu_try_split_huge_pages",
    "kvm slot start end target_level shared",
    at(
      "6.1",
      `kvm=%di:x64 slot=%si:x64 ${slotAt("%si")} start=%dx:x64 end=%cx:x64 target_level=%r8:s32 shared=%r9:u8`,
    ),
  ),
  probe(
    "kvm_tdp_mmu_unmap_gfn_range",
    "kvm range flush",
    at("6.1", `kvm=%di:x64 range=%si:x64 ${rangeAt("%si")} flush=%dx:u8`),
  ),
  probe(
    "kvm_tdp_mmu_zap_invalidated_roots",
    "kvm shared",
    at("6.1", "kvm=%di:x64", "6.12"),
    at("7.2", "kvm=%di:x64 shared=%si:u8"),
  ),
  probe(
    "kvm_tdp_mmu_zap_leafs",
    "kvm start end flush",
    at("6.1", "kvm=%di:x64 start=%si:x64 end=%dx:x64 flush=%cx:u8"),
  ),
  probe("kvm_tdp_mmu_zap_sp", "kvm sp", at("6.1", "kvm=%di:x64 sp=%si:x64")),
  probe(
    "tdp_mmu_split_huge_page",
    "kvm iter sp shared",
    at("6.12", "kvm=%di:x64 iter=%si:x64 sp=%dx:x64 shared=%cx:u8"),
  ),
  probe(
    "tdp_mmu_zap_root",
    "kvm root shared",
    at("6.12", "kvm=%di:x64 root=%si:x64 shared=%dx:u8"),
  ),
  probe(
    "kvm_tdp_mmu_alloc_root",
    "vcpu mirror",
    at("6.12", "vcpu=%di:x64", "6.12"),
    at("7.2", "vcpu=%di:x64 mirror=%si:u8"),
  ),
  probe(
    "tdp_mmu_make_huge_spte",
    "kvm parent huge_spte",
    at("7.2", "kvm=%di:x64 parent=%si:x64 huge_spte=%dx:x64"),
  ),
  probe(
    "__kvm_tdp_mmu_age_gfn_range",
    "kvm range test_only",
    at("7.2", `kvm=%di:x64 range=%si:x64 ${rangeAt("%si")} test_only=%dx:u8`),
  ),
  probe(
    "kvm_tdp_mmu_invalidate_roots",
    "kvm root_types",
    at("7.2", "kvm=%di:x64 root_types=%si:s32"),
  ),
  probe(
    "kvm_tdp_mmu_map_private_pfn",
    "vcpu gfn pfn",
    at("7.2", "vcpu=%di:x64 gfn=%si:x64 pfn=%dx:x64"),
  ),
  probe(
    "kvm_tdp_mmu_recover_huge_pages",
    "kvm slot",
    at("7.2", `kvm=%di:x64 slot=%si:x64 ${slotAt("%si")}`),
  ),
  probe("kvm_tdp_mmu_zap_possible_nx_huge_page", "kvm sp", at("7.2", "kvm=%di:x64 sp=%si:x64")),
];
