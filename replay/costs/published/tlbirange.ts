/**
 * Unmapping a whole VM of 4 KiB pages, seconds by GiB, before and with the FEAT_TLBIRANGE series
 * (kvm_page_table_test; 20230206172340.2639971-1 and 20230811045127.3308641-1, Ananta).
 */
export const UNMAP_GIB: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128];
export const UNMAP_4K_S = {
  v2: {
    base: [1.03, 1.57, 2.65, 4.77, 9.06, 17.6, 34.72, 68.92],
    series: [0.58, 0.72, 0.98, 1.54, 2.57, 4.41, 8.92, 17.7],
  },
  v9: {
    base: [0.54, 1.07, 2.1, 4.19, 8.35, 16.66, 32.36, 64.65],
    series: [0.13, 0.25, 0.47, 0.92, 1.92, 3.61, 7.62, 14.39],
  },
} as const;

/**
 * Collapse (ADJUST_MAPPINGS, 128 vCPUs, 2 MiB) in v1 of the series, whose test is the unmodified one:
 * 20230109215347.3119271-1. The series is slower there.
 */
export const COLLAPSE_V1_S = {
  base: [0.7, 0.91, 1.47, 2.25, 4.09, 7.77, 16.73, 30.45],
  series: [0.73, 0.97, 1.48, 2.43, 4.6, 8.99, 17.5, 35.55],
} as const;
