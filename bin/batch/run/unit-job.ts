import type { BatchItem, SharedPart } from "../manifest.ts";
import type { UnitSetting } from "../unit.ts";

/** What a worker process gets for one trace. */
export interface UnitJob {
  readonly item: BatchItem;
  readonly shared: SharedPart;
  readonly setting: UnitSetting;
  /** As `openStore` takes it. */
  readonly store: string;
  /** Resident memory at which the process gives up. */
  readonly maxMemoryBytes: number;
}

/** Exit code of a worker that would need more memory than it may. */
export const OUT_OF_MEMORY_EXIT = 77;
