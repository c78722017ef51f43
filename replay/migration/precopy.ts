import { broadcastLatency } from "../costs/contention.ts";
import type { CostValues } from "../costs/cost-table.ts";
import { dirtiedBytes, setBytesOf } from "./dirty-process.ts";
import type { Mechanics } from "./mechanics.ts";
import { LOG_PAGE_BYTES, type MigrationInput } from "./migration-input.ts";
import type { Pass, PrecopyOutcome, PrecopyResult } from "./precopy-result.ts";
import { Throttle } from "./throttle.ts";
import { clearCost, logStartS, type Tracking, trackingOf } from "./tracking.ts";
import { BANDWIDTH_WINDOW_S, QEMU_ITERATION_S } from "./vmm.ts";

export const MOST_PASSES = 10_000;
const MOST_SLICES = 1000;
/** Passes without a new minimum after which a stop rule that leaves a varying rest has settled. */
const PATIENCE = 64;

/** Iterative pre-copy until the stop rule holds, or the reason why it never will. */
export function solvePrecopy(
  input: MigrationInput,
  mechanics: Mechanics,
  costs: CostValues,
  keepPasses = false,
): PrecopyResult {
  const run = new PrecopyRun(input, mechanics, costs, keepPasses);
  return run.solve();
}

class PrecopyRun {
  readonly #input: MigrationInput;
  readonly #costs: CostValues;
  readonly #tracking: Tracking;
  readonly #keep: boolean;
  readonly #throttle: Throttle;
  readonly #passes: Pass[] = [];
  #count = 0;
  #nowS = 0;
  #dirty: number;
  #bandwidth: number;
  #bandwidthBefore = Number.NaN;
  #windowBytes = 0;
  #windowS = 0;
  #clears = 0;
  #flushCalls = 0;
  #lostVcpuS = 0;
  #lostLastPass = 0;
  #longestStallS = 0;
  #longestClearS = 0;
  #least = Number.POSITIVE_INFINITY;
  #sinceLeast = 0;

  constructor(input: MigrationInput, mechanics: Mechanics, costs: CostValues, keep: boolean) {
    this.#input = input;
    this.#costs = costs;
    this.#keep = keep;
    this.#tracking = trackingOf(input, mechanics, costs);
    this.#throttle = new Throttle(input.throttle);
    this.#dirty = input.memoryBytes - input.zeroBytes;
    this.#bandwidth = input.bandwidthBytesPerS;
    const startS = logStartS(input, this.#tracking, costs);
    this.#stall(startS);
    this.#lostVcpuS += startS * input.vcpus;
    this.#splitBlocks();
  }

  solve(): PrecopyResult {
    for (;;) {
      const outcome = this.#pass();
      if (outcome !== undefined) return this.#result(outcome);
    }
  }

  #pass(): PrecopyOutcome | undefined {
    const { stopRule, downtimeLimitS } = this.#input;
    const sent = this.#bytesOfPass();
    const left = this.#dirty - sent;
    const cost = clearCost(sent, this.#count === 0, this.#input, this.#tracking, this.#costs);
    const clearS = cost.protectS + cost.flushS;
    const copyS = sent / this.#input.bandwidthBytesPerS;
    const workS = this.#input.overlapsSending ? Math.max(copyS, clearS) : copyS + clearS;
    const seconds = workS + this.#tracking.syncS;
    const cut = this.#cutShort(seconds, left);
    if (cut !== undefined) return cut;
    this.#stall(cost.holdS);
    this.#longestClearS = Math.max(this.#longestClearS, cost.holdS);
    const lostBefore = this.#lostVcpuS;
    const { dirtied, faultShare } = this.#guestWrites(seconds, sent);
    this.#lostLastPass = this.#lostVcpuS - lostBefore;
    this.#measureBandwidth(sent, seconds);
    const before = this.#dirty;
    this.#dirty = this.#union(left, dirtied);
    const threshold = this.#bandwidth * downtimeLimitS;
    this.#clears += cost.clears;
    this.#flushCalls += cost.flushCalls;
    if (this.#keep) {
      this.#passes.push({
        number: this.#count,
        startS: this.#nowS,
        sentBytes: sent,
        seconds,
        copyS,
        syncS: this.#tracking.syncS,
        clearS,
        clears: cost.clears,
        flushCalls: cost.flushCalls,
        dirtiedBytes: dirtied,
        remainingBytes: this.#dirty,
        thresholdBytes: threshold,
        throttleShare: this.#throttle.share,
        faultShare,
      });
    }
    this.#nowS += seconds;
    this.#count += 1;
    const meets =
      stopRule === "whole-pass-or-equal" ? this.#dirty <= threshold : this.#dirty < threshold;
    if (meets) return "converged";
    if (this.#input.postCopy) return "post-copy";
    if (this.#hasSettled(before)) return this.#stay(seconds);
    return this.#count >= MOST_PASSES ? "pass-limit" : undefined;
  }

  /** With an early sync a pass ends as soon as less than the threshold is left of it. */
  #bytesOfPass(): number {
    const { stopRule, bandwidthBytesPerS, downtimeLimitS } = this.#input;
    if (stopRule !== "early-sync") return this.#dirty;
    const iteration = bandwidthBytesPerS * QEMU_ITERATION_S;
    const above = this.#dirty - this.#bandwidth * downtimeLimitS;
    const iterations = above < 0 ? 1 : Math.floor(above / iteration) + 1;
    return Math.min(this.#dirty, iterations * iteration);
  }

  /** What is left of a pass and dirtied again is dirty once. */
  #union(left: number, dirtied: number): number {
    const { dirty, memoryBytes } = this.#input;
    const setBytes = this.#count === 0 ? memoryBytes : Math.min(memoryBytes, setBytesOf(dirty));
    if (dirty.kind !== "rate-and-set" || dirty.pattern !== "random" || setBytes === 0) {
      return Math.min(left + dirtied, Math.max(setBytes, left));
    }
    return dirtied + left * (1 - dirtied / setBytes);
  }

  /** Seconds of the pass at the writer's pace, with throttling that may set in within it. */
  #guestWrites(
    seconds: number,
    sent: number,
  ): { readonly dirtied: number; readonly faultShare: number } {
    const { throttle, vcpus } = this.#input;
    const period = throttle?.periodS ?? 0;
    // A pass of weeks is looked at in so many slices: throttling is at its most long before.
    const slice = period > 0 && this.#count > 0 ? Math.max(period, seconds / MOST_SLICES) : seconds;
    const startShare = this.#throttle.share;
    const faultShare = this.#faultShare(seconds, 1 - startShare);
    const slowed = faultShare > 1 ? 1 / faultShare : 1;
    const lost = Math.min(1, faultShare);
    let pace = 0;
    let dirtied = 0;
    let at = 0;
    do {
      const span = Math.min(slice, seconds - at);
      const speed = (1 - this.#throttle.share) * slowed;
      this.#lostVcpuS += span * vcpus * (1 - (1 - this.#throttle.share) * (1 - lost));
      pace += span * speed;
      at += span;
      const now = Math.min(dirtiedBytes(this.#input.dirty, pace, 1), this.#input.memoryBytes);
      this.#throttle.sync(now - dirtied, seconds > 0 ? (sent * span) / seconds : 0);
      dirtied = now;
    } while (at < seconds);
    this.#stall(this.#throttle.stallS);
    return { dirtied, faultShare: lost };
  }

  /**
   * Share of its time that the guest spends in write faults at its own pace: what the lock serializes, or what
   * its vCPUs spend, whichever is more. Above 1 the writer is slowed to what the lock lets through.
   */
  #faultShare(seconds: number, speed: number): number {
    if (seconds <= 0) return 0;
    const bytes = Math.min(
      dirtiedBytes(this.#input.dirty, seconds, speed),
      this.#input.memoryBytes,
    );
    const faultsPerS = bytes / LOG_PAGE_BYTES / seconds;
    return Math.max(
      faultsPerS * this.#tracking.serialFaultS,
      (faultsPerS * this.#costs.t_fault) / this.#input.vcpus,
    );
  }

  /** Sent bytes over the time that they took, taken over at least 100 ms. */
  #measureBandwidth(sent: number, seconds: number): void {
    this.#windowBytes += sent;
    this.#windowS += seconds;
    if (this.#windowS < BANDWIDTH_WINDOW_S) return;
    this.#bandwidth = this.#windowBytes / this.#windowS;
    this.#windowBytes = 0;
    this.#windowS = 0;
  }

  /** When the layer above ends it, s; infinite where it does not. */
  get #endS(): number {
    const { forceAtS, cancelAtS } = this.#input;
    return Math.min(forceAtS ?? Number.POSITIVE_INFINITY, cancelAtS ?? Number.POSITIVE_INFINITY);
  }

  /** What does not shrink goes on as it is until the layer above ends it. */
  #stay(passS: number): PrecopyOutcome {
    const endS = this.#endS;
    if (endS === Number.POSITIVE_INFINITY) return "plateau";
    if (passS > 0) this.#lostVcpuS += ((endS - this.#nowS) / passS) * this.#lostLastPass;
    this.#nowS = endS;
    return endS === this.#input.cancelAtS ? "cancelled" : "forced";
  }

  /** The layer above ends it within the pass that would begin now. */
  #cutShort(seconds: number, left: number): PrecopyOutcome | undefined {
    const { cancelAtS, bandwidthBytesPerS } = this.#input;
    const endS = this.#endS;
    if (this.#nowS + seconds <= endS) return undefined;
    const span = Math.max(0, endS - this.#nowS);
    const sent = Math.min(this.#dirty - left, bandwidthBytesPerS * span);
    const { dirtied } = this.#guestWrites(span, sent);
    this.#dirty = this.#union(this.#dirty - sent, dirtied);
    this.#nowS = Math.max(endS, this.#nowS);
    return endS === cancelAtS ? "cancelled" : "forced";
  }

  /** Whether what is dirty cannot shrink any more: the next pass is a growing function of this one. */
  #hasSettled(before: number): boolean {
    if (this.#throttle.canGrow || this.#count < 2) return false;
    if (this.#input.stopRule !== "early-sync") return this.#dirty >= before * (1 - 1e-12);
    // The same again, with the same threshold: the next pass is this one.
    const same = Math.abs(this.#dirty - before) <= 1e-9 * before;
    if (same && this.#bandwidth === this.#bandwidthBefore) return true;
    this.#bandwidthBefore = this.#bandwidth;
    if (this.#dirty < this.#least * (1 - 1e-9)) {
      this.#least = this.#dirty;
      this.#sinceLeast = 0;
    } else this.#sinceLeast += 1;
    return this.#sinceLeast >= PATIENCE;
  }

  /** Blocks that the first writes break, one broadcast each, when nothing has split them before. */
  #splitBlocks(): void {
    const { blockBytes, eagerChunkBytes, memoryBytes, dirty, vcpus } = this.#input;
    if (blockBytes <= LOG_PAGE_BYTES || eagerChunkBytes > 0) return;
    const blocks = Math.min(memoryBytes, setBytesOf(dirty)) / blockBytes;
    if (blocks === 0) return;
    const { broadcastS } = this.#tracking.flush;
    const latency = broadcastLatency(vcpus, this.#costs.t0_split, broadcastS);
    this.#stall(latency);
    this.#lostVcpuS += blocks * latency;
  }

  #stall(seconds: number): void {
    this.#longestStallS = Math.max(this.#longestStallS, seconds);
  }

  #result(outcome: PrecopyOutcome): PrecopyResult {
    return {
      outcome,
      passCount: this.#count,
      passes: this.#passes,
      totalS: this.#nowS,
      remainingBytes: this.#dirty,
      bandwidthBytesPerS: this.#bandwidth,
      clears: this.#clears,
      flushCalls: this.#flushCalls,
      throttleShare: this.#throttle.share,
      lostVcpuS: this.#lostVcpuS,
      longestStallS: this.#longestStallS,
      longestClearS: this.#longestClearS,
    };
  }
}
