import { LEGACY, PRIMITIVES, REQUESTS } from "./recorded-arm64-flushes.ts";
import {
  GFN_RANGE,
  MAP,
  MMU_OF_PGT,
  RANGE_OF_PGT,
  SLOT,
  commitRegion,
  one,
} from "./recorded-arm64-shapes.ts";
import type { RecordedFunction } from "./recorded-probes.ts";

/** Operations on a stage-2 table. */
const OPERATIONS: readonly RecordedFunction[] = [
  {
    name: "map",
    symbol: "kvm_pgtable_stage2_map",
    params: "pgt addr size phys prot mc flags",
    neededSince: "5.10",
    shapes: [
      { since: "5.10", fetch: MAP },
      { since: "6.2", fetch: `${MAP} flags=%x6:x32` },
    ],
  },
  {
    name: "unmap",
    symbol: "kvm_pgtable_stage2_unmap",
    params: "pgt addr size",
    neededSince: "5.10",
    shapes: one(RANGE_OF_PGT),
  },
  {
    name: "wrprotect",
    symbol: "kvm_pgtable_stage2_wrprotect",
    params: "pgt addr size",
    neededSince: "5.10",
    shapes: one(RANGE_OF_PGT),
  },
  {
    name: "relax_perms",
    symbol: "kvm_pgtable_stage2_relax_perms",
    params: "pgt addr prot flags",
    neededSince: "5.10",
    shapes: one(`pgt=%x0:x64 ${MMU_OF_PGT} addr=%x1:x64 prot=%x2:x64`),
  },
  {
    name: "mkyoung",
    symbol: "kvm_pgtable_stage2_mkyoung",
    params: "pgt addr flags",
    shapes: one("pgt=%x0:x64 addr=%x1:x64"),
  },
  {
    name: "mkold",
    symbol: "kvm_pgtable_stage2_mkold",
    params: "pgt addr",
    shapes: one("pgt=%x0:x64 addr=%x1:x64"),
  },
  {
    name: "is_young",
    symbol: "kvm_pgtable_stage2_is_young",
    params: "pgt addr",
    shapes: one("pgt=%x0:x64 addr=%x1:x64"),
  },
  {
    name: "test_clear_young",
    symbol: "kvm_pgtable_stage2_test_clear_young",
    params: "pgt addr size mkold",
    shapes: one("pgt=%x0:x64 addr=%x1:x64 size=%x2:x64 mkold=%x3:u8"),
  },
  {
    name: "flush",
    symbol: "kvm_pgtable_stage2_flush",
    params: "pgt addr size",
    shapes: one("pgt=%x0:x64 addr=%x1:x64 size=%x2:x64"),
  },
  {
    name: "split",
    symbol: "kvm_pgtable_stage2_split",
    params: "pgt addr size mc",
    neededSince: "6.5",
    shapes: one(RANGE_OF_PGT),
  },
  {
    name: "destroy",
    symbol: "kvm_pgtable_stage2_destroy",
    params: "pgt",
    neededSince: "5.10",
    shapes: one("pgt=%x0:x64"),
  },
  {
    name: "destroy_range",
    symbol: "kvm_pgtable_stage2_destroy_range",
    params: "pgt addr size",
    shapes: one("pgt=%x0:x64 addr=%x1:x64 size=%x2:x64"),
  },
  {
    name: "free_unlinked",
    symbol: "kvm_pgtable_stage2_free_unlinked",
    params: "mm_ops pgtable level",
    shapes: one("mm_ops=%x0:x64 pgtable=%x1:x64 level=%x2:s8"),
  },
  {
    name: "set_owner",
    symbol: "kvm_pgtable_stage2_set_owner",
    params: "pgt addr size",
    shapes: one("pgt=%x0:x64 addr=%x1:x64 size=%x2:x64"),
  },
];

/** What brackets operations: ranges, memslots, notifier calls, the end of a VM. */
const SCOPES: readonly RecordedFunction[] = [
  {
    // Its first argument is a struct kvm until 6.1 and a struct kvm_s2_mmu later.
    name: "apply_range",
    symbol: "stage2_apply_range",
    params: "_ addr end fn resched",
    shapes: one("obj=%x0:x64 addr=%x1:x64 end=%x2:x64 fn=%x3:symbol resched=%x4:u8"),
  },
  {
    name: "unmap_range",
    symbol: "__unmap_stage2_range",
    params: "mmu start size may_block",
    shapes: [{ since: "5.9", fetch: "mmu=%x0:x64 start=%x1:x64 size=%x2:x64 may_block=%x3:u8" }],
  },
  {
    name: "stage2_unmap_range",
    symbol: "kvm_stage2_unmap_range",
    params: "mmu start size may_block",
    insteadOf: "unmap_range",
    shapes: one("mmu=%x0:x64 start=%x1:x64 size=%x2:x64 may_block=%x3:u8"),
  },
  {
    name: "wp_range",
    symbol: "kvm_stage2_wp_range",
    params: "mmu addr end",
    shapes: one("mmu=%x0:x64 addr=%x1:x64 end=%x2:x64"),
  },
  {
    name: "wp_range_static",
    symbol: "stage2_wp_range",
    params: "_ addr end",
    insteadOf: "wp_range",
    shapes: [
      { since: "5.4", fetch: "kvm=%x0:x64 addr=%x1:x64 end=%x2:x64" },
      { since: "5.9", fetch: "mmu=%x0:x64 addr=%x1:x64 end=%x2:x64" },
    ],
  },
  {
    name: "unmap_gfn",
    symbol: "kvm_unmap_gfn_range",
    params: "kvm range",
    shapes: one(`kvm=%x0:x64 slot=+{kvm_gfn_range.slot}(%x1):x64 ${GFN_RANGE}`),
  },
  {
    name: "age_gfn",
    symbol: "kvm_age_gfn",
    params: "kvm range",
    shapes: one(`kvm=%x0:x64 ${GFN_RANGE}`),
  },
  {
    name: "test_age_gfn",
    symbol: "kvm_test_age_gfn",
    params: "kvm range",
    shapes: one(`kvm=%x0:x64 ${GFN_RANGE}`),
  },
  {
    name: "set_spte_gfn",
    symbol: "kvm_set_spte_gfn",
    params: "kvm range",
    shapes: one(`kvm=%x0:x64 ${GFN_RANGE}`),
  },
  {
    name: "enable_log_pt_masked",
    symbol: "kvm_arch_mmu_enable_log_dirty_pt_masked",
    params: "kvm slot gfn_offset mask",
    shapes: one(
      "kvm=%x0:x64 base_gfn=+{kvm_memory_slot.base_gfn}(%x1):x64 gfn_offset=%x2:x64 mask=%x3:x64",
    ),
  },
  {
    name: "commit_region",
    symbol: "kvm_arch_commit_memory_region",
    params: "kvm old new change",
    shapes: [
      // (kvm, mem, old, new, change) until 5.16, (kvm, old, new, change) since.
      { since: "5.6", fetch: commitRegion("%x2", "%x3", "%x4") },
      { since: "5.17", fetch: commitRegion("%x1", "%x2", "%x3") },
    ],
  },
  {
    name: "flush_shadow_memslot",
    symbol: "kvm_arch_flush_shadow_memslot",
    params: "kvm slot",
    shapes: one(`kvm=%x0:x64 ${SLOT}`),
  },
  {
    name: "flush_shadow_all",
    symbol: "kvm_arch_flush_shadow_all",
    params: "kvm",
    shapes: one("kvm=%x0:x64"),
  },
  {
    name: "free_pgd",
    symbol: "kvm_free_stage2_pgd",
    params: "mmu",
    shapes: [
      { since: "5.4", fetch: "kvm=%x0:x64" },
      { since: "5.9", fetch: "mmu=%x0:x64" },
    ],
  },
];

/** What is recorded on an arm64 host. */
export const ARM64_FUNCTIONS: readonly RecordedFunction[] = [
  ...OPERATIONS,
  ...SCOPES,
  ...LEGACY,
  ...REQUESTS,
  ...PRIMITIVES,
];
