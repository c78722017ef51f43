/** One pass over what is dirty, while the guest runs. */
export interface Pass {
  /** From 0, which sends the whole memory. */
  readonly number: number;
  readonly startS: number;
  readonly sentBytes: number;
  readonly seconds: number;
  readonly copyS: number;
  readonly syncS: number;
  readonly clearS: number;
  readonly clears: number;
  readonly flushCalls: number;
  readonly dirtiedBytes: number;
  /** Dirty when it ends: what the stop rule looks at. */
  readonly remainingBytes: number;
  readonly thresholdBytes: number;
  /** Share of its time that a vCPU sleeps at the end of the pass. */
  readonly throttleShare: number;
  /** Share of the vCPUs' time lost to write faults. */
  readonly faultShare: number;
}

/**
 * `converged`: the stop rule is met. `plateau`: what is dirty does not shrink any more, and nothing is left that
 * would make it. `pass-limit`: it shrinks, and is not there after MOST_PASSES. `forced`, `cancelled`: the
 * layer above stepped in. `post-copy`: the guest is moved after the first pass, whatever is dirty.
 */
export type PrecopyOutcome =
  | "converged"
  | "plateau"
  | "pass-limit"
  | "forced"
  | "cancelled"
  | "post-copy";

export interface PrecopyResult {
  readonly outcome: PrecopyOutcome;
  readonly passCount: number;
  /** Empty unless asked for. */
  readonly passes: readonly Pass[];
  readonly totalS: number;
  /** Dirty when pre-copy ends. */
  readonly remainingBytes: number;
  readonly bandwidthBytesPerS: number;
  readonly clears: number;
  readonly flushCalls: number;
  readonly throttleShare: number;
  /** vCPU-seconds lost to throttling, write faults and splits while the guest ran. */
  readonly lostVcpuS: number;
  /** Longest time that one vCPU is held up while it "runs", s. */
  readonly longestStallS: number;
  /** Same, of clears alone. */
  readonly longestClearS: number;
}
