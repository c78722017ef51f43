import type { EventKindName } from "../events/kinds.ts";
import type { FunctionMeaning, Need } from "./functions.ts";

/**
 * The functions of x86 KVM that the replay of the TDP MMU understands. Names and arguments as recorded on
 * 5.10, 6.1, 6.12 and 7.2; a function that a release lacks, or whose compiler inlined it, simply never occurs.
 */

const RANGE = ["kvm", "root", "gfn", "pages", "endGfn"] as const;
/** Arguments that are recorded beside these and say nothing that a flush depends on. */
const IGNORES = [
  "can_yield",
  "shared",
  "min_level",
  "start_level",
  "target_level",
  "zap_level",
  "flush",
  "flags",
  "node",
  "gfn_offset",
  "root_types",
  "error_code",
  "map_writable",
  "max_level",
  "pfn",
  "gpa",
  "fault",
  "iter",
  "sp",
  "parent",
  "huge_spte",
  "root",
] as const;

const scope = (kind: EventKindName, needs: readonly Need[] = ["context"]): FunctionMeaning => ({
  kind,
  takes: RANGE,
  needs,
  ignores: IGNORES,
});
/** A call on a memslot: `base_gfn` and `npages`, and perhaps a part of it, which is left alone. */
const onSlot = (kind: EventKindName): FunctionMeaning => ({
  kind,
  takes: ["kvm"],
  needs: ["context"],
  ignores: [...IGNORES, "base_gfn", "npages", "start", "end"],
});
const onVm = (kind: EventKindName): FunctionMeaning => ({
  kind,
  takes: ["kvm"],
  needs: [],
  ignores: IGNORES,
});

const changedSpte: FunctionMeaning = {
  kind: "spte_changed",
  takes: ["kvm", "gfn", "level", "oldSpte", "newSpte", "addressSpace"],
  needs: ["context", "addr", "prot", "arg0", "arg1", "arg2"],
  ignores: ["sp", "shared", "sptep", "iter"],
};

export const X86_FUNCTION_MEANINGS: readonly (readonly [string, FunctionMeaning])[] = [
  ["__handle_changed_spte", changedSpte],
  ["handle_changed_spte", changedSpte],
  ["kvm_tdp_mmu_map", { kind: "tdp_map", takes: [], needs: [], ignores: IGNORES }],
  [
    "kvm_unmap_hva_range",
    {
      kind: "unmap_hva_call",
      takes: ["kvm", "address", "end"],
      needs: ["context"],
      ignores: IGNORES,
    },
  ],
  ["tdp_mmu_zap_leafs", scope("zap_leafs")],
  ["zap_gfn_range", scope("zap_leafs")],
  ["kvm_zap_gfn_range", scope("zap_gfn_range")],
  [
    "zap_collapsible_spte_range",
    {
      kind: "zap_collapsible",
      takes: ["kvm", "root", "gfn", "pages", "endGfn"],
      needs: ["context"],
      ignores: IGNORES,
    },
  ],
  ["recover_huge_pages_range", scope("recover_huge_pages")],
  ["tdp_mmu_make_huge_spte", onVm("make_huge_spte")],
  ["kvm_mmu_slot_remove_write_access", onSlot("slot_wrprotect")],
  ["kvm_mmu_slot_leaf_clear_dirty", onSlot("slot_clear_dirty")],
  ["kvm_mmu_slot_try_split_huge_pages", onSlot("slot_split")],
  ["kvm_mmu_try_split_huge_pages", onSlot("slot_split")],
  ["kvm_mmu_zap_all_fast", onVm("zap_all_fast")],
  ["kvm_mmu_zap_all", onVm("zap_all")],
  ["kvm_tdp_mmu_zap_all", onVm("zap_all")],
  ["__tdp_mmu_zap_root", scope("zap_root")],
  ["tdp_mmu_zap_root", scope("zap_root")],
  [
    "kvm_make_all_cpus_request",
    { kind: "cpus_request", takes: ["kvm", "request"], needs: ["context", "arg0"] },
  ],
  [
    "kvm_arch_destroy_vm",
    { kind: "destroy_vm", takes: ["kvm", "kicks", "requests"], needs: ["context"] },
  ],
  // The flush with a range, as it was named before 6.5: where the machine has none it is a full flush.
  [
    "kvm_flush_remote_tlbs_with_address",
    {
      kind: "remote_range",
      takes: ["kvm", "gfn", "pages"],
      needs: ["context", "addr", "len"],
    },
  ],
  ["hv_flush_remote_tlbs", onVm("hv_flush")],
  [
    "hv_flush_remote_tlbs_range",
    { kind: "hv_flush_range", takes: ["kvm", "gfn", "pages"], needs: ["context", "addr", "len"] },
  ],
];
