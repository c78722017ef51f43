import type { CostName } from "../costs/cost-table.ts";

/**
 * How a kernel handles the fault that puts a block in the place of a table, which is what a roll-back is made
 * of. Five generations; they differ in what is done inside the fault and in who may do it at once.
 */
export interface Epoch {
  readonly id: EpochId;
  readonly kernels: string;
  /** `exclusive`: one fault at a time. `parallel`: faults hold the lock shared. */
  readonly lock: "exclusive" | "parallel";
  /** The old tree is walked and freed inside the fault, or later, from an RCU callback. */
  readonly tableFree: "in-fault" | "rcu";
  /**
   * Cache maintenance without FWB: of each page in the loop and the whole block by every vCPU with a
   * translation fault; the latter alone; or of the whole block once.
   */
  readonly clean: "pages-and-vcpus" | "vcpus" | "once";
  /** What a write fault under logging holds the others up for. */
  readonly serialFault: CostName;
  readonly source: string;
}

export const EPOCH_IDS = ["e1", "e2", "e3", "e4", "e5"] as const;
export type EpochId = (typeof EPOCH_IDS)[number];

/** Version numbers 5.10, 5.14, 5.18 and 6.2 are from general knowledge, the behaviour from source and posts. */
export const EPOCHS: Readonly<Record<EpochId, Epoch>> = {
  e1: {
    id: "e1",
    kernels: "up to 5.9",
    lock: "exclusive",
    tableFree: "in-fault",
    clean: "pages-and-vcpus",
    serialFault: "t_ser_spinlock",
    source: "code of 2020 as quoted on kvmarm",
  },
  e2: {
    id: "e2",
    kernels: "5.10 to about 5.13",
    lock: "exclusive",
    tableFree: "in-fault",
    clean: "vcpus",
    serialFault: "t_ser_spinlock",
    source: "Linux 6.1 source; Wang 2021-02 measured the cleaning",
  },
  e3: {
    id: "e3",
    kernels: "about 5.14 to 6.1 (an rwlock from 5.18)",
    lock: "exclusive",
    tableFree: "in-fault",
    clean: "once",
    serialFault: "t_ser_rwlock",
    source: "Linux 6.1 source",
  },
  e4: {
    id: "e4",
    kernels: "6.2 to 6.5",
    lock: "parallel",
    tableFree: "rcu",
    clean: "once",
    serialFault: "t_ser_parallel",
    source: "Linux 6.5 source; 20221107215644.1895162-1",
  },
  e5: {
    id: "e5",
    kernels: "6.6 and later",
    lock: "parallel",
    tableFree: "rcu",
    clean: "once",
    serialFault: "t_ser_parallel",
    source: "Linux 6.12 source",
  },
};
