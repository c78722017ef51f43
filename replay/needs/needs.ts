/** The questions that a trace may answer, by what it takes. */
export const ANSWERS = [
  "predict",
  "verify",
  "instructions",
  "dirty-log",
  "memslots",
  "teardown",
  "migration",
  "refills",
  "nested",
] as const;
export type AnswerName = (typeof ANSWERS)[number];

export interface AnswerNeed {
  /** Any one of them does, where there are several. */
  readonly anyOf: readonly string[];
  /** Of a call: its return as well. */
  readonly returns?: boolean;
  /** Without it: no answer, or only bounds. */
  readonly without: "no" | "bounds";
  /** What is not known then, as the end of "without it, …". */
  readonly effect: string;
}

const MAP = "kvm_pgtable_stage2_map";
const UNMAP = "kvm_pgtable_stage2_unmap";
const WRPROTECT = "kvm_pgtable_stage2_wrprotect";
const RELAX = "kvm_pgtable_stage2_relax_perms";
const SPLIT = "kvm_pgtable_stage2_split";
const COMMIT = "kvm_arch_commit_memory_region";
const MASK_WORDS = "kvm_arch_mmu_enable_log_dirty_pt_masked";

const need = (
  anyOf: string | readonly string[],
  without: "no" | "bounds",
  effect: string,
  returns = false,
): AnswerNeed => ({
  anyOf: typeof anyOf === "string" ? [anyOf] : anyOf,
  without,
  effect,
  ...(returns ? { returns } : {}),
});

const PREDICTION: readonly AnswerNeed[] = [
  need(MAP, "no", "what is mapped is not known"),
  need(MAP, "bounds", "calls that failed (-EAGAIN) count as done", true),
  need(UNMAP, "no", "the invalidations of unmaps are missing, and what is mapped is not known"),
  need(RELAX, "bounds", "the local invalidations of permission faults are missing"),
  need(WRPROTECT, "bounds", "the flushes after write-protection are missing"),
  need(SPLIT, "bounds", "the invalidations of eagerly split blocks are missing"),
  need(COMMIT, "bounds", "whether a VM begins empty is not known, nor which memslot is flushed"),
  need(
    ["kvm_pgtable_stage2_destroy", "kvm_free_stage2_pgd"],
    "bounds",
    "a table that was freed is taken for the next one at its address",
  ),
];

const primitive = (name: string, effect: string): AnswerNeed => need(name, "no", effect);

/** What each answer needs beyond stage-2 events as such. */
export const NEEDS: Readonly<Record<AnswerName, readonly AnswerNeed[]>> = {
  predict: PREDICTION,
  verify: [
    ...PREDICTION,
    primitive("__kvm_tlb_flush_vmid", "recorded VM invalidations are missing"),
    primitive("__kvm_tlb_flush_vmid_ipa", "recorded IPA invalidations are missing"),
    primitive("__kvm_tlb_flush_vmid_ipa_nsh", "recorded IPA_LOCAL invalidations are missing"),
    primitive("__kvm_tlb_flush_vmid_range", "recorded RANGE invalidations are missing"),
  ],
  instructions: PREDICTION,
  "dirty-log": [
    need(WRPROTECT, "no", "write-protection is not seen"),
    need(MASK_WORDS, "bounds", "GET/CLEAR_DIRTY_LOG cannot be told from enabling the log"),
    need(COMMIT, "bounds", "which memslot is flushed is not known"),
    need(
      [
        "kvm_flush_remote_tlbs",
        "kvm_flush_remote_tlbs_memslot",
        "kvm_arch_flush_remote_tlbs_range",
      ],
      "bounds",
      "flushes are derived from the write-protect sequences: several ioctls in a row look like one",
    ),
  ],
  memslots: [
    need(COMMIT, "no", "memslots are not known"),
    need("kvm_arch_flush_shadow_memslot", "bounds", "a deleted slot's unmaps look like others"),
  ],
  teardown: [
    need(
      ["kvm_pgtable_stage2_destroy", "kvm_free_stage2_pgd"],
      "no",
      "the end of a table is not seen",
    ),
  ],
  migration: [
    need(COMMIT, "no", "when logging begins and ends is not known"),
    need(MASK_WORDS, "bounds", "the rounds of GET/CLEAR_DIRTY_LOG are not seen"),
    need(WRPROTECT, "bounds", "write-protection is not seen"),
  ],
  refills: [need("kvm_guest_fault", "no", "no guest access is seen")],
  nested: [],
};
