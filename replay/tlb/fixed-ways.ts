import type { TlbArray } from "./tlb-array.ts";
import type { Victims } from "./victims.ts";

const NONE = -1;

/**
 * A set-associative array whose entries stay in their ways; who gives way is chosen by `Victims`. Free
 * ways are filled first, the lowest of them. Look-ups take O(ways), flushes O(entries): made to compare
 * replacement policies, not for speed.
 */
export class FixedWays implements TlbArray {
  readonly entries: number;
  readonly #ways: number;
  readonly #setMask: number;
  readonly #keys: Int32Array;
  readonly #vms: Int32Array;
  readonly #liveOfVm: Int32Array;
  readonly #victims: Victims;

  /** @param sets a power of two; 1: fully associative. @param ways at least 1. */
  constructor(sets: number, ways: number, vms: number, victims: Victims) {
    if (!Number.isInteger(Math.log2(sets))) throw new RangeError(`${sets} sets: no power of two`);
    this.entries = sets * ways;
    this.#ways = ways;
    this.#setMask = sets - 1;
    this.#keys = new Int32Array(this.entries).fill(NONE);
    this.#vms = new Int32Array(this.entries);
    this.#liveOfVm = new Int32Array(vms);
    this.#victims = victims;
  }

  touch(key: number): boolean {
    const at = this.#find(key, key);
    if (at === NONE) return false;
    const set = key & this.#setMask;
    this.#victims.used(set, at - set * this.#ways);
    return true;
  }

  use(key: number, vm: number): boolean {
    if (this.touch(key)) return true;
    this.fill(key, vm);
    return false;
  }

  has(key: number): boolean {
    return this.#find(key, key) !== NONE;
  }

  fill(key: number, vm: number): void {
    const set = key & this.#setMask;
    let at = this.#find(key, NONE);
    if (at === NONE) {
      at = set * this.#ways + this.#victims.victimOf(set);
      this.#free(at);
    }
    this.#keys[at] = key;
    this.#vms[at] = vm;
    this.#liveOfVm[vm]! += 1;
    const way = at - set * this.#ways;
    this.#victims.filled(set, way);
    this.#victims.used(set, way);
  }

  drop(key: number): boolean {
    const at = this.#find(key, key);
    if (at === NONE) return false;
    this.#free(at);
    return true;
  }

  dropRange(first: number, count: number): number {
    return this.dropWhere((key) => key >= first && key < first + count);
  }

  dropWhere(matches: (key: number) => boolean): number {
    let dropped = 0;
    for (let at = 0; at < this.entries; at += 1) {
      const key = this.#keys[at]!;
      if (key === NONE || !matches(key)) continue;
      this.#free(at);
      dropped += 1;
    }
    return dropped;
  }

  flushVm(vm: number): number {
    const flushed = this.#liveOfVm[vm]!;
    for (let at = 0; this.#liveOfVm[vm]! > 0; at += 1) {
      if (this.#keys[at] !== NONE && this.#vms[at] === vm) this.#free(at);
    }
    return flushed;
  }

  flushAll(): number {
    return this.dropWhere(() => true);
  }

  liveOf(vm: number): number {
    return this.#liveOfVm[vm]!;
  }

  /** Where `wanted`, a key or NONE, stands in the set of `key`. */
  #find(key: number, wanted: number): number {
    const first = (key & this.#setMask) * this.#ways;
    for (let at = first; at < first + this.#ways; at += 1) {
      if (this.#keys[at] === wanted) return at;
    }
    return NONE;
  }

  #free(at: number): void {
    this.#liveOfVm[this.#vms[at]!]! -= 1;
    this.#keys[at] = NONE;
  }
}
