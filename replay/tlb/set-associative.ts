import type { TlbArray } from "./tlb-array.ts";

const NONE = -1;
/** Generations until dead entries are swept out and the count begins anew. */
const MAX_GENERATIONS = 1 << 12;

/**
 * A set-associative LRU array: the ways of a set stand in the order of use. A VM's flush is one store,
 * whatever the array's size: its entries carry the generation in which they were filled, and one of an
 * ended generation is dead. A fill takes a dead way before it evicts a live one, so that the array
 * behaves as if dead entries were gone (without that, a flush of one VM would cost its neighbours).
 */
export class SetAssociative implements TlbArray {
  readonly entries: number;
  readonly #ways: number;
  readonly #setMask: number;
  readonly #keys: Int32Array;
  /** Generation of each entry. */
  readonly #generations: Int32Array;
  readonly #isDead = new Uint8Array(MAX_GENERATIONS);
  readonly #vmOfGeneration = new Int32Array(MAX_GENERATIONS);
  /** Generation that a VM's fills belong to. */
  readonly #current: Int32Array;
  readonly #liveOfVm: Int32Array;
  #nextGeneration: number;

  /** @param sets a power of two. @param ways 0: no such array, nothing is ever in it. */
  constructor(sets: number, ways: number, vms: number) {
    if (!Number.isInteger(Math.log2(sets))) throw new RangeError(`${sets} sets: no power of two`);
    this.entries = sets * ways;
    this.#ways = ways;
    this.#setMask = sets - 1;
    this.#keys = new Int32Array(this.entries).fill(NONE);
    this.#generations = new Int32Array(this.entries);
    this.#current = Int32Array.from({ length: vms }, (_, vm) => vm + 1);
    this.#liveOfVm = new Int32Array(vms);
    // Generation 0 stands for entries that were never filled.
    this.#isDead[0] = 1;
    for (let vm = 0; vm < vms; vm += 1) this.#vmOfGeneration[vm + 1] = vm;
    this.#nextGeneration = vms + 1;
  }

  touch(key: number): boolean {
    const keys = this.#keys;
    const generations = this.#generations;
    const first = (key & this.#setMask) * this.#ways;
    const end = first + this.#ways;
    let at = first;
    while (at < end && keys[at] !== key) at += 1;
    if (at === end) return false;
    const generation = generations[at]!;
    if (this.#isDead[generation] === 1) return false;
    for (; at > first; at -= 1) {
      keys[at] = keys[at - 1]!;
      generations[at] = generations[at - 1]!;
    }
    keys[first] = key;
    generations[first] = generation;
    return true;
  }

  has(key: number): boolean {
    return this.#find(key) !== NONE;
  }

  fill(key: number, vm: number): void {
    const keys = this.#keys;
    const generations = this.#generations;
    const isDead = this.#isDead;
    if (this.#ways === 0) return;
    const first = (key & this.#setMask) * this.#ways;
    const last = first + this.#ways - 1;
    let at = last;
    // The oldest dead way; where none is dead, the oldest of all.
    while (at >= first && isDead[generations[at]!] === 0) at -= 1;
    if (at < first) {
      at = last;
      this.#liveOfVm[this.#vmOfGeneration[generations[at]!]!]! -= 1;
    }
    for (; at > first; at -= 1) {
      keys[at] = keys[at - 1]!;
      generations[at] = generations[at - 1]!;
    }
    keys[first] = key;
    generations[first] = this.#current[vm]!;
    this.#liveOfVm[vm]! += 1;
  }

  drop(key: number): boolean {
    const at = this.#find(key);
    if (at === NONE) return false;
    this.#liveOfVm[this.#vmOfGeneration[this.#generations[at]!]!]! -= 1;
    this.#keys[at] = NONE;
    this.#generations[at] = 0;
    return true;
  }

  /** Invalidates the entries whose key `matches` says, by a scan; how many. */
  dropWhere(matches: (key: number) => boolean): number {
    let dropped = 0;
    for (let at = 0; at < this.entries; at += 1) {
      const key = this.#keys[at]!;
      if (key === NONE || this.#isDead[this.#generations[at]!] === 1 || !matches(key)) continue;
      this.drop(key);
      dropped += 1;
    }
    return dropped;
  }

  flushVm(vm: number): number {
    const flushed = this.#liveOfVm[vm]!;
    if (flushed === 0) return 0;
    this.#liveOfVm[vm] = 0;
    this.#isDead[this.#current[vm]!] = 1;
    if (this.#nextGeneration === MAX_GENERATIONS) this.#sweep();
    else this.#begin(vm);
    return flushed;
  }

  flushAll(): number {
    let flushed = 0;
    for (let vm = 0; vm < this.#liveOfVm.length; vm += 1) flushed += this.flushVm(vm);
    return flushed;
  }

  liveOf(vm: number): number {
    return this.#liveOfVm[vm]!;
  }

  #find(key: number): number {
    const first = (key & this.#setMask) * this.#ways;
    for (let at = first; at < first + this.#ways; at += 1) {
      if (this.#keys[at] !== key) continue;
      return this.#isDead[this.#generations[at]!] === 1 ? NONE : at;
    }
    return NONE;
  }

  #begin(vm: number): void {
    const generation = this.#nextGeneration;
    this.#nextGeneration += 1;
    this.#isDead[generation] = 0;
    this.#vmOfGeneration[generation] = vm;
    this.#current[vm] = generation;
  }

  /** Empties dead entries and gives every VM its first generation again. */
  #sweep(): void {
    for (let at = 0; at < this.entries; at += 1) {
      const generation = this.#generations[at]!;
      if (this.#isDead[generation] === 1) {
        this.#keys[at] = NONE;
        this.#generations[at] = 0;
      } else this.#generations[at] = this.#vmOfGeneration[generation]! + 1;
    }
    this.#nextGeneration = 1;
    for (let vm = 0; vm < this.#current.length; vm += 1) this.#begin(vm);
  }
}
