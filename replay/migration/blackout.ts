import type { CostValues } from "../costs/cost-table.ts";
import type { Mechanics } from "./mechanics.ts";
import type { MigrationInput } from "./migration-input.ts";
import { clearCost, trackingOf } from "./tracking.ts";

/** Parts of the time in which no vCPU runs, in order. */
export const BLACKOUT_PARTS = [
  "stop",
  "storage_flush",
  "sync",
  "copy",
  "last_write_protect",
  "last_flush",
  "device_state",
  "finish",
] as const;
export type BlackoutPart = (typeof BLACKOUT_PARTS)[number];

export interface Blackout {
  /** s each. */
  readonly parts: Readonly<Record<BlackoutPart, number>>;
  /** Source vCPUs stopped until the source declares the migration done: their sum, s. */
  readonly sourceS: number;
  /** Last instruction on the source to the first on the destination, s. */
  readonly guestS: number;
}

/**
 * The blackout that follows a pre-copy which left so many bytes.
 * @param remainingBytes dirty when the guest stops.
 */
export function solveBlackout(
  remainingBytes: number,
  input: MigrationInput,
  mechanics: Mechanics,
  costs: CostValues,
): Blackout {
  const tracking = trackingOf(input, mechanics, costs);
  const last =
    input.clearsInBlackout && !input.postCopy
      ? clearCost(remainingBytes, false, input, tracking, costs)
      : { protectS: 0, flushS: 0 };
  const parts = {
    stop: costs.t_stop,
    storage_flush: input.storageFlushS,
    sync: tracking.syncS,
    // Post-copy sends it after the guest has moved.
    copy: input.postCopy ? 0 : remainingBytes / input.bandwidthBytesPerS,
    last_write_protect: last.protectS,
    last_flush: last.flushS,
    device_state: costs.t_dev,
    finish: costs.t_fin,
  };
  const sourceS = BLACKOUT_PARTS.reduce((sum, part) => sum + parts[part], 0);
  return {
    parts,
    sourceS,
    guestS: sourceS - costs.t_fin + costs.t_load + costs.t_resume,
  };
}

/**
 * Post-copy moves what is left out of the blackout; each page that the guest wants and the destination lacks
 * then stalls it until a whole host page has come.
 */
export function postCopyStallS(input: MigrationInput): number {
  return input.blockBytes / input.bandwidthBytesPerS;
}
