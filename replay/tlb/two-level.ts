import type { TlbArray } from "./tlb-array.ts";

/** Where a translation was found. */
export const Found = { first: 0, second: 1, nowhere: 2 } as const;

/**
 * A first-level and a second-level array of combined entries (VA to PA, both stages in one). A hit in the
 * second level fills the first; what the first evicts is dropped, what the second evicts stays in the
 * first: neither includes the other.
 */
export class TwoLevelTlb {
  private readonly first: TlbArray;
  private readonly second: TlbArray;

  constructor(first: TlbArray, second: TlbArray) {
    this.first = first;
    this.second = second;
  }

  /** Looks a translation up and enters it where it is missing; one of `Found`. */
  access(key: number, vm: number): number {
    if (this.first.touch(key)) return Found.first;
    const found = this.second.use(key, vm) ? Found.second : Found.nowhere;
    this.first.fill(key, vm);
    return found;
  }

  /** Whether either level holds it. */
  has(key: number): boolean {
    return this.first.has(key) || this.second.has(key);
  }

  drop(key: number): boolean {
    const inFirst = this.first.drop(key);
    return this.second.drop(key) || inFirst;
  }

  /** The keys `first`…`first + count − 1`; how many entries of both levels there were. */
  dropRange(first: number, count: number): number {
    return this.first.dropRange(first, count) + this.second.dropRange(first, count);
  }

  /** Every entry of a VM; how many there were in both levels. */
  flushVm(vm: number): number {
    return this.first.flushVm(vm) + this.second.flushVm(vm);
  }

  flushFirst(vm: number): number {
    return this.first.flushVm(vm);
  }

  flushAll(): number {
    return this.first.flushAll() + this.second.flushAll();
  }
}
