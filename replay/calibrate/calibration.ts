import type { CostName } from "../costs/cost-table.ts";

/**
 * Constants fitted from measurements of a machine of one's own. A constant that the measurements do not
 * determine is listed with the reason, never filled in.
 */
export interface CalibrationResult {
  readonly fits: readonly Fit[];
  readonly notFitted: readonly {
    readonly constant: CalibratedConstant;
    readonly because: string;
  }[];
  /** What was read, and what of it was left out. */
  readonly inputs: readonly CalibrationInput[];
  readonly notes: readonly string[];
}

/** Those of the cost table that a selftest or a function-graph trace can show, in the order of reports. */
export const CALIBRATED_CONSTANTS: readonly CalibratedConstant[] = [
  "t_ipa",
  "t_vmid",
  "t_rng",
  "t_walk",
  "t_walk_unmap",
  "t_wp",
  "t_ser_spinlock",
  "t_ser_rwlock",
  "t_ser_parallel",
  "t_fault",
  "t_ioctl",
];
export type CalibratedConstant = Extract<
  CostName,
  | "t_ipa"
  | "t_vmid"
  | "t_rng"
  | "t_walk"
  | "t_walk_unmap"
  | "t_wp"
  | "t_ser_spinlock"
  | "t_ser_rwlock"
  | "t_ser_parallel"
  | "t_fault"
  | "t_ioctl"
>;

/** `idle`: one vCPU, or none, ran; `loaded`: more did. The two are never mixed in one fit. */
export type Load = "idle" | "loaded";

export interface Fit {
  readonly constant: CalibratedConstant;
  readonly load: Load;
  /** Nanoseconds, for each of what the cost table counts (page, PTE, flush, fault, call). */
  readonly valueNs: number;
  /** 90 % interval; undefined where there are too few points to tell one. */
  readonly lowNs: number | undefined;
  readonly highNs: number | undefined;
  /** `time = offset + value · pages`, in words. */
  readonly method: string;
  readonly points: readonly FitPoint[];
  /** Root of the mean square of the residuals over the mean; undefined where nothing is left to differ. */
  readonly relativeResidual: number | undefined;
  readonly warnings: readonly string[];
}

/** `x` in units of work, `yNs` measured, `fittedNs` of the line. */
export interface FitPoint {
  readonly label: string;
  readonly x: number;
  readonly yNs: number;
  readonly fittedNs: number;
}

export interface CalibrationInput {
  readonly name: string;
  readonly kind: "kvm_page_table_test" | "dirty_log_perf_test" | "function_graph";
  readonly vcpus: number | undefined;
  readonly leftOut: readonly string[];
}
