/**
 * The six invalidation calls of KVM/arm64: everything that a policy can issue is one of them.
 * Kernel functions as in arch/arm64/kvm/hyp/{vhe,nvhe}/tlb.c, 5.10 to 7.3.
 */
export const PRIMITIVES = ["VM", "IPA", "IPA_LOCAL", "RANGE", "CPU", "ALL"] as const;
export type PrimitiveName = (typeof PRIMITIVES)[number];

/** Numeric codes, indices into PRIMITIVES. */
export const Primitive = {
  VM: 0,
  IPA: 1,
  IPA_LOCAL: 2,
  RANGE: 3,
  CPU: 4,
  ALL: 5,
} as const;

export const PRIMITIVE_FUNCTIONS: Readonly<Record<PrimitiveName, string>> = {
  VM: "__kvm_tlb_flush_vmid",
  IPA: "__kvm_tlb_flush_vmid_ipa",
  IPA_LOCAL: "__kvm_tlb_flush_vmid_ipa_nsh",
  RANGE: "__kvm_tlb_flush_vmid_range",
  CPU: "__kvm_flush_cpu_context",
  ALL: "__kvm_flush_vm_context",
};

/** DSBs in one call (kernel-side synchronisation of hyp/vhe/tlb.c). */
export const DSB_PER_CALL: Readonly<Record<PrimitiveName, number>> = {
  VM: 2,
  IPA: 3,
  IPA_LOCAL: 3,
  RANGE: 3,
  CPU: 1,
  ALL: 2,
};

/** The TLBI instructions that KVM/arm64 executes for a guest. */
export const INSTRUCTIONS = [
  "vmalls12e1is",
  "ipas2e1is",
  "ripas2e1is",
  "vmalle1is",
  "ipas2e1",
  "vmalle1",
  "alle1is",
  /** REPEAT_TLBI workaround of recent kernels: one more per synchronisation. */
  "vale2is",
] as const;
export type InstructionName = (typeof INSTRUCTIONS)[number];

/** `level` argument that means "no hint". */
export const TLBI_TTL_UNKNOWN = 0x7fffffff;
