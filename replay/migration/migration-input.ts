import type { DirtyProcess } from "./dirty-process.ts";
import type { ThrottleRule } from "./throttle.ts";
import type { DirtyLogMode, StopRule, Vmm } from "./vmm.ts";

/** Pages of the dirty log, whatever backs the guest. */
export const LOG_PAGE_BYTES = 4096;
export const GIB: number = 2 ** 30;

/** One migration as the solvers take it: points, no ranges. Ranges are drawn before (`draws.ts`). */
export interface MigrationInput {
  readonly vmm: Vmm;
  readonly memoryBytes: number;
  /** Pages of zeroes, which are told and not sent. */
  readonly zeroBytes: number;
  readonly bandwidthBytesPerS: number;
  readonly downtimeLimitS: number;
  readonly dirty: DirtyProcess;
  readonly vcpus: number;
  /** Sizes of the memslots that hold the memory, bytes. */
  readonly slotBytes: readonly number[];
  /** Host pages that back the guest: leaves before logging. */
  readonly blockBytes: number;
  /** Memory that one KVM_CLEAR_DIRTY_LOG covers at most. */
  readonly clearBytes: number;
  /** KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE; 0: blocks are split by faults. */
  readonly eagerChunkBytes: number;
  readonly dirtyLog: DirtyLogMode;
  readonly stopRule: StopRule;
  readonly clearsInBlackout: boolean;
  /** Sending overlaps with clearing (multifd): the longer of the two counts, not the sum. */
  readonly overlapsSending: boolean;
  readonly throttle: ThrottleRule | undefined;
  /** The layer above stops the guest then, whatever is left, s. */
  readonly forceAtS: number | undefined;
  /** The layer above cancels then, s. */
  readonly cancelAtS: number | undefined;
  /** Switches to post-copy after the first pass. */
  readonly postCopy: boolean;
  /** Draining and flushing of block devices in the blackout, s. */
  readonly storageFlushS: number;
  /** From the first instruction on the destination until the network knows, s; undefined: not known. */
  readonly announceS: number | undefined;
}
