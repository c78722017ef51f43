import { codesOf } from "../ingest/codes.ts";

/** Why an invalidation was issued: the stage-2 operation behind it. */
export const PATHS = [
  /** MMU notifier unmap. */
  "unmap",
  /** Unmap because a memslot is deleted or moved. */
  "memslot",
  /** Whole-VM teardown. */
  "teardown",
  /** A block replaces a table (roll-back after dirty logging). */
  "collapse",
  /** A fault breaks a block into a table (lazy split). */
  "split",
  /** Eager split by KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE. */
  "eager_split",
  /** A fault replaces a valid leaf of the same size. */
  "remap",
  /** Permission fault. */
  "relax",
  /** GET/CLEAR_DIRTY_LOG, after write-protecting. */
  "dirty_log",
  /** Logging switched on for a memslot. */
  "enable_log",
  /** KVM_RESET_DIRTY_RINGS. */
  "dirty_ring",
  /** Notifier ageing that found a young page. */
  "age",
  /** A physical CPU switches between vCPUs of a VM. */
  "vcpu_switch",
  /** A nested guest's TLB maintenance or a host event on shadow tables. */
  "nested",
  /** VMID roll-over. */
  "vmid_rollover",
  /** The trace does not say. */
  "unattributed",
  /** x86: logging switched off for a memslot, whose small pages are zapped or joined. */
  "disable_log",
  /** x86: kvm_zap_gfn_range. */
  "zap",
] as const;
export type PathName = (typeof PATHS)[number];
export type PathCode = number;

export const Path: Readonly<Record<PathName, PathCode>> = codesOf(PATHS);
