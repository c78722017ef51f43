import type { EventKindName } from "../events/kinds.ts";
import type { RoleName } from "./roles.ts";
import { X86_FUNCTION_MEANINGS } from "./x86-functions.ts";

/**
 * The kernel functions whose calls the replay understands, by symbol. An event's kind comes from the
 * function it probes, never from the name its owner gave the event.
 */
export interface FunctionMeaning {
  readonly kind: EventKindName;
  /** Kind of the function's return; without one a return is of kind `other`. */
  readonly returnKind?: EventKindName;
  readonly takes: readonly RoleName[];
  /** Without these the event cannot be replayed: it is counted as a loss and becomes `other`. */
  readonly needs: readonly Need[];
  /** Known arguments of this function that no column holds, beyond IGNORED_ARGUMENTS. */
  readonly ignores?: readonly string[];
}

/** `context`: any of `pgt`, `mmu`, `kvm`, and not NULL. */
export type Need = "context" | "addr" | "len" | "phys" | "prot" | "arg0" | "arg1" | "arg2";

const POINTERS = ["pgt", "mmu", "kvm", "object"] as const;
const RANGE = [...POINTERS, "address", "length", "end", "vmid"] as const;
const PAGE_RANGE = [...POINTERS, "gfn", "pages", "endGfn"] as const;
const NEEDS_RANGE = ["context", "addr", "len"] as const;

const overRange = (kind: EventKindName, returnKind?: EventKindName): FunctionMeaning => ({
  kind,
  ...(returnKind === undefined ? {} : { returnKind }),
  takes: RANGE,
  needs: NEEDS_RANGE,
});
const overPages = (kind: EventKindName, needs: readonly Need[]): FunctionMeaning => ({
  kind,
  takes: PAGE_RANGE,
  needs,
});
const onContext = (kind: EventKindName, needs: readonly Need[] = ["context"]): FunctionMeaning => ({
  kind,
  takes: [...POINTERS, "vmid"],
  needs,
});
const atAddress = (kind: EventKindName): FunctionMeaning => ({
  kind,
  takes: [...POINTERS, "address"],
  needs: ["context", "addr"],
  ignores: ["flags"],
});
const invalidationByAddress = (kind: EventKindName): FunctionMeaning => ({
  kind,
  takes: [...POINTERS, "address", "level", "vmid"],
  needs: ["context", "addr"],
});
/** A handler of a TLBI that a guest hypervisor executed. */
const guestTlbi = (kind: EventKindName): FunctionMeaning => ({
  kind,
  takes: ["operand", "op1", "crn", "crm", "op2"],
  needs: [],
  ignores: ["p", "r"],
});

export const KERNEL_FUNCTIONS: ReadonlyMap<string, FunctionMeaning> = new Map<
  string,
  FunctionMeaning
>([
  // Operations on a stage-2 table; addresses and lengths in bytes.
  [
    "kvm_pgtable_stage2_map",
    {
      kind: "map",
      returnKind: "map_ret",
      takes: [...RANGE, "physical", "prot", "walkFlags"],
      needs: ["context", "addr", "len", "phys", "prot"],
    },
  ],
  ["kvm_pgtable_stage2_unmap", overRange("unmap", "unmap_ret")],
  ["kvm_pgtable_stage2_wrprotect", overRange("wrprotect", "wrprotect_ret")],
  [
    "kvm_pgtable_stage2_relax_perms",
    {
      kind: "relax_perms",
      returnKind: "relax_perms_ret",
      takes: [...POINTERS, "address", "prot", "vmid"],
      needs: ["context", "addr", "prot"],
      ignores: ["flags"],
    },
  ],
  ["kvm_pgtable_stage2_mkyoung", atAddress("mkyoung")],
  ["kvm_pgtable_stage2_mkold", atAddress("mkold")],
  ["kvm_pgtable_stage2_is_young", atAddress("is_young")],
  [
    "kvm_pgtable_stage2_test_clear_young",
    { kind: "test_clear_young", takes: [...RANGE, "mkold"], needs: NEEDS_RANGE },
  ],
  ["kvm_pgtable_stage2_flush", overRange("flush_dcache")],
  ["kvm_pgtable_stage2_split", overRange("split", "split_ret")],
  ["kvm_pgtable_stage2_destroy", onContext("destroy")],
  ["kvm_pgtable_stage2_destroy_range", overRange("destroy_range")],
  [
    // Its `pgtable` is a table page, not a struct kvm_pgtable: it must not pass for a context.
    "kvm_pgtable_stage2_free_unlinked",
    { kind: "free_unlinked", takes: [], needs: [], ignores: ["pgtable", "level"] },
  ],
  [
    "kvm_pgtable_stage2_set_owner",
    { ...overRange("set_owner"), ignores: ["owner_id", "owner", "mc"] },
  ],

  // Scopes; bytes.
  ["stage2_apply_range", { kind: "apply_range", takes: [...RANGE, "applied"], needs: NEEDS_RANGE }],
  ["__unmap_stage2_range", overRange("unmap_range")],
  ["kvm_stage2_unmap_range", overRange("unmap_range")],
  ["kvm_stage2_wp_range", overRange("wp_range")],
  ["stage2_wp_range", overRange("wp_range")],

  // Scopes; pages. Their range sits behind a pointer, so a probe may lack it: NaN then.
  ["kvm_unmap_gfn_range", overPages("unmap_gfn", ["context"])],
  ["kvm_age_gfn", overPages("age_gfn", ["context"])],
  ["kvm_test_age_gfn", overPages("test_age_gfn", ["context"])],
  ["kvm_set_spte_gfn", overPages("set_spte_gfn", ["context"])],
  [
    "kvm_arch_mmu_enable_log_dirty_pt_masked",
    {
      kind: "enable_log_pt_masked",
      takes: [...PAGE_RANGE, "gfnOffset", "mask"],
      needs: ["context", "arg0", "arg1"],
    },
  ],
  [
    "kvm_arch_commit_memory_region",
    {
      kind: "commit_region",
      takes: [
        ...POINTERS,
        "gfn",
        "newPages",
        "change",
        "oldFlags",
        "newFlags",
        "slotId",
        "userspace",
      ],
      needs: ["context", "addr", "len", "arg0", "arg2"],
      // Of the struct that user space passes, in bytes.
      ignores: ["mem", "gpa", "size"],
    },
  ],
  ["kvm_arch_flush_shadow_memslot", overPages("flush_shadow_memslot", ["context"])],
  ["kvm_arch_flush_shadow_all", onContext("flush_shadow_all", [])],
  ["kvm_free_stage2_pgd", onContext("free_pgd")],

  // Nested virtualisation.
  ["kvm_nested_s2_unmap", onContext("nested_unmap")],
  ["kvm_nested_s2_wp", onContext("nested_wp")],
  ["kvm_nested_s2_flush", onContext("nested_flush")],
  [
    "s2_mmu_unmap_ipa",
    {
      kind: "nested_tlbi_ipa",
      takes: [...POINTERS, "operand", "vmid", "vttbr"],
      needs: ["context"],
    },
  ],
  [
    "s2_mmu_unmap_range",
    { kind: "nested_tlbi_range", takes: [...RANGE, "vttbr"], needs: ["context"] },
  ],
  [
    "s2_mmu_tlbi_s1e1",
    { kind: "nested_tlbi_s1", takes: [...POINTERS, "vmid", "vttbr"], needs: ["context"] },
  ],
  ["handle_ipas2e1is", guestTlbi("handle_ipas2e1is")],
  ["handle_ripas2e1is", guestTlbi("handle_ripas2e1is")],
  ["handle_vmalls12e1is", guestTlbi("handle_vmalls12e1is")],
  ["handle_alle1is", guestTlbi("handle_alle1is")],
  ["handle_tlbi_el1", guestTlbi("handle_tlbi_el1")],
  ["handle_tlbi_el2", guestTlbi("handle_tlbi_el2")],
  [
    "compute_tlb_inval_range",
    {
      kind: "compute_inval",
      returnKind: "compute_inval_ret",
      takes: [...POINTERS, "operand", "vmid"],
      needs: ["context"],
    },
  ],
  [
    "kvm_s2_mmu_iterate_by_vmid",
    {
      kind: "iterate_by_vmid",
      takes: ["kvm", "guestVmid"],
      needs: [],
      ignores: ["start", "size", "info"],
    },
  ],
  [
    "lookup_s2_mmu",
    { kind: "lookup_s2_mmu", returnKind: "lookup_s2_mmu_ret", takes: [], needs: [] },
  ],
  ["kvm_walk_nested_s2", { kind: "walk_nested", takes: ["nestedIpa"], needs: [] }],
  [
    "kvm_s2_handle_perm_fault",
    { kind: "nested_perm", takes: ["guestOutput"], needs: [], ignores: ["trans"] },
  ],

  // Requests; pages where a range is given, except kvm_tlb_flush_vmid_range.
  ["kvm_flush_remote_tlbs", onContext("remote")],
  ["kvm_flush_remote_tlbs_range", overPages("remote_range", NEEDS_RANGE)],
  ["kvm_flush_remote_tlbs_memslot", overPages("remote_memslot", NEEDS_RANGE)],
  ["kvm_arch_flush_remote_tlbs", onContext("arch_remote")],
  ["kvm_arch_flush_remote_tlbs_range", overPages("arch_remote_range", NEEDS_RANGE)],
  ["kvm_arch_flush_remote_tlbs_memslot", overPages("arch_remote_memslot", NEEDS_RANGE)],
  ["kvm_tlb_flush_vmid_range", overRange("tlb_range")],

  // Primitives.
  ["__kvm_tlb_flush_vmid", onContext("hw_vmid")],
  ["__kvm_tlb_flush_vmid_ipa", invalidationByAddress("hw_vmid_ipa")],
  ["__kvm_tlb_flush_vmid_ipa_nsh", invalidationByAddress("hw_vmid_ipa_nsh")],
  [
    // Start in bytes, length in pages.
    "__kvm_tlb_flush_vmid_range",
    {
      kind: "hw_vmid_range",
      takes: [...POINTERS, "address", "pages", "vmid"],
      needs: NEEDS_RANGE,
    },
  ],
  ["__kvm_flush_cpu_context", onContext("hw_cpu_context")],
  ["__kvm_flush_vm_context", onContext("hw_vm_context", [])],

  ...X86_FUNCTION_MEANINGS,
]);

/** What the return of a function takes and needs; a failed map changes nothing, so its value is needed. */
export function meaningOfReturn(kind: EventKindName): FunctionMeaning {
  if (kind === "compute_inval_ret") return { kind, takes: ["returnedSize"], needs: [] };
  if (kind === "lookup_s2_mmu_ret") return { kind, takes: ["returnedMmu"], needs: [] };
  return { kind, takes: ["returned"], needs: kind === "map_ret" ? ["arg0"] : [] };
}

/** Suffixes that compilers add to the symbol of a function they changed: `.isra.0`, `.constprop.0.isra.0`. */
const COMPILER_SUFFIX = /(?:\.(?:isra|constprop|part|llvm)\.\d+)+$/;

/** A symbol without what a compiler added to it. */
export function withoutCompilerSuffix(symbol: string): string {
  return symbol.replace(COMPILER_SUFFIX, "");
}

/** Functions that say nothing as events, and whose time is that of a whole fault. */
export const TIMED_FUNCTIONS: ReadonlySet<string> = new Set(["kvm_handle_guest_abort"]);

/** Meaning of a symbol, with or without a compiler's suffixes; undefined for another function. */
export function meaningOfSymbol(symbol: string): FunctionMeaning | undefined {
  return KERNEL_FUNCTIONS.get(withoutCompilerSuffix(symbol));
}
