import type { FlushIntervals } from "./flush-intervals.ts";
import type { Guest } from "./guest.ts";

/**
 * Page-table walks that a PE has under way at one time and the shortest time of one: 4 as the
 * Cortex-A76 is said to have (not verified), and 13 ns, a warm nested walk as measured on Zen 4.
 * Together they bound how many translations a guest can bring in before the next flush.
 */
export const WALKERS = 4;
export const SHORTEST_WALK_NS = 13;

/**
 * Upper bounds on refills that need no access stream: a flush costs at most the TLB's entries, the pages
 * that are mapped, and the walks that fit into the time until the next flush. By policy.
 */
export class HardBounds {
  readonly refills: Float64Array;
  /** Pages that both levels can hold translations of. */
  readonly entries: number;
  readonly #intervals: FlushIntervals;

  /** @param entries pages that the first and second level can hold translations of. */
  constructor(policies: number, entries: number, intervals: FlushIntervals) {
    this.#intervals = intervals;
    this.refills = new Float64Array(policies);
    this.entries = entries;
  }

  /** The guest ran on a PE for so long. */
  ran(guest: Guest, slot: number, ns: number): void {
    const since = (guest.sinceFlushNs[slot] ??= new Float64Array(this.refills.length).fill(-1));
    // Not before the first flush: nothing of what is missed then was there before.
    for (let policy = 0; policy < since.length; policy += 1) {
      if (since[policy]! >= 0) since[policy]! += ns;
    }
  }

  /**
   * A policy flushed the guest on a PE, `calls` times in a row, while the guest ran for `ns` in all
   * between the first and the last of them.
   */
  flushed(guest: Guest, slot: number, policy: number, calls: number, ns: number): void {
    const since = (guest.sinceFlushNs[slot] ??= new Float64Array(this.refills.length).fill(-1));
    if (since[policy]! > 0) this.#add(guest, policy, since[policy]!, 1);
    if (calls > 1) this.#add(guest, policy, ns / (calls - 1), calls - 1);
    since[policy] = 0;
  }

  /** The trace is over: closes what is open of a guest. */
  finish(guest: Guest): void {
    for (const since of guest.sinceFlushNs) {
      if (since === undefined) continue;
      for (let policy = 0; policy < since.length; policy += 1) {
        if (since[policy]! > 0) this.#add(guest, policy, since[policy]!, 1);
      }
    }
    this.#intervals.finish(guest);
  }

  /** `count` times a guest ran for `ns` after a flush. */
  #add(guest: Guest, policy: number, ns: number, count: number): void {
    this.refills[policy]! += count * this.#most(guest, ns);
    this.#intervals.add(guest, policy, ns, count);
  }

  #most(guest: Guest, ns: number): number {
    const walks = Math.ceil((ns * WALKERS) / SHORTEST_WALK_NS);
    const mapped = guest.footprint.length + guest.footprint.leftOut;
    return Math.min(this.entries, mapped, walks);
  }
}
