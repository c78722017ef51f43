import { flushCosts, type FlushCosts } from "../costs/contention.ts";
import type { CostValues } from "../costs/cost-table.ts";
import { setBytesOf } from "./dirty-process.ts";
import type { Mechanics } from "./mechanics.ts";
import { GIB, LOG_PAGE_BYTES, type MigrationInput } from "./migration-input.ts";

/** What dirty tracking costs, apart from the copy: syncs, clears and the flushes behind them. */
export interface Tracking {
  readonly flush: FlushCosts;
  /** One dirty-bitmap sync, s. */
  readonly syncS: number;
  /** Flushes after one clear, s and calls: the whole memslot, however little of it was cleared. */
  readonly flushPerClearS: number;
  readonly callsPerClear: number;
  /** Flush of each page that was write-protected (a policy without ranges or VMIDs). */
  readonly flushPerPageS: number;
  /** Serial part of a write fault under logging, s. */
  readonly serialFaultS: number;
}

export function trackingOf(
  input: MigrationInput,
  mechanics: Mechanics,
  costs: CostValues,
): Tracking {
  const flush = flushCosts(costs, mechanics.repeatsTlbi);
  const { calls, seconds } = flushOfClear(input, mechanics, flush);
  return {
    flush,
    syncS: costs.s0 + costs.s1 * (input.memoryBytes / GIB),
    flushPerClearS: seconds,
    callsPerClear: calls,
    flushPerPageS: isPerPage(input, mechanics) ? flush.ipaS : 0,
    serialFaultS: costs[mechanics.epoch.serialFault],
  };
}

function isPerPage(input: MigrationInput, { logFlush }: Mechanics): boolean {
  return logFlush === "per-ipa" && input.dirtyLog !== "ring";
}

/** A clear flushes the slot that it names: of several slots the mean, weighed by their size. */
function flushOfClear(
  input: MigrationInput,
  mechanics: Mechanics,
  flush: FlushCosts,
): { readonly calls: number; readonly seconds: number } {
  if (isPerPage(input, mechanics)) return { calls: 0, seconds: 0 };
  // Resetting dirty rings flushes the VMID in every kernel.
  if (mechanics.logFlush !== "range" || input.dirtyLog === "ring") {
    return { calls: 1, seconds: flush.vmidS };
  }
  const rangeBytes = mechanics.maxRangePages * LOG_PAGE_BYTES;
  const total = input.slotBytes.reduce((sum, bytes) => sum + bytes, 0);
  const calls = input.slotBytes.reduce(
    (sum, bytes) => sum + (bytes / total) * Math.ceil(bytes / rangeBytes),
    0,
  );
  return { calls, seconds: calls * flush.rangeS };
}

export interface ClearCost {
  readonly clears: number;
  readonly protectS: number;
  readonly flushS: number;
  /** Longest time that one clear holds mmu_lock. */
  readonly holdS: number;
  readonly flushCalls: number;
}

/**
 * Clearing the log of so many dirty bytes. Dirty pages are taken to lie all over the writable set, so that
 * every chunk of it has one: an upper bound of the calls.
 * @param isFirst the first pass, whose bitmap is all ones.
 */
export function clearCost(
  bytes: number,
  isFirst: boolean,
  input: MigrationInput,
  tracking: Tracking,
  costs: CostValues,
): ClearCost {
  const pages = bytes / LOG_PAGE_BYTES;
  const clears = clearsOf(pages, isFirst, input);
  if (clears === 0) return { clears, protectS: 0, flushS: 0, holdS: 0, flushCalls: 0 };
  const splitS = isFirst ? eagerSplitS(input, costs) : 0;
  const protectS = pages * costs.t_wp + clears * costs.t_ioctl + splitS;
  return {
    clears,
    protectS,
    flushS: clears * tracking.flushPerClearS + pages * tracking.flushPerPageS,
    holdS: (pages * costs.t_wp + splitS) / clears,
    flushCalls: clears * tracking.callsPerClear + (tracking.flushPerPageS > 0 ? pages : 0),
  };
}

function clearsOf(pages: number, isFirst: boolean, input: MigrationInput): number {
  if (pages <= 0) return 0;
  // Switching on the log has write-protected everything already.
  if (isFirst && input.dirtyLog !== "manual") return 0;
  if (input.dirtyLog === "ring") return 1;
  if (input.dirtyLog === "legacy") return Math.min(input.slotBytes.length, Math.ceil(pages));
  const reach = isFirst ? input.memoryBytes : Math.min(input.memoryBytes, setBytesOf(input.dirty));
  return Math.min(Math.ceil(reach / input.clearBytes), Math.ceil(pages));
}

/** Blocks are split before any fault does it, when their part of the log is first cleared. */
function eagerSplitS(
  { eagerChunkBytes, blockBytes, memoryBytes }: MigrationInput,
  costs: CostValues,
): number {
  if (eagerChunkBytes === 0 || blockBytes <= LOG_PAGE_BYTES) return 0;
  return (memoryBytes / 2 ** 21) * costs.t_eager;
}

/** Switching on the log: nothing where the bitmap begins all ones, else every page is write-protected. */
export function logStartS(input: MigrationInput, tracking: Tracking, costs: CostValues): number {
  if (input.dirtyLog === "manual") return 0;
  const leaves = input.memoryBytes / Math.max(input.blockBytes, LOG_PAGE_BYTES);
  return leaves * costs.t_wp + input.slotBytes.length * tracking.flushPerClearS;
}
