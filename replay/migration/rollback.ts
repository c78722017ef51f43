import { flushCosts } from "../costs/contention.ts";
import type { CostValues } from "../costs/cost-table.ts";
import type { Mechanics } from "./mechanics.ts";
import { LOG_PAGE_BYTES } from "./migration-input.ts";

/**
 * What a roll-back has to put together again: blocks that logging broke and the guest comes back to, in the
 * order in which it does.
 */
export interface RollbackInput {
  /** Valid PTEs below each block. */
  readonly ptes: Float64Array;
  readonly blockBytes: number;
  /** vCPUs that fault; blocks go round among them. */
  readonly faultingVcpus: number;
  /** vCPUs with a translation fault on the same block, each of which cleans it in old kernels without FWB. */
  readonly translationFaultVcpus: number;
}

export interface RollbackResult {
  /** From the first fault until all blocks are back, s. */
  readonly stallS: number;
  /** Longest time for which one fault holds the others up (all of them if the lock is exclusive), s. */
  readonly longestHoldS: number;
  /** Longest and 99th percentile of what one vCPU waits in one fault, s. */
  readonly longestFaultS: number;
  readonly p99FaultS: number;
  /** Sum of what all vCPUs wait, s. */
  readonly lostVcpuS: number;
  /** Flushes that the collapses broadcast. */
  readonly flushCalls: number;
  /** Blocks that were put together. */
  readonly blocks: number;
}

/** Costs of one collapse as a line in the number of its PTEs. */
export interface CollapseCost {
  /** Inside the fault, holding what the epoch holds. */
  readonly fixedS: number;
  readonly perPteS: number;
  /** After it, on the vCPU that faulted. */
  readonly refillS: number;
}

export function collapseCost(
  { blockBytes, translationFaultVcpus }: RollbackInput,
  mechanics: Mechanics,
  costs: CostValues,
): CollapseCost {
  const flush = flushCosts(costs, mechanics.repeatsTlbi);
  const { epoch, fwb, collapseFlush } = mechanics;
  const blockPages = blockBytes / LOG_PAGE_BYTES;
  let fixedS = costs.t_fault;
  let perPteS = epoch.tableFree === "in-fault" ? costs.t_walk : 0;
  if (collapseFlush === "per-ipa") perPteS += flush.ipaS;
  else fixedS += collapseFlush === "range" ? flush.rangeS : flush.vmidS;
  if (!fwb) {
    const cleanings = epoch.clean === "once" ? 1 : translationFaultVcpus;
    if (epoch.clean === "pages-and-vcpus") {
      perPteS += costs.t_cmo;
      // The fault that collapses has its own cleaning in the loop.
      fixedS += Math.max(0, cleanings - 1) * blockPages * costs.t_cmo;
    } else fixedS += cleanings * blockPages * costs.t_cmo;
  }
  const entries = costs.n_refill * (collapseFlush === "vmid" ? 1 : costs.share_combined);
  return { fixedS, perPteS, refillS: entries * costs.t_refill };
}

/** Buffers of one solver, kept from draw to draw. */
export class RollbackSolver {
  readonly #input: RollbackInput;
  readonly #stalls: Float64Array;
  readonly #ends: Float64Array;
  /** PTEs below the blocks before each. */
  readonly #before: Float64Array;

  constructor(input: RollbackInput) {
    this.#input = input;
    this.#stalls = new Float64Array(input.ptes.length);
    this.#ends = new Float64Array(Math.max(1, input.faultingVcpus));
    this.#before = new Float64Array(input.ptes.length + 1);
    input.ptes.forEach((n, i) => {
      this.#before[i + 1] = this.#before[i]! + n;
    });
  }

  /**
   * @param blocks how many of the blocks, from the first; all by default.
   * @param fill multiplies the PTEs of each.
   */
  solve(
    mechanics: Mechanics,
    costs: CostValues,
    blocks: number = this.#input.ptes.length,
    fill = 1,
  ): RollbackResult {
    const cost = collapseCost(this.#input, mechanics, costs);
    const flushCalls = this.#flushCalls(mechanics, blocks, fill);
    const floorS = flushCalls * flushCosts(costs, mechanics.repeatsTlbi).broadcastS;
    const held =
      mechanics.epoch.lock === "exclusive"
        ? this.#exclusive(cost, blocks, fill)
        : this.#parallel(cost, blocks, fill, floorS);
    const stalls = this.#stalls.subarray(0, blocks);
    const p99FaultS = blocks === 0 ? 0 : selectInPlace(stalls, Math.ceil(blocks * 0.99) - 1);
    return { ...held, p99FaultS, flushCalls, blocks };
  }

  /**
   * One fault at a time. Every faulting vCPU queues with its next block as soon as it has the one before, so a
   * fault waits for those of the others.
   */
  #exclusive({ fixedS, perPteS, refillS }: CollapseCost, count: number, scale: number): Held {
    const { ptes } = this.#input;
    const ends = this.#ends.fill(0);
    let now = 0;
    let lostVcpuS = 0;
    let longestHoldS = 0;
    let longestFaultS = 0;
    let last = 0;
    for (let i = 0, vcpu = 0; i < count; i += 1) {
      const hold = fixedS + perPteS * scale * ptes[i]!;
      if (ends[vcpu]! > now) now = ends[vcpu]!;
      now += hold;
      const stall = now - ends[vcpu]! + refillS;
      this.#stalls[i] = stall;
      ends[vcpu] = now + refillS;
      lostVcpuS += stall;
      if (hold > longestHoldS) longestHoldS = hold;
      if (stall > longestFaultS) longestFaultS = stall;
      last = Math.max(last, now + refillS);
      vcpu += 1;
      if (vcpu === ends.length) vcpu = 0;
    }
    return { stallS: last, lostVcpuS, longestHoldS, longestFaultS };
  }

  /** Faults beside each other: each vCPU its own, and all together no faster than broadcasts are served. */
  #parallel(
    { fixedS, perPteS, refillS }: CollapseCost,
    count: number,
    scale: number,
    floorS: number,
  ): Held {
    const { ptes } = this.#input;
    const ends = this.#ends.fill(0);
    let lostVcpuS = 0;
    let longestHoldS = 0;
    for (let i = 0, vcpu = 0; i < count; i += 1) {
      const hold = fixedS + perPteS * scale * ptes[i]!;
      const stall = hold + refillS;
      this.#stalls[i] = stall;
      ends[vcpu] = ends[vcpu]! + stall;
      lostVcpuS += stall;
      if (hold > longestHoldS) longestHoldS = hold;
      vcpu += 1;
      if (vcpu === ends.length) vcpu = 0;
    }
    let stallS = floorS;
    for (const end of ends) if (end > stallS) stallS = end;
    const longestFaultS = count === 0 ? 0 : longestHoldS + refillS;
    return { stallS, lostVcpuS, longestHoldS, longestFaultS };
  }

  #flushCalls({ collapseFlush }: Mechanics, blocks: number, fill: number): number {
    if (collapseFlush !== "per-ipa") return blocks;
    return this.#before[blocks]! * fill;
  }
}

/** The value that would stand at `rank` were the values sorted; reorders them. */
export function selectInPlace(values: Float64Array, rank: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1]!;
    let i = low;
    let j = high;
    while (i <= j) {
      while (values[i]! < pivot) i += 1;
      while (values[j]! > pivot) j -= 1;
      if (i <= j) {
        const kept = values[i]!;
        values[i] = values[j]!;
        values[j] = kept;
        i += 1;
        j -= 1;
      }
    }
    if (rank <= j) high = j;
    else if (rank >= i) low = i;
    else break;
  }
  return values[rank]!;
}

interface Held {
  readonly stallS: number;
  readonly lostVcpuS: number;
  readonly longestHoldS: number;
  readonly longestFaultS: number;
}
