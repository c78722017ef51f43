import type { Policy } from "../flags.ts";
import { LEGACY_5_8 } from "./legacy.ts";

/**
 * Zhenyu Ye, "KVM: arm64: use TLBI range instructions on stage-2 unmap" RFC, July 2020 (lore
 * 20200709134731.2384-1); never merged. Per top-level entry of the unmapped range: the pages one by
 * one and a single vmalle1is, or from 512 pages on a whole-VMID invalidation.
 */
export const RFC_2020: Policy = {
  id: "rfc-2020",
  summary:
    "the RFC of July 2020: per top-level entry single invalidations, or VM from 512 pages on",
  flags: { ...LEGACY_5_8.flags, unmap: "threshold", unmapThresholdPages: 512 },
};
