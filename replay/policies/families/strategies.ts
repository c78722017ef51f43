import type { Policy } from "../flags.ts";
import { RANGE_6_9 } from "./range.ts";

/** Pure strategies: the same idea on every path, for comparing ideas rather than kernels. */
export const PER_PAGE: Policy = {
  id: "per-page",
  summary: "strategy: one IPA for every leaf and table that changes",
  flags: {
    ...RANGE_6_9.flags,
    unmap: "leaf",
    collapse: "unmap",
    leafChange: "ipa",
    relax: "ipa",
    logFlush: "leaves",
  },
};

export const VMID_WIDE: Policy = {
  id: "vmid-wide",
  summary: "strategy: one VM for every operation that changes something",
  flags: {
    ...RANGE_6_9.flags,
    unmap: "vmid",
    collapse: "vmid",
    leafChange: "vmid",
    relax: "vmid",
    logFlush: "vmid",
  },
};

export const RANGE: Policy = {
  id: "range",
  summary: "strategy: one RANGE for every operation that changes something",
  flags: {
    ...RANGE_6_9.flags,
    unmap: "range",
    collapse: "range",
    leafChange: "range",
    relax: "range",
    logFlush: "range",
  },
};

/**
 * The least that correctness needs: nothing where nothing valid was removed or restricted, otherwise
 * one call over just that. Ageing needs none (a stale access flag is harmless); a permission fault
 * needs the faulting CPU only. A lower bound in calls, not always in instructions: a VM is one TLBI.
 * What one RANGE cannot cover is one VM.
 */
export const IDEAL: Policy = {
  id: "ideal",
  summary: "lower bound: one call over exactly what was removed or restricted, none otherwise",
  flags: {
    ...RANGE_6_9.flags,
    unmap: "exact",
    collapse: "range",
    leafChange: "ipa",
    relax: "ipa-local",
    relaxOnEagain: "none",
    logFlush: "exact",
    age: "none",
    rangeCutoverPages: RANGE_6_9.flags.maxRangePages,
  },
};
