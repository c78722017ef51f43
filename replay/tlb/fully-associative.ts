import type { TlbArray } from "./tlb-array.ts";

const NONE = -1;

/**
 * A fully associative LRU array: a hash over its entries and a list in the order of use. Every operation
 * takes constant time but for `flushVm`, which walks the entries (they are few: a first level).
 */
export class FullyAssociative implements TlbArray {
  readonly entries: number;
  readonly #keys: Int32Array;
  readonly #vms: Int32Array;
  /** The list in the order of use; index `entries` is its anchor: next of it the youngest, previous the oldest. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** Entries of a bucket, and the free entries, singly linked. */
  readonly #chain: Int32Array;
  readonly #buckets: Int32Array;
  readonly #shift: number;
  readonly #liveOfVm: Int32Array;
  #free: number;

  /** @param vms how many VMs there are: 0…vms−1. */
  constructor(entries: number, vms: number) {
    this.entries = entries;
    this.#keys = new Int32Array(entries).fill(NONE);
    this.#vms = new Int32Array(entries);
    this.#next = new Int32Array(entries + 1);
    this.#previous = new Int32Array(entries + 1);
    this.#chain = Int32Array.from({ length: entries }, (_, i) => (i + 1 < entries ? i + 1 : NONE));
    const bucketBits = Math.max(1, Math.ceil(Math.log2(entries * 2)));
    this.#buckets = new Int32Array(1 << bucketBits).fill(NONE);
    this.#shift = 32 - bucketBits;
    this.#liveOfVm = new Int32Array(vms);
    this.#next[entries] = entries;
    this.#previous[entries] = entries;
    this.#free = 0;
  }

  touch(key: number): boolean {
    const keys = this.#keys;
    let entry = this.#buckets[this.#bucketOf(key)]!;
    while (entry !== NONE && keys[entry] !== key) entry = this.#chain[entry]!;
    if (entry === NONE) return false;
    const next = this.#next;
    const anchor = this.entries;
    if (next[anchor] !== entry) {
      this.#unlink(entry);
      this.#linkFirst(entry);
    }
    return true;
  }

  has(key: number): boolean {
    return this.#entryOf(key) !== NONE;
  }

  fill(key: number, vm: number): void {
    let entry = this.#free;
    if (entry === NONE) {
      entry = this.#previous[this.entries]!;
      this.#unlink(entry);
      this.#leaveBucket(entry);
      this.#liveOfVm[this.#vms[entry]!]! -= 1;
    } else {
      this.#free = this.#chain[entry]!;
    }
    this.#keys[entry] = key;
    this.#vms[entry] = vm;
    this.#liveOfVm[vm]! += 1;
    const bucket = this.#bucketOf(key);
    this.#chain[entry] = this.#buckets[bucket]!;
    this.#buckets[bucket] = entry;
    this.#linkFirst(entry);
  }

  drop(key: number): boolean {
    const entry = this.#entryOf(key);
    if (entry === NONE) return false;
    this.#discard(entry);
    return true;
  }

  /** Invalidates the entries whose key `matches` says; how many. */
  dropWhere(matches: (key: number) => boolean): number {
    let dropped = 0;
    for (let entry = this.#next[this.entries]!; entry !== this.entries; ) {
      const following = this.#next[entry]!;
      if (matches(this.#keys[entry]!)) {
        this.#discard(entry);
        dropped += 1;
      }
      entry = following;
    }
    return dropped;
  }

  flushVm(vm: number): number {
    const flushed = this.#liveOfVm[vm]!;
    let left = flushed;
    for (let entry = this.#next[this.entries]!; left > 0; ) {
      const following = this.#next[entry]!;
      if (this.#vms[entry] === vm) {
        this.#discard(entry);
        left -= 1;
      }
      entry = following;
    }
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

  #bucketOf(key: number): number {
    return Math.imul(key, 0x9e37_79b1) >>> this.#shift;
  }

  #entryOf(key: number): number {
    let entry = this.#buckets[this.#bucketOf(key)]!;
    while (entry !== NONE && this.#keys[entry] !== key) entry = this.#chain[entry]!;
    return entry;
  }

  #discard(entry: number): void {
    this.#unlink(entry);
    this.#leaveBucket(entry);
    this.#liveOfVm[this.#vms[entry]!]! -= 1;
    this.#keys[entry] = NONE;
    this.#chain[entry] = this.#free;
    this.#free = entry;
  }

  #unlink(entry: number): void {
    const before = this.#previous[entry]!;
    const behind = this.#next[entry]!;
    this.#next[before] = behind;
    this.#previous[behind] = before;
  }

  #linkFirst(entry: number): void {
    const anchor = this.entries;
    const first = this.#next[anchor]!;
    this.#next[anchor] = entry;
    this.#previous[entry] = anchor;
    this.#next[entry] = first;
    this.#previous[first] = entry;
  }

  #leaveBucket(entry: number): void {
    const bucket = this.#bucketOf(this.#keys[entry]!);
    let at = this.#buckets[bucket]!;
    if (at === entry) {
      this.#buckets[bucket] = this.#chain[entry]!;
      return;
    }
    while (this.#chain[at] !== entry) at = this.#chain[at]!;
    this.#chain[at] = this.#chain[entry]!;
  }
}
