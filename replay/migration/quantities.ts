/**
 * What is called "downtime" is several quantities; none is ever printed as a bare "downtime". The truth of
 * each can be measured, and the source says where.
 */
export interface Quantity {
  readonly id: QuantityId;
  readonly title: string;
  readonly unit: "s" | "vCPU·s";
  readonly meaning: string;
  /** Where the true value can be had. */
  readonly truth: string;
  /** When it is felt: in a migration that succeeds, while it copies, or after it failed. */
  readonly when: "success" | "copying" | "roll-back";
}

export const QUANTITY_IDS = [
  "source_downtime",
  "guest_downtime",
  "network_downtime",
  "copy_stall_max",
  "rollback_stall_max",
  "rollback_hold_max",
  "rollback_stall_p99",
  "lost_vcpu_success",
  "lost_vcpu_rollback",
  "rollback_stall",
  "total_time",
  "forced_switchover",
  "postcopy_stall",
  "unmap_gib",
] as const;
export type QuantityId = (typeof QUANTITY_IDS)[number];

export const QUANTITIES: Readonly<Record<QuantityId, Quantity>> = {
  source_downtime: {
    id: "source_downtime",
    title: "source downtime",
    unit: "s",
    meaning: "source vCPUs stopped until the source declares the migration done",
    truth: "`downtime` of query-migrate",
    when: "success",
  },
  guest_downtime: {
    id: "guest_downtime",
    title: "guest downtime",
    unit: "s",
    meaning: "last guest instruction on the source to the first on the destination",
    truth: "a clock in the guest; Cloud Hypervisor's log",
    when: "success",
  },
  network_downtime: {
    id: "network_downtime",
    title: "network downtime",
    unit: "s",
    meaning: "gap in the service that a client sees",
    truth: "a client that asks all the time (mig_mon, ping)",
    when: "success",
  },
  copy_stall_max: {
    id: "copy_stall_max",
    title: "longest stall while copying",
    unit: "s",
    meaning: "longest time without progress of a vCPU that runs, before the blackout",
    truth: "exit trace, mm_dirty -L",
    when: "copying",
  },
  rollback_stall_max: {
    id: "rollback_stall_max",
    title: "longest stall in roll-back",
    unit: "s",
    meaning: "longest time that one vCPU waits in one fault after a failed migration",
    truth: "exit trace",
    when: "roll-back",
  },
  rollback_hold_max: {
    id: "rollback_hold_max",
    title: "longest hold in roll-back",
    unit: "s",
    meaning: "longest time for which one collapse holds what its kernel makes others wait for",
    truth: "trace of the collapse's call",
    when: "roll-back",
  },
  rollback_stall_p99: {
    id: "rollback_stall_p99",
    title: "99th percentile of stalls in roll-back",
    unit: "s",
    meaning: "99 of 100 collapse faults of a roll-back take less",
    truth: "exit trace",
    when: "roll-back",
  },
  lost_vcpu_success: {
    id: "lost_vcpu_success",
    title: "lost vCPU time, success",
    unit: "vCPU·s",
    meaning: "work that the vCPUs did not do, over copying, blackout and first touches afterwards",
    truth: "steady rate of a benchmark less its rate during the migration, integrated",
    when: "success",
  },
  lost_vcpu_rollback: {
    id: "lost_vcpu_rollback",
    title: "lost vCPU time, roll-back",
    unit: "vCPU·s",
    meaning: "the same where the migration fails: copying and the stalls of the roll-back",
    truth: "as above",
    when: "roll-back",
  },
  rollback_stall: {
    id: "rollback_stall",
    title: "roll-back stall",
    unit: "s",
    meaning: "first fault after a failed migration until all blocks are mapped as blocks again",
    truth: "trace of the faults",
    when: "roll-back",
  },
  total_time: {
    id: "total_time",
    title: "time of copying",
    unit: "s",
    meaning: "start of the migration until the guest is stopped",
    truth: "`total-time` of query-migrate, less setup and downtime",
    when: "copying",
  },
  forced_switchover: {
    id: "forced_switchover",
    title: "source downtime if forced",
    unit: "s",
    meaning: "source downtime where the layer above stops the guest although it does not converge",
    truth: "`downtime` of query-migrate after a forced switch-over",
    when: "success",
  },
  postcopy_stall: {
    id: "postcopy_stall",
    title: "stall of one post-copy fault",
    unit: "s",
    meaning:
      "a page that the destination lacks stalls its vCPU until a whole host page has come: at least",
    truth: "`postcopy-blocktime` of query-migrate",
    when: "success",
  },
  unmap_gib: {
    id: "unmap_gib",
    title: "unmap of 1 GiB of pages",
    unit: "s",
    meaning: "balloon, hot-unplug or a memslot that goes: one GiB that is mapped by 4 KiB pages",
    truth: "kvm_page_table_test, trace of the call",
    when: "copying",
  },
};
