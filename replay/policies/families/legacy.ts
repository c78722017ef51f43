import type { Policy, PolicyFlags } from "../flags.ts";

/**
 * Before the kvm_pgtable code: `unmap_stage2_range`, `stage2_set_pte`, `stage2_set_pmd_huge` of
 * virt/kvm/arm/mmu.c (5.4) and arch/arm64/kvm/mmu.c (5.8, 5.9).
 */
const FLAGS_5_8: PolicyFlags = {
  unmap: "leaf",
  deferNeedsFwb: true,
  deferredTableFlush: true,
  unmapThresholdPages: 512,
  teardown: "unmap",
  unmapChunk: "top-level",
  leafHint: false,
  tableHint: "none",
  noHintArgument: "zero",
  levelZeroIsHint: false,
  collapse: "unmap",
  collapseStart: "block",
  leafChange: "ipa",
  permissionMap: "flush",
  relax: "ipa",
  relaxOnEagain: "none",
  logFlush: "vmid",
  age: "vmid",
  ringReset: "vmid",
  rangeCutoverPages: 0,
  maxRangePages: 2_097_152,
  rangeEncoder: "ascending",
  lpa2Aware: false,
  repeatTlbi: "none",
};

export const LEGACY_5_8: Policy = {
  id: "legacy-5.8",
  summary: "kernels up to 5.8: one IPA per leaf and table, no level hint",
  flags: FLAGS_5_8,
};

export const LEGACY_5_9: Policy = {
  id: "legacy-5.9",
  summary: "kernel 5.9: as 5.8, with level hints on leaves",
  flags: { ...FLAGS_5_8, leafHint: true },
};
