import type { X86Policy, X86PolicyFlags } from "./flags.ts";

const FLAGS_5_10: X86PolicyFlags = {
  removedTable: "each-table",
  tableFree: "own-flush",
  faultSplit: "flush",
  collapsible: "leaves",
  enableLog: "if-changed",
  slotZap: "flush",
  teardown: "flush",
  age: "flush",
  yieldFlush: "always",
  hyperv: false,
};

const FLAGS_5_18: X86PolicyFlags = {
  ...FLAGS_5_10,
  removedTable: "caller",
  tableFree: "reader",
  collapsible: "each-table",
  slotZap: "none",
  teardown: "none",
  yieldFlush: "owed",
};

const FLAGS_6_0: X86PolicyFlags = { ...FLAGS_5_18, enableLog: "always" };

/** 5.10 to 5.17. */
export const X86_PER_TABLE_5_10: X86Policy = {
  id: "x86-per-table-5.10",
  summary: "TDP MMU of 5.10 to 5.17: one flush for each removed page table",
  flags: FLAGS_5_10,
};

/** 5.18 and 5.19: bb95dfb9e2df, bd29677952fa; slots and teardown without a flush since 77c8cd6b85af. */
export const X86_ONCE_5_18: X86Policy = {
  id: "x86-once-5.18",
  summary: "TDP MMU of 5.18: one flush an operation, and one before each yield that owes it",
  flags: FLAGS_5_18,
};

/** 6.0 to 6.12. */
export const X86_COLLAPSIBLE_PER_SPTE: X86Policy = {
  id: "x86-collapsible-per-spte",
  summary: "TDP MMU of 6.0 to 6.12: when logging ends, one flush for each zapped entry",
  flags: FLAGS_6_0,
};

/** 6.13 and later: 35ef80eb29ab, 13237fb40c74. */
export const X86_COLLAPSIBLE_BATCH: X86Policy = {
  id: "x86-collapsible-batch",
  summary: "TDP MMU of 6.13: huge pages are recovered in place, with one flush a memslot",
  flags: { ...FLAGS_6_0, collapsible: "recover", faultSplit: "none", age: "none" },
};

/** Ben Gardon, RFC 02/19 of 10 November 2021: never merged. */
export const X86_RFC_LIST_2021: X86Policy = {
  id: "x86-rfc-list-2021",
  summary:
    "RFC of 2021: tables below a zapped entry are put on a list, flushed for once, then freed",
  flags: { ...FLAGS_5_10, removedTable: "each-zap", tableFree: "list" },
};

/** Sean Christopherson's answer of 12 November 2021, on the kernel of that day. */
export const X86_RCU_PROXY_2021: X86Policy = {
  id: "x86-rcu-proxy-2021",
  summary:
    "counter-proposal of 2021: no list; the zapping CPU's RCU section keeps tables until the flush",
  flags: { ...FLAGS_5_10, removedTable: "caller", tableFree: "reader", yieldFlush: "owed" },
};
