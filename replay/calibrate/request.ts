import type { DurationSummary } from "../../ingest/durations.ts";
import type { SelftestRun } from "../../ingest/selftests/runs.ts";
import type { KernelVersion } from "../policies/kernel-version.ts";
import type { CalibratedConstant, Fit, Load } from "./calibration.ts";

/** Everything that is to be fitted together: of one machine. */
export interface CalibrationRequest {
  readonly runs: readonly MeasuredRun[];
  readonly graphs: readonly MeasuredGraph[];
  /** Has the CPU FEAT_S2FWB? Undefined: not known. */
  readonly fwb: boolean | undefined;
}

export interface MeasuredRun {
  readonly run: SelftestRun;
  /** Of the machine that it ran on; undefined: not known. */
  readonly kernel: KernelVersion | undefined;
  /** How that kernel unmaps; undefined: by its version, where that tells it. */
  readonly unmaps?: "per-ipa" | "range" | undefined;
}

export interface MeasuredGraph {
  readonly name: string;
  /** By function, their own calls included. */
  readonly durations: ReadonlyMap<string, DurationSummary>;
  readonly load: Load;
}

/** What one source of measurements gives. */
export interface PartialFits {
  readonly fits: readonly Fit[];
  readonly notFitted: readonly {
    readonly constant: CalibratedConstant;
    readonly because: string;
  }[];
  readonly notes: readonly string[];
}
