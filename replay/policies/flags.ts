import type { RangeAlgorithm } from "../tlbi/range-encoder.ts";

/**
 * A policy is a set of behaviour flags. Kernel generations, pure strategies and a user's own policies
 * are all values of this type; nothing else distinguishes them. Every flag can be overridden one by
 * one (`--flag name=value`, or a policy file).
 *
 * "falls back" below: where the CPU lacks what a choice needs, the kernel's own fallback is taken.
 */
export interface PolicyFlags {
  /**
   * What an unmap issues (kvm_pgtable_stage2_unmap; ≤ 5.8 unmap_stage2_range):
   * - `leaf`: IPA for each valid leaf and each freed table;
   * - `deferred`: RANGE once per piece, whether anything was mapped or not; needs TLBIRANGE and (see
   *   `deferNeedsFwb`) FWB, falls back to `leaf`;
   * - `threshold`: single invalidations for the pages of each top-level entry, VM from
   *   `unmapThresholdPages` on (Zhenyu Ye's RFC of 2020);
   * - `vmid`: one VM per operation that removed something;
   * - `range`: one RANGE over the operation's range if it removed something, falls back to VM;
   * - `exact`: one RANGE over just what was removed, falls back to VM.
   */
  readonly unmap: "leaf" | "deferred" | "threshold" | "vmid" | "range" | "exact";
  readonly deferNeedsFwb: boolean;
  /** In a deferred unmap, an IPA for each freed table (f62d4c3eb687: 6.6.47, 6.8.y, 6.9). */
  readonly deferredTableFlush: boolean;
  readonly unmapThresholdPages: number;
  /** The VM's table is freed: unmapped entry by entry (≤ 5.9 kvm_free_stage2_pgd), or without any TLBI. */
  readonly teardown: "unmap" | "none";
  /** Pieces of an unmap: one top-level entry (≤ 5.10), or one block of the coarsest level. */
  readonly unmapChunk: "top-level" | "min-block";
  /** Level hint on the IPA of a leaf (5.9+). */
  readonly leafHint: boolean;
  /** Level hint on the IPA of a freed table: none, or (5.10 to 6.5) the level of the entry that held it. */
  readonly tableHint: "none" | "parent-level";
  /** `level` argument that says "no hint": 0 (before 6.8) or TLBI_TTL_UNKNOWN. */
  readonly noHintArgument: "zero" | "ttl-unknown";
  /** From 6.8 a level argument of 0 is a hint for level 0; before, it meant no hint. */
  readonly levelZeroIsHint: boolean;
  /**
   * A block replaces a table: `unmap` = IPA for each leaf and table in it (≤ 5.8), one `vmid`, or one
   * `range` of the block (falls back to VM).
   */
  readonly collapse: "unmap" | "vmid" | "range";
  /** Start of that range: the block, or (6.6.0 to 6.8.0) the fault's address, not aligned. */
  readonly collapseStart: "block" | "fault";
  /** A leaf is replaced, or a block broken, by a fault or by eager split. */
  readonly leafChange: "ipa" | "vmid" | "range";
  /** A map call that changes nothing but permissions: flush (≤ 5.10) or leave it (-EAGAIN). */
  readonly permissionMap: "flush" | "skip";
  /** Permission fault. */
  readonly relax: "ipa" | "ipa-local" | "vmid" | "range";
  /**
   * The same when it failed with -EAGAIN: nothing (6.5), a flush without hint (6.8, 6.12, 7.2), or one
   * whose level is an uninitialised variable (6.14 to 7.0).
   */
  readonly relaxOnEagain: "none" | "flush" | "flush-uninitialised";
  /** Dirty logging of a memslot, switched on or read: `leaves` = IPA for each write-protected leaf. */
  readonly logFlush: "vmid" | "range" | "leaves" | "exact";
  /** Notifier ageing that found a young page. */
  readonly age: "vmid" | "none";
  /** KVM_RESET_DIRTY_RINGS. */
  readonly ringReset: "vmid" | "none";
  /** A RANGE of more pages than this becomes one VM; 0: never (no kernel does). */
  readonly rangeCutoverPages: number;
  /** Most pages in one RANGE call: MAX_TLBI_RANGE_PAGES, 2^21 in every kernel. */
  readonly maxRangePages: number;
  readonly rangeEncoder: RangeAlgorithm;
  /** KVM knows LPA2 (6.8+): with it, ranges are based on 64 KiB. */
  readonly lpa2Aware: boolean;
  /** Workaround for CPUs that need TLBIs repeated; off by default. */
  readonly repeatTlbi: "none" | "twice" | "vale2is-per-sync";
}

export type FlagName = keyof PolicyFlags;

export interface Policy {
  readonly id: string;
  /** One line for a person. */
  readonly summary: string;
  readonly flags: PolicyFlags;
  /** Flags that differ from the named policy, in words, for reports. */
  readonly detail?: string;
  /** Id of the nested policy that answers for shadow tables; without it they are replayed as recorded. */
  readonly nested?: string;
}

/** Values each flag accepts; numbers are non-negative integers. */
export const FLAG_VALUES: Readonly<Record<FlagName, readonly string[] | "boolean" | "count">> = {
  unmap: ["leaf", "deferred", "threshold", "vmid", "range", "exact"],
  deferNeedsFwb: "boolean",
  deferredTableFlush: "boolean",
  unmapThresholdPages: "count",
  teardown: ["unmap", "none"],
  unmapChunk: ["top-level", "min-block"],
  leafHint: "boolean",
  tableHint: ["none", "parent-level"],
  noHintArgument: ["zero", "ttl-unknown"],
  levelZeroIsHint: "boolean",
  collapse: ["unmap", "vmid", "range"],
  collapseStart: ["block", "fault"],
  leafChange: ["ipa", "vmid", "range"],
  permissionMap: ["flush", "skip"],
  relax: ["ipa", "ipa-local", "vmid", "range"],
  relaxOnEagain: ["none", "flush", "flush-uninitialised"],
  logFlush: ["vmid", "range", "leaves", "exact"],
  age: ["vmid", "none"],
  ringReset: ["vmid", "none"],
  rangeCutoverPages: "count",
  maxRangePages: "count",
  rangeEncoder: ["ascending", "descending", "clamped"],
  lpa2Aware: "boolean",
  repeatTlbi: ["none", "twice", "vale2is-per-sync"],
};
