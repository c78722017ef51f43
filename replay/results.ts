import type { InstructionName, PrimitiveName } from "./tlbi/primitives.ts";
import type { PathName } from "./paths.ts";

/**
 * Result tables: what `replay/` hands to `reports/`. Columns and their order are the contract of the
 * CSV and Arrow files; units are in the names; rows are in the documented order.
 */

/**
 * One row per policy, path and primitive that occurred, in the order: policies as requested (then
 * `recorded`), paths and primitives in table order.
 */
export interface FlushRow {
  readonly policy: string;
  readonly path: PathName;
  readonly primitive: PrimitiveName;
  /** Calls that are certain. */
  readonly calls: number;
  /** TLBI instructions and DSBs in those calls. */
  readonly tlbi: number;
  readonly dsb: number;
  /** Pages that the calls name; null for VM, CPU and ALL, which name a whole VMID. */
  readonly pages: number | null;
  /** At most so many more calls may have been issued: state that the trace does not show. */
  readonly unknown_calls: number;
}

/** One row per policy and instruction that occurred, in the order of INSTRUCTIONS. */
export interface InstructionRow {
  readonly policy: string;
  readonly instruction: InstructionName;
  readonly count: number;
}

/** Agreement of one policy's prediction with the recorded calls of one primitive. */
export interface Agreement {
  /** Calls predicted with certainty, and recorded. `recorded` is null where its probe was not enabled. */
  readonly predicted: number;
  readonly recorded: number | null;
  /** Pairs that agree in primitive, stage-2 context, range and order. */
  readonly matched: number;
  /** Recorded, but neither predicted nor allowed for. */
  readonly missed: number;
  /** Predicted with certainty, but not recorded. */
  readonly spurious: number;
  /** Recorded calls (or, without a probe, predicted ones) that could be neither confirmed nor refuted. */
  readonly unknown: number;
}
