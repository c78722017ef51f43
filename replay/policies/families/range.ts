import type { Policy, PolicyFlags } from "../flags.ts";
import { PGTABLE_6_5 } from "./pgtable.ts";

/** FEAT_TLBIRANGE in stage 2: 6.6 on (series v9, lore 20230811045127.3308641-1). */
const FLAGS_6_6: PolicyFlags = {
  ...PGTABLE_6_5.flags,
  unmap: "deferred",
  deferredTableFlush: false,
  collapse: "range",
  collapseStart: "fault",
  logFlush: "range",
};

export const RANGE_6_6: Policy = {
  id: "range-6.6",
  summary: "kernels 6.6.0 to 6.6.46, 6.7, 6.8.0: RANGE per unmapped piece, collapse and slot",
  flags: FLAGS_6_6,
};

export const RANGE_6_9: Policy = {
  id: "range-6.9",
  summary:
    "kernels 6.6.47+, 6.8.y, 6.9 to 7.3: as 6.6, with an IPA per freed table and the encoder fixed",
  flags: {
    ...FLAGS_6_6,
    deferredTableFlush: true,
    tableHint: "none",
    collapseStart: "block",
    relaxOnEagain: "flush",
    noHintArgument: "ttl-unknown",
    levelZeroIsHint: true,
    rangeEncoder: "clamped",
    lpa2Aware: true,
  },
};
