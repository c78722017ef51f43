/**
 * Collapse of 20 blocks of 1 GiB after dirty logging on Kunpeng 920, which has no FWB, seconds by vCPUs
 * (kvm_page_table_test tables, Yanan Wang, 2021-02).
 */
export const COLLAPSE_BLOCKS = 20;
/** Every vCPU with a translation fault cleans the whole block, and then: it is cleaned once. */
export const COLLAPSE_PER_VCPU_CLEAN = [
  { vcpus: 20, perVcpuS: 52.03, onceS: 2.88 },
  { vcpus: 40, perVcpuS: 103.93, onceS: 2.95 },
] as const;
/** Cleaned once, and then: the block is mapped first and not cleaned at all. */
export const COLLAPSE_CLEAN = [
  { vcpus: 1, cleanedS: 2.824, notCleanedS: 0.244 },
  { vcpus: 20, cleanedS: 2.878, notCleanedS: 0.297 },
  { vcpus: 40, cleanedS: 2.957, notCleanedS: 0.365 },
] as const;
