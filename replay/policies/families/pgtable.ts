import type { Policy, PolicyFlags } from "../flags.ts";
import { LEGACY_5_9 } from "./legacy.ts";

/** arch/arm64/kvm/hyp/pgtable.c before FEAT_TLBIRANGE: 5.10 to 6.5. */
const FLAGS_5_10: PolicyFlags = {
  ...LEGACY_5_9.flags,
  teardown: "none",
  unmapChunk: "min-block",
  tableHint: "parent-level",
  collapse: "vmid",
  permissionMap: "skip",
};

export const PGTABLE_5_10: Policy = {
  id: "pgtable-5.10",
  summary: "kernels 5.10 to 6.1: IPA per leaf and table, VM per collapse and log flush",
  flags: FLAGS_5_10,
};

export const PGTABLE_6_2: Policy = {
  id: "pgtable-6.2",
  summary: "kernels 6.2 to 6.4: as 5.10, with faults in parallel",
  flags: FLAGS_5_10,
};

export const PGTABLE_6_5: Policy = {
  id: "pgtable-6.5",
  summary: "kernel 6.5: permission faults invalidate locally, eager split",
  flags: { ...FLAGS_5_10, relax: "ipa-local" },
};
