/**
 * Constants fitted from measurements of a machine of one's own. A constant that the measurements do not
 * determine is listed with the reason, never filled in.
 */
export interface Calibration {
  readonly fits: readonly Fit[];
  readonly notFitted: readonly {
    readonly constant: CalibratedConstant;
    readonly because: string;
  }[];
  /** What was read, and what of it was left out. */
  readonly inputs: readonly CalibrationInput[];
  readonly notes: readonly string[];
}

/** Names of constants as §5.4 of the model has them, with their unit. */
export const CALIBRATED_CONSTANTS = {
  t_ipa: "ns",
  t_vmid: "ns",
  t_rng: "ns",
  /** Walk and free of a table's entry in a collapse. */
  t_walk_collapse: "ns/page",
  /** The same in an unmap, with the release of the page. */
  t_walk_unmap: "ns/page",
  t_wp: "ns/page",
  /** Serial part of a write fault under dirty logging. */
  t_ser: "ns/page",
  /** A whole write fault, uncontended. */
  t_fault: "ns",
  t_ioctl: "ns",
  /** Copy of the dirty bitmap to user space. */
  t_get: "ns/page",
} as const;
export type CalibratedConstant = keyof typeof CALIBRATED_CONSTANTS;

/** `idle`: one vCPU, or none, ran; `loaded`: more did. The two are never mixed in one fit. */
export type Load = "idle" | "loaded";

export interface Fit {
  readonly constant: CalibratedConstant;
  readonly load: Load;
  readonly value: number;
  /** 5 % and 95 % of the fit; undefined where the points are too few to say (then `method` says so). */
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly unit: string;
  /** `y = offset + value · x`, `median of durations`, … */
  readonly method: string;
  readonly points: readonly FitPoint[];
  /** Root of the mean square of the residuals, relative to the mean of y. */
  readonly relativeResidual: number | undefined;
  readonly warnings: readonly string[];
}

/** `x` in units of work, `yNs` measured, `fittedNs` of the line; `weight` 0: an outlier that the fit left out. */
export interface FitPoint {
  readonly label: string;
  readonly x: number;
  readonly yNs: number;
  readonly fittedNs: number;
  readonly weight: number;
}

export interface CalibrationInput {
  readonly name: string;
  readonly kind: "kvm_page_table_test" | "dirty_log_perf_test" | "function_graph";
  readonly runs: number;
  readonly leftOut: readonly string[];
}
