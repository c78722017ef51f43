import type { TlbArray } from "./tlb-array.ts";

const NONE = -1;
/**
 * Nodes and buckets share one array; a node is known by the index of its first word. Its words: +0 key,
 * +1 next and +2 previous of the ring, +3 next of the same bucket, +4 VM. The numbers stand in the code
 * as they are: named, they make functions too long for V8 to inline, which costs 15 % of the speed.
 */
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
      this.words[i * NODE_WORDS + 1] = ((i + 1) % entries) * NODE_WORDS;
      this.words[i * NODE_WORDS + 2] = ((i + entries - 1) % entries) * NODE_WORDS;
    }
  }

  touch(key: number): boolean {
    const words = this.words;
    let node = words[this.buckets + (Math.imul(key, 0x9e37_79b1) >>> this.shift)]!;
    while (node >= 0 && words[node] !== key) node = words[node + 3]!;
    if (node < 0) return false;
    const head = this.head;
    if (node === head) return true;
    const tail = words[head + 2]!;
    if (node !== tail) {
      const next = words[node + 1]!;
      const previous = words[node + 2]!;
      words[previous + 1] = next;
      words[next + 2] = previous;
      words[tail + 1] = node;
      words[node + 2] = tail;
      words[node + 1] = head;
      words[head + 2] = node;
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
    const node = words[this.head + 2]!;
    const evicted = words[node]!;
    if (evicted < 0) {
      this.live += 1;
    } else {
      this.liveOfVm[words[node + 4]!]! -= 1;
      let at = buckets + (Math.imul(evicted, 0x9e37_79b1) >>> shift);
      for (let one = words[at]!; one !== node; one = words[at]!) at = one + 3;
      words[at] = words[node + 3]!;
    }
    const bucket = buckets + (Math.imul(key, 0x9e37_79b1) >>> shift);
    words[node] = key;
    words[node + 4] = vm;
    words[node + 3] = words[bucket]!;
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
      const next = words[node + 1]!;
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
      const next = words[node + 1]!;
      if (words[node + 4] === vm) {
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
      node = words[node + 1]!;
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
    while (node >= 0 && words[node] !== key) node = words[node + 3]!;
    return node;
  }

  /** Frees a live entry: it goes to the ring's end. */
  private discard(node: number): void {
    const words = this.words;
    this.leaveBucket(node);
    this.liveOfVm[words[node + 4]!]! -= 1;
    this.live -= 1;
    words[node] = NONE;
    const head = this.head;
    const next = words[node + 1]!;
    if (node === head) {
      this.head = next;
      return;
    }
    const tail = words[head + 2]!;
    if (node === tail) return;
    const previous = words[node + 2]!;
    words[previous + 1] = next;
    words[next + 2] = previous;
    words[tail + 1] = node;
    words[node + 2] = tail;
    words[node + 1] = head;
    words[head + 2] = node;
  }

  private leaveBucket(node: number): void {
    const words = this.words;
    let at = this.buckets + (Math.imul(words[node]!, 0x9e37_79b1) >>> this.shift);
    while (words[at] !== node) at = words[at]! + 3;
    words[at] = words[node + 3]!;
  }
}
