import { type CostName, type CostValues, modes, shippedTable } from "../../costs/cost-table.ts";
import { epochMechanics, type CpuChoice, type Mechanics } from "../mechanics.ts";
import type { EpochId } from "../epochs.ts";
import { GIB, type MigrationInput } from "../migration-input.ts";
import type { RollbackInput } from "../rollback.ts";
import { VMMS } from "../vmm.ts";

export const MODERN_CPU: CpuChoice = { fwb: true, tlbirange: true, repeatsTlbi: false };

export function epoch(id: EpochId, cpu: Partial<CpuChoice> = {}): Mechanics {
  return epochMechanics(id, { ...MODERN_CPU, ...cpu });
}

/** Nothing costs anything: what is left is the copy. */
export function noCosts(): CostValues {
  const values = modes(shippedTable("idle"));
  return Object.fromEntries(
    Object.keys(values).map((name) => [name, name === "kappa" ? 1 : 0]),
  ) as Record<CostName, number>;
}

/** The middle values with which the published tables of the model were computed. */
export function tableCosts(): CostValues {
  return {
    ...modes(shippedTable("idle")),
    t_ipa: 2e-6,
    kappa: 1,
    t_walk: 61e-9,
    t_wp: 19.4e-9,
  };
}

/** 192 GiB over 500 MB/s, writing 200 MB/s into 10.7 GiB: converges. */
export function migration(changes: Partial<MigrationInput> = {}): MigrationInput {
  return {
    vmm: VMMS["qemu-10.0"],
    memoryBytes: 192 * GIB,
    zeroBytes: 0,
    bandwidthBytesPerS: 500e6,
    downtimeLimitS: 0.3,
    dirty: { kind: "rate-and-set", bytesPerS: 200e6, setBytes: 10.7 * GIB, pattern: "sequential" },
    vcpus: 48,
    slotBytes: [192 * GIB],
    blockBytes: GIB,
    clearBytes: GIB,
    eagerChunkBytes: 0,
    dirtyLog: "manual",
    stopRule: "whole-pass",
    clearsInBlackout: true,
    overlapsSending: false,
    throttle: undefined,
    forceAtS: undefined,
    cancelAtS: undefined,
    postCopy: false,
    storageFlushS: 0,
    announceS: undefined,
    ...changes,
  };
}

export function fullBlocks(count: number, blockBytes: number = GIB): RollbackInput {
  return {
    ptes: new Float64Array(count).fill(blockBytes / 4096),
    blockBytes,
    faultingVcpus: 1,
    translationFaultVcpus: 1,
  };
}
