import type { EventKindName } from "../events/kinds.ts";

/**
 * The tracepoints of x86 KVM that the replay of the TDP MMU reads (`arch/x86/kvm/mmu/mmutrace.h`,
 * `arch/x86/kvm/trace.h`), 5.10 to 7.2. They are told as data, and every format reads them by it.
 */
export type X86TracepointText =
  | "spteChanged"
  | "setSpte"
  | "splitHugePage"
  | "pageFault"
  | "fastPageFault";

/** `prot` and `arg1+arg2` take all 64 bits, the others quantities. */
export type LaidOutColumn = "addr" | "phys" | "prot" | "arg0" | "arg1" | "arg3" | "arg1+arg2";

export interface TracepointField {
  /** Its name in the event's format. */
  readonly field: string;
  /** What stands before its value in the kernel's own text; the fields stand in this order. */
  readonly label: string;
  /** How that text prints it: x86's frames and SPTEs are hexadecimal without 0x. */
  readonly base: "hex" | "decimal";
  readonly column: LaidOutColumn;
  /** Older kernels do not have it. */
  readonly isOptional?: boolean;
}

const gfn: TracepointField = { field: "gfn", label: "gfn ", base: "hex", column: "addr" };
const level: TracepointField = { field: "level", label: "level ", base: "decimal", column: "arg0" };
const vcpu: TracepointField = {
  field: "vcpu_id",
  label: "vcpu ",
  base: "decimal",
  column: "arg3",
  isOptional: true,
};
const hex = (field: string, label: string, column: LaidOutColumn): TracepointField => ({
  field,
  label,
  base: "hex",
  column,
});

export const X86_TRACEPOINT_FIELDS: Readonly<
  Record<X86TracepointText, readonly TracepointField[]>
> = {
  spteChanged: [
    { field: "as_id", label: "as id ", base: "decimal", column: "arg3" },
    gfn,
    level,
    hex("old_spte", "old_spte ", "arg1+arg2"),
    hex("new_spte", "new_spte ", "prot"),
  ],
  // Nothing rests on its level or place.
  setSpte: [
    gfn,
    hex("spte", "spte ", "prot"),
    { ...level, isOptional: true },
    { ...hex("sptep", "at ", "phys"), isOptional: true },
  ],
  splitHugePage: [
    gfn,
    hex("spte", "spte ", "prot"),
    level,
    { field: "errno", label: "errno ", base: "decimal", column: "arg1" },
  ],
  pageFault: [
    vcpu,
    hex("fault_address", "address ", "addr"),
    hex("error_code", "error_code ", "arg1+arg2"),
  ],
  fastPageFault: [
    vcpu,
    hex("cr2_or_gpa", "gva ", "addr"),
    hex("old_spte", "old ", "arg1+arg2"),
    hex("new_spte", "new ", "prot"),
  ],
};

/** Whether a tracepoint's text is told as data. */
export function isLaidOut(text: string): text is X86TracepointText {
  return Object.hasOwn(X86_TRACEPOINT_FIELDS, text);
}

export const X86_TRACEPOINTS: readonly (readonly [
  string,
  { readonly kind: EventKindName; readonly text: X86TracepointText | "none" },
])[] = [
  ["kvm_mmu_zap_all_fast", { kind: "zap_all_fast", text: "none" }],
  ["kvm_tdp_mmu_spte_changed", { kind: "spte_changed", text: "spteChanged" }],
  ["kvm_mmu_set_spte", { kind: "set_spte", text: "setSpte" }],
  ["kvm_mmu_split_huge_page", { kind: "split_huge_page", text: "splitHugePage" }],
  ["kvm_page_fault", { kind: "page_fault", text: "pageFault" }],
  ["fast_page_fault", { kind: "fast_page_fault", text: "fastPageFault" }],
];
