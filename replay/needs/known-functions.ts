import type { EventKindName } from "../../ingest/events/kinds.ts";

/** What a function is for: those of one role can partly stand in for each other. */
export type FunctionRole =
  | "map"
  | "unmap"
  | "write-protect"
  | "relax"
  | "split"
  | "age"
  | "memslot"
  | "teardown"
  | "request"
  | "primitive"
  | "fault"
  | "nested";

export interface KnownFunction {
  /** Kernel function, or a tracepoint's name. */
  readonly name: string;
  readonly role: FunctionRole;
  readonly kind: EventKindName;
  /** Kind of its return, where the replay uses it. */
  readonly returnKind?: EventKindName;
  /** First version that has it, and the first that has it no more: major, minor. */
  readonly since?: readonly [number, number];
  readonly goneIn?: readonly [number, number];
  /** Events that cannot happen without a call of this function. */
  readonly impliedBy?: readonly EventKindName[];
  /** It is only called where one of these was. */
  readonly onlyWith?: readonly string[];
  /** Runs at EL2 under nVHE and pKVM, where nothing can be probed. */
  readonly isHyp?: boolean;
  readonly isTracepoint?: boolean;
}

/**
 * The functions whose probes decide what a trace can answer, with the versions that have them.
 *
 * Sources: prototypes of the kernel trees 5.4, 5.10, 5.15, 6.1, 6.5, 6.8, 6.12, 6.14, 6.17, 7.0, 7.2 and 7.3,
 * and the probe lists of the captures, which a test holds this table against.
 */
export const KNOWN_FUNCTIONS: readonly KnownFunction[] = [
  {
    name: "kvm_pgtable_stage2_map",
    role: "map",
    kind: "map",
    returnKind: "map_ret",
    since: [5, 10],
    impliedBy: ["map_ret"],
  },
  {
    name: "kvm_pgtable_stage2_unmap",
    role: "unmap",
    kind: "unmap",
    returnKind: "unmap_ret",
    since: [5, 10],
    impliedBy: ["unmap_ret", "unmap_range"],
  },
  {
    name: "kvm_pgtable_stage2_wrprotect",
    role: "write-protect",
    kind: "wrprotect",
    returnKind: "wrprotect_ret",
    since: [5, 10],
    impliedBy: ["wrprotect_ret", "wp_range"],
  },
  {
    name: "kvm_pgtable_stage2_relax_perms",
    role: "relax",
    kind: "relax_perms",
    returnKind: "relax_perms_ret",
    since: [5, 10],
    impliedBy: ["relax_perms_ret"],
  },
  {
    name: "kvm_pgtable_stage2_split",
    role: "split",
    kind: "split",
    returnKind: "split_ret",
    since: [6, 5],
    impliedBy: ["split_ret"],
    // Eager split belongs to dirty logging: to enabling it, or to a mask word of KVM_CLEAR_DIRTY_LOG.
    onlyWith: ["kvm_pgtable_stage2_wrprotect", "kvm_arch_mmu_enable_log_dirty_pt_masked"],
  },
  { name: "kvm_pgtable_stage2_destroy", role: "teardown", kind: "destroy", since: [5, 10] },
  { name: "kvm_pgtable_stage2_mkold", role: "age", kind: "mkold", since: [5, 10], goneIn: [6, 2] },
  {
    name: "kvm_pgtable_stage2_test_clear_young",
    role: "age",
    kind: "test_clear_young",
    since: [6, 2],
  },
  { name: "stage2_apply_range", role: "unmap", kind: "apply_range" },
  { name: "__unmap_stage2_range", role: "unmap", kind: "unmap_range" },
  { name: "kvm_unmap_gfn_range", role: "unmap", kind: "unmap_gfn", since: [5, 13] },
  { name: "kvm_unmap_hva_range", role: "unmap", kind: "unmap_hva", isTracepoint: true },
  { name: "kvm_stage2_wp_range", role: "write-protect", kind: "wp_range", since: [6, 11] },
  {
    name: "kvm_arch_mmu_enable_log_dirty_pt_masked",
    role: "write-protect",
    kind: "enable_log_pt_masked",
  },
  { name: "kvm_arch_commit_memory_region", role: "memslot", kind: "commit_region" },
  { name: "kvm_arch_flush_shadow_memslot", role: "memslot", kind: "flush_shadow_memslot" },
  { name: "kvm_arch_flush_shadow_all", role: "teardown", kind: "flush_shadow_all" },
  { name: "kvm_free_stage2_pgd", role: "teardown", kind: "free_pgd" },
  { name: "kvm_flush_remote_tlbs", role: "request", kind: "remote" },
  {
    name: "kvm_flush_remote_tlbs_range",
    role: "request",
    kind: "remote_range",
    since: [6, 6],
  },
  {
    name: "kvm_flush_remote_tlbs_memslot",
    role: "request",
    kind: "remote_memslot",
    since: [6, 6],
  },
  {
    name: "kvm_arch_flush_remote_tlbs_range",
    role: "request",
    kind: "arch_remote_range",
    since: [6, 6],
  },
  {
    name: "kvm_arch_flush_remote_tlbs_memslot",
    role: "request",
    kind: "arch_remote_memslot",
    goneIn: [6, 6],
  },
  {
    name: "kvm_tlb_flush_vmid_range",
    role: "request",
    kind: "tlb_range",
    since: [6, 6],
    impliedBy: ["arch_remote_range"],
  },
  { name: "__kvm_tlb_flush_vmid", role: "primitive", kind: "hw_vmid", isHyp: true },
  { name: "__kvm_tlb_flush_vmid_ipa", role: "primitive", kind: "hw_vmid_ipa", isHyp: true },
  {
    name: "__kvm_tlb_flush_vmid_ipa_nsh",
    role: "primitive",
    kind: "hw_vmid_ipa_nsh",
    since: [6, 5],
    isHyp: true,
  },
  {
    name: "__kvm_tlb_flush_vmid_range",
    role: "primitive",
    kind: "hw_vmid_range",
    since: [6, 6],
    isHyp: true,
  },
  { name: "kvm_guest_fault", role: "fault", kind: "guest_fault", isTracepoint: true },
  { name: "kvm_nested_s2_unmap", role: "nested", kind: "nested_unmap", since: [6, 11] },
  { name: "kvm_nested_s2_wp", role: "nested", kind: "nested_wp", since: [6, 11] },
];

/** Operations that change a table or flush: where one leaves no event, the rest is no whole story. */
export const ESSENTIAL_OPERATIONS: readonly string[] = [
  "kvm_pgtable_stage2_map",
  "kvm_pgtable_stage2_unmap",
  "kvm_pgtable_stage2_wrprotect",
  "kvm_pgtable_stage2_relax_perms",
  "kvm_pgtable_stage2_split",
];

/** The four primitives of the page-table paths, which `verify` compares with. */
export const PRIMITIVE_FUNCTIONS: readonly string[] = KNOWN_FUNCTIONS.filter(
  ({ role }) => role === "primitive",
).map(({ name }) => name);

export function knownFunction(name: string): KnownFunction {
  const found = KNOWN_FUNCTIONS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no known function ${name}`);
  return found;
}
