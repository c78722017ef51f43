import type { CostValues } from "../costs/cost-table.ts";
import { type Blackout, postCopyStallS, solveBlackout } from "./blackout.ts";
import { setBytesOf } from "./dirty-process.ts";
import type { Mechanics } from "./mechanics.ts";
import { GIB, LOG_PAGE_BYTES, type MigrationInput } from "./migration-input.ts";
import { solvePrecopy } from "./precopy.ts";
import type { PrecopyResult } from "./precopy-result.ts";
import { QUANTITY_IDS, type QuantityId } from "./quantities.ts";
import { solveUnmap } from "./unmap.ts";
import type { RollbackResult, RollbackSolver } from "./rollback.ts";

/** One migration under one policy and one set of constants: everything that is estimated of it. */
export interface Evaluation {
  readonly precopy: PrecopyResult | undefined;
  readonly blackout: Blackout | undefined;
  readonly rollback: RollbackResult | undefined;
  /** In the unit of the quantity; NaN where it does not apply. */
  readonly values: Readonly<Record<QuantityId, number>>;
}

export interface RollbackCase {
  readonly solver: RollbackSolver;
  readonly blocks: number;
  /** Of what the solver holds, 0 to 1. */
  readonly fill: number;
}

const ONE_GIB = { bytes: GIB, leafBytes: LOG_PAGE_BYTES };

/** Either part may be missing: what needs it is NaN then. */
export function evaluate(
  migration: MigrationInput | undefined,
  rollbackCase: RollbackCase | undefined,
  mechanics: Mechanics,
  costs: CostValues,
  keepPasses = false,
): Evaluation {
  const values = nothing();
  values.unmap_gib = solveUnmap(ONE_GIB, mechanics, costs).seconds;
  const rollback =
    migration?.postCopy === true
      ? undefined
      : rollbackCase?.solver.solve(mechanics, costs, rollbackCase.blocks, rollbackCase.fill);
  if (rollback !== undefined) {
    values.rollback_stall = rollback.stallS;
    values.rollback_stall_max = rollback.longestFaultS;
    values.rollback_hold_max = rollback.longestHoldS;
    values.rollback_stall_p99 = rollback.p99FaultS;
  }
  if (migration === undefined) return { precopy: undefined, blackout: undefined, rollback, values };
  const precopy = solvePrecopy(migration, mechanics, costs, keepPasses);
  const blackout = solveBlackout(precopy.remainingBytes, migration, mechanics, costs);
  fillCopying(values, precopy, migration);
  if (rollback !== undefined) {
    values.lost_vcpu_rollback = precopy.lostVcpuS + rollback.lostVcpuS;
  }
  switch (precopy.outcome) {
    case "converged":
    case "forced":
    case "post-copy":
      fillSuccess(values, precopy, blackout, migration, costs);
      break;
    case "plateau":
    case "pass-limit":
      if (isBounded(migration)) values.forced_switchover = blackout.sourceS;
      break;
    case "cancelled":
      break;
  }
  return { precopy, blackout, rollback, values };
}

/** A rate alone says nothing on how much stays dirty: no downtime follows from it. */
export function isBounded(migration: MigrationInput): boolean {
  return migration.dirty.kind !== "rate-only" || migration.dirty.bytesPerS === 0;
}

function fillCopying(
  values: Record<QuantityId, number>,
  precopy: PrecopyResult,
  migration: MigrationInput,
): void {
  values.copy_stall_max = precopy.longestStallS;
  const ends = precopy.outcome !== "plateau" && precopy.outcome !== "pass-limit";
  if (ends && isBounded(migration)) values.total_time = precopy.totalS;
}

function fillSuccess(
  values: Record<QuantityId, number>,
  precopy: PrecopyResult,
  { sourceS, guestS }: Blackout,
  migration: MigrationInput,
  costs: CostValues,
): void {
  if (!isBounded(migration)) return;
  values.source_downtime = sourceS;
  values.guest_downtime = guestS;
  if (migration.announceS !== undefined) values.network_downtime = guestS + migration.announceS;
  const touchedBytes = Math.min(setBytesOf(migration.dirty), migration.memoryBytes);
  const firstTouches = touchedBytes / Math.max(LOG_PAGE_BYTES, migration.blockBytes);
  values.lost_vcpu_success =
    precopy.lostVcpuS + guestS * migration.vcpus + firstTouches * costs.t_fault;
  if (migration.postCopy) values.postcopy_stall = postCopyStallS(migration);
}

function nothing(): Record<QuantityId, number> {
  const entries = QUANTITY_IDS.map((id) => [id, Number.NaN] as const);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made of all ids
  return Object.fromEntries(entries) as Record<QuantityId, number>;
}
