import { withoutCompilerSuffix } from "./functions.ts";

/**
 * Parameters of the probed functions in the order of their registers (AAPCS64: x0…x7), by the names that
 * `roles.ts` knows; empty for one that the replay does not use.
 *
 * The prototypes of 5.10 to 7.3 agree in each place they share: later kernels only add at the end (walk
 * flags of map since 6.2, of relax_perms and mkyoung since 6.14). The first parameter of
 * stage2_apply_range was a struct kvm until 6.1 and is a struct kvm_s2_mmu since: `obj` stands for both.
 */
const PARAMETERS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ["kvm_pgtable_stage2_map", ["pgt", "addr", "size", "phys", "prot", "", "flags"]],
  ["kvm_pgtable_stage2_unmap", ["pgt", "addr", "size"]],
  ["kvm_pgtable_stage2_wrprotect", ["pgt", "addr", "size"]],
  ["kvm_pgtable_stage2_flush", ["pgt", "addr", "size"]],
  ["kvm_pgtable_stage2_relax_perms", ["pgt", "addr", "prot"]],
  ["kvm_pgtable_stage2_mkyoung", ["pgt", "addr"]],
  ["kvm_pgtable_stage2_mkold", ["pgt", "addr"]],
  ["kvm_pgtable_stage2_is_young", ["pgt", "addr"]],
  ["kvm_pgtable_stage2_test_clear_young", ["pgt", "addr", "size", "mkold"]],
  ["kvm_pgtable_stage2_split", ["pgt", "addr", "size"]],
  ["kvm_pgtable_stage2_destroy", ["pgt"]],
  ["kvm_pgtable_stage2_destroy_range", ["pgt", "addr", "size"]],
  ["kvm_pgtable_stage2_set_owner", ["pgt", "addr", "size"]],
  ["stage2_apply_range", ["obj", "addr", "end", "fn"]],
  ["__unmap_stage2_range", ["mmu", "start", "size"]],
  ["kvm_stage2_unmap_range", ["mmu", "start", "size"]],
  ["kvm_stage2_wp_range", ["mmu", "addr", "end"]],
  ["stage2_wp_range", ["mmu", "addr", "end"]],
  ["kvm_unmap_gfn_range", ["kvm"]],
  ["kvm_age_gfn", ["kvm"]],
  ["kvm_test_age_gfn", ["kvm"]],
  ["kvm_set_spte_gfn", ["kvm"]],
  ["kvm_arch_mmu_enable_log_dirty_pt_masked", ["kvm", "", "gfn_offset", "mask"]],
  ["kvm_arch_commit_memory_region", ["kvm", "", "", "change"]],
  ["kvm_arch_flush_shadow_memslot", ["kvm"]],
  ["kvm_arch_flush_shadow_all", ["kvm"]],
  ["kvm_free_stage2_pgd", ["mmu"]],
  ["kvm_nested_s2_unmap", ["kvm"]],
  ["kvm_nested_s2_wp", ["kvm"]],
  ["kvm_nested_s2_flush", ["kvm"]],
  ["compute_tlb_inval_range", ["mmu", "val"]],
  ["kvm_s2_mmu_iterate_by_vmid", ["kvm"]],
  ["s2_mmu_unmap_ipa", ["mmu"]],
  ["s2_mmu_unmap_range", ["mmu"]],
  ["s2_mmu_tlbi_s1e1", ["mmu"]],
  ["kvm_walk_nested_s2", ["", "gipa"]],
  ["kvm_flush_remote_tlbs", ["kvm"]],
  ["kvm_flush_remote_tlbs_range", ["kvm", "gfn", "nr_pages"]],
  ["kvm_flush_remote_tlbs_memslot", ["kvm"]],
  ["kvm_arch_flush_remote_tlbs", ["kvm"]],
  ["kvm_arch_flush_remote_tlbs_range", ["kvm", "gfn", "nr_pages"]],
  ["kvm_arch_flush_remote_tlbs_memslot", ["kvm"]],
  ["kvm_tlb_flush_vmid_range", ["mmu", "addr", "size"]],
  ["__kvm_tlb_flush_vmid", ["mmu"]],
  ["__kvm_tlb_flush_vmid_ipa", ["mmu", "ipa", "level"]],
  ["__kvm_tlb_flush_vmid_ipa_nsh", ["mmu", "ipa", "level"]],
  ["__kvm_tlb_flush_vmid_range", ["mmu", "start", "pages"]],
  ["__kvm_flush_cpu_context", ["mmu"]],
]);

/** Name of a function's parameter, counted from 0; undefined where there is none that the replay uses. */
export function parameterName(symbol: string, index: number): string | undefined {
  const name = PARAMETERS.get(withoutCompilerSuffix(symbol))?.[index];
  return name === "" ? undefined : name;
}
