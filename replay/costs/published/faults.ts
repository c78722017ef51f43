/**
 * Splits of 2 MiB blocks by write faults, 512 a vCPU, milliseconds by vCPUs, AmpereOne
 * (20230215174046, Koller).
 */
export const SPLIT_VCPUS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 152];
export const SPLIT_ON_FAULT_MS: readonly number[] = [
  2.63, 2.95, 3.21, 4.97, 9.51, 20.15, 40.09, 80.08, 109.81,
];
export const SPLITS_PER_VCPU = 512;

/** A dirty_log_perf_test column: time of the dirtying phase by vCPUs. */
export interface FaultColumn {
  readonly name: string;
  readonly bytesPerVcpu: number;
  readonly vcpus: readonly number[];
  readonly seconds: readonly number[];
  /** Fewest vCPUs at which the serial part is all there is. */
  readonly serialFrom: number;
}

const ALTRA_VCPUS = [1, 2, 4, 8, 16, 32, 64] as const;
const UPTON_VCPUS = [1, 2, 4, 8, 16, 32, 48] as const;

/** 20220118015703.3630552-1 (Jing Zhang, Ampere Altra) and 20221107215644.1895162-1 (Upton, 6.1-rc3). */
export const FAULT_COLUMNS: readonly FaultColumn[] = [
  {
    name: "Altra, spinlock",
    bytesPerVcpu: 2 ** 31,
    vcpus: ALTRA_VCPUS,
    seconds: [0.926, 1.189, 2.503, 5.069, 10.34, 20.351, 40.994],
    serialFrom: 8,
  },
  {
    name: "Altra, rwlock",
    bytesPerVcpu: 2 ** 31,
    vcpus: ALTRA_VCPUS,
    seconds: [0.965, 1.006, 1.128, 2.005, 3.903, 7.595, 15.783],
    serialFrom: 8,
  },
  {
    name: "Altra, rwlock and vgic fix",
    bytesPerVcpu: 2 ** 31,
    vcpus: ALTRA_VCPUS,
    seconds: [0.803, 0.843, 0.942, 1.458, 2.853, 5.886, 12.19],
    serialFrom: 8,
  },
  {
    name: "6.1-rc3",
    bytesPerVcpu: 2 ** 32,
    vcpus: UPTON_VCPUS,
    seconds: [0.87, 1.11, 2.39, 5.01, 8.89, 19.9, 32.1],
    serialFrom: 8,
  },
  {
    // At 8 vCPUs the faults of one vCPU still cost more than the serial part: 18 % above the line.
    name: "6.1-rc3, parallel faults",
    bytesPerVcpu: 2 ** 32,
    vcpus: UPTON_VCPUS,
    seconds: [0.93, 1.16, 1.27, 1.39, 2.07, 4.45, 6.23],
    serialFrom: 16,
  },
];
