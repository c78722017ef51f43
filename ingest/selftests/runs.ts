/** What one run of a KVM selftest printed, with what its command line says of it. Times in seconds. */
export type SelftestRun = PageTableRun | DirtyLogRun;

interface AnyRun {
  /** `file:line` of its first line. */
  readonly name: string;
  readonly vcpus: number | undefined;
  readonly memoryBytes: number;
  /** Of the guest mode; the host's are taken to be the same. */
  readonly pageBytes: number;
  /** What backs the memory: pages or blocks of so many bytes; undefined where nothing says it. */
  readonly backingBytes: number | undefined;
  /** Lines with times that are not known. */
  readonly leftOut: readonly string[];
}

/** kvm_page_table_test. UNMAP is of tests that were changed to time the unmapping of the VM. */
export interface PageTableRun extends AnyRun {
  readonly kind: "kvm_page_table_test";
  readonly stagesS: Readonly<Partial<Record<PageTableStage, number>>>;
}

export const PAGE_TABLE_STAGES = ["CREATE", "UPDATE", "ADJUST", "UNMAP"] as const;
export type PageTableStage = (typeof PAGE_TABLE_STAGES)[number];

/** dirty_log_perf_test. */
export interface DirtyLogRun extends AnyRun {
  readonly kind: "dirty_log_perf_test";
  /** By iteration, from 1; each dirties every page. */
  readonly dirtyS: readonly number[];
  readonly getS: readonly number[];
  /** Empty where the log is cleared by getting it (`-g`). */
  readonly clearS: readonly number[];
  readonly enableS: number | undefined;
  readonly disableS: number | undefined;
  readonly slots: number;
  /** Share of pages that are written, not read: 1 unless `-f` says otherwise. */
  readonly writeShare: number;
}
