import type { TlbArray } from "./tlb-array.ts";

const NONE = -1;
/** Fields of a node; nodes and buckets share one array, and a node is known by the index of its first word. */
const NEXT = 1;
const PREVIOUS = 2;
/** Next node of the same bucket. */
const CHAIN = 3;
const VM = 4;
const NODE_WORDS = 5;

/**
 * A fully associative LRU array: a hash over its entries and a ring in the order of use, the youngest
 * first. Free entries stand at the ring's end, so a fill always takes the last one. Every operation takes
 * constant time but for flushes, which walk what is live (it is little: a first level).
 *
 * The hot fields are private to TypeScript only: `#` fields cost 7 % of the accesses per second.
 */
export class FullyAssociative implements TlbArray {
  readonly entries: number;
  private readonly words: Int32Array;
  /** Index of the first bucket: behind the nodes. */
  private readonly buckets: number;
  private readonly shift: number;
  private readonly liveOfVm: Int32Array;
  /** Youngest entry. */
  private head = 0;
  private live = 0;

  /** @param vms how many VMs there are: 0…vms−1. */
  constructor(entries: number, vms: number) {
    const bucketBits = Math.max(1, Math.ceil(Math.log2(entries * 2)));
    this.entries = entries;
    this.buckets = entries * NODE_WORDS;
    this.shift = 32 - bucketBits;
    this.liveOfVm = new Int32Array(vms);
    this.words = new Int32Array(this.buckets + (1 << bucketBits)).fill(NONE);
    for (let i = 0; i < entries; i += 1) {
      this.words[i * NODE_WORDS + NEXT] = ((i + 1) % entries) * NODE_WORDS;
      this.words[i * NODE_WORDS + PREVIOUS] = ((i + entries - 1) % entries) * NODE_WORDS;
    }
  }

  touch(key: number): boolean {
    const words = this.words;
    let node = words[this.buckets + (Math.imul(key, 0x9e37_79b1) >>> this.shift)]!;
    while (node !== NONE && words[node] !== key) node = words[node + CHAIN]!;
    if (node === NONE) return false;
    const head = this.head;
    if (node === head) return true;
    const tail = words[head + PREVIOUS]!;
    if (node !== tail) {
      const next = words[node + NEXT]!;
      const previous = words[node + PREVIOUS]!;
      words[previous + NEXT] = next;
      words[next + PREVIOUS] = previous;
      words[tail + NEXT] = node;
      words[node + PREVIOUS] = tail;
      words[node + NEXT] = head;
      words[head + PREVIOUS] = node;
    }
    this.head = node;
    return true;
  }

  use(key: number, vm: number): boolean {
    if (this.touch(key)) return true;
    this.fill(key, vm);
    return false;
  }

  has(key: number): boolean {
    return this.nodeOf(key) !== NONE;
  }

  fill(key: number, vm: number): void {
    const words = this.words;
    const buckets = this.buckets;
    const shift = this.shift;
    const node = words[this.head + PREVIOUS]!;
    const evicted = words[node]!;
    if (evicted === NONE) {
      this.live += 1;
    } else {
      this.liveOfVm[words[node + VM]!]! -= 1;
      let at = buckets + (Math.imul(evicted, 0x9e37_79b1) >>> shift);
      for (let one = words[at]!; one !== node; one = words[at]!) at = one + CHAIN;
      words[at] = words[node + CHAIN]!;
    }
    const bucket = buckets + (Math.imul(key, 0x9e37_79b1) >>> shift);
    words[node] = key;
    words[node + VM] = vm;
    words[node + CHAIN] = words[bucket]!;
    words[bucket] = node;
    this.liveOfVm[vm]! += 1;
    this.head = node;
  }

  drop(key: number): boolean {
    const node = this.nodeOf(key);
    if (node === NONE) return false;
    this.discard(node);
    return true;
  }

  dropRange(first: number, count: number): number {
    if (count > this.live) return this.dropWhere((key) => key >= first && key < first + count);
    let dropped = 0;
    for (let key = first; key < first + count; key += 1) {
      if (this.drop(key)) dropped += 1;
    }
    return dropped;
  }

  dropWhere(matches: (key: number) => boolean): number {
    const words = this.words;
    let dropped = 0;
    let node = this.head;
    for (let left = this.live; left > 0; left -= 1) {
      const next = words[node + NEXT]!;
      if (matches(words[node]!)) {
        this.discard(node);
        dropped += 1;
      }
      node = next;
    }
    return dropped;
  }

  flushVm(vm: number): number {
    const flushed = this.liveOfVm[vm]!;
    if (flushed === 0) return 0;
    if (flushed === this.live) return this.flushAll();
    const words = this.words;
    let node = this.head;
    for (let left = flushed; left > 0; ) {
      const next = words[node + NEXT]!;
      if (words[node + VM] === vm) {
        this.discard(node);
        left -= 1;
      }
      node = next;
    }
    return flushed;
  }

  flushAll(): number {
    const words = this.words;
    const flushed = this.live;
    let node = this.head;
    // Live entries come first in the ring.
    for (let left = flushed; left > 0; left -= 1) {
      words[this.buckets + (Math.imul(words[node]!, 0x9e37_79b1) >>> this.shift)] = NONE;
      words[node] = NONE;
      node = words[node + NEXT]!;
    }
    this.live = 0;
    this.liveOfVm.fill(0);
    return flushed;
  }

  liveOf(vm: number): number {
    return this.liveOfVm[vm]!;
  }

  private nodeOf(key: number): number {
    const words = this.words;
    let node = words[this.buckets + (Math.imul(key, 0x9e37_79b1) >>> this.shift)]!;
    while (node !== NONE && words[node] !== key) node = words[node + CHAIN]!;
    return node;
  }

  /** Frees a live entry: it goes to the ring's end. */
  private discard(node: number): void {
    const words = this.words;
    this.leaveBucket(node);
    this.liveOfVm[words[node + VM]!]! -= 1;
    this.live -= 1;
    words[node] = NONE;
    const head = this.head;
    const next = words[node + NEXT]!;
    if (node === head) {
      this.head = next;
      return;
    }
    const tail = words[head + PREVIOUS]!;
    if (node === tail) return;
    const previous = words[node + PREVIOUS]!;
    words[previous + NEXT] = next;
    words[next + PREVIOUS] = previous;
    words[tail + NEXT] = node;
    words[node + PREVIOUS] = tail;
    words[node + NEXT] = head;
    words[head + PREVIOUS] = node;
  }

  private leaveBucket(node: number): void {
    const words = this.words;
    let at = this.buckets + (Math.imul(words[node]!, 0x9e37_79b1) >>> this.shift);
    while (words[at] !== node) at = words[at]! + CHAIN;
    words[at] = words[node + CHAIN]!;
  }
}
