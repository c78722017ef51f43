import type { TlbArray } from "./tlb-array.ts";

const NONE = -1;
/** Flushes until the count begins anew, with every set in order. */
const MAX_EPOCHS = 1 << 16;

/**
 * A set-associative LRU array: the ways of a set stand in the order of use, the free ones last. A VM's
 * flush takes constant time, whatever the array's size: it counts as an epoch, each VM knows the epoch
 * of its last flush and each set the epoch in which it was last put in order. Whoever comes to a set that
 * lags behind first takes out what was flushed since. So no dead entry is ever looked at, and a fill takes
 * a free way before it evicts (without that, a flush of one VM would cost its neighbours).
 *
 * A set is 1 + 2 × ways words: its epoch, the keys, their VMs. The hot fields are private to TypeScript
 * only: `#` fields cost 7 % of the accesses per second. Loops unrolled for 5 ways gained nothing.
 */
export class SetAssociative implements TlbArray {
  readonly entries: number;
  private readonly ways: number;
  private readonly setMask: number;
  private readonly setWords: number;
  private readonly words: Int32Array;
  private readonly flushedIn: Int32Array;
  private readonly liveOfVm: Int32Array;
  private epoch = 0;

  /** @param sets a power of two. @param ways 0: no such array, nothing is ever in it. */
  constructor(sets: number, ways: number, vms: number) {
    if (!Number.isInteger(Math.log2(sets))) throw new RangeError(`${sets} sets: no power of two`);
    this.entries = sets * ways;
    this.ways = ways;
    this.setMask = sets - 1;
    this.setWords = 1 + 2 * ways;
    this.words = new Int32Array(sets * this.setWords).fill(NONE);
    for (let set = 0; set < this.words.length; set += this.setWords) this.words[set] = 0;
    this.flushedIn = new Int32Array(vms);
    this.liveOfVm = new Int32Array(vms);
  }

  touch(key: number): boolean {
    const words = this.words;
    const set = this.setOf(key);
    const end = set + 1 + this.ways;
    let at = set + 1;
    while (at < end && words[at] !== key) at += 1;
    if (at === end) return false;
    const ways = this.ways;
    const vm = words[at + ways]!;
    for (; at > set + 1; at -= 1) {
      words[at] = words[at - 1]!;
      words[at + ways] = words[at + ways - 1]!;
    }
    words[at] = key;
    words[at + ways] = vm;
    return true;
  }

  use(key: number, vm: number): boolean {
    const words = this.words;
    const ways = this.ways;
    if (ways === 0) return false;
    const set = (key & this.setMask) * this.setWords;
    if (words[set] !== this.epoch) this.putInOrder(set);
    const top = set + 1;
    const end = top + ways;
    let carried = words[top]!;
    if (carried === key) return true;
    let carriedVm = words[end]!;
    // Everything moves back a way as it is looked at, until the key is found.
    for (let at = top + 1; at < end; at += 1) {
      const here = words[at]!;
      const hereVm = words[at + ways]!;
      words[at] = carried;
      words[at + ways] = carriedVm;
      carried = here;
      carriedVm = hereVm;
      if (here === key) {
        words[top] = key;
        words[end] = hereVm;
        return true;
      }
    }
    words[top] = key;
    words[end] = vm;
    if (carried >= 0) this.liveOfVm[carriedVm]! -= 1;
    this.liveOfVm[vm]! += 1;
    return false;
  }

  has(key: number): boolean {
    return this.wayOf(key) !== NONE;
  }

  fill(key: number, vm: number): void {
    this.use(key, vm);
  }

  drop(key: number): boolean {
    const at = this.wayOf(key);
    if (at === NONE) return false;
    this.discard(at, this.setOf(key) + this.ways);
    return true;
  }

  dropRange(first: number, count: number): number {
    let dropped = 0;
    if (count <= this.setMask) {
      for (let key = first; key < first + count; key += 1) {
        if (this.drop(key)) dropped += 1;
      }
      return dropped;
    }
    for (let set = 0; set < this.words.length; set += this.setWords) {
      if (this.words[set] !== this.epoch) this.putInOrder(set);
      dropped += this.dropOfSet(set, first, count);
    }
    return dropped;
  }

  dropWhere(matches: (key: number) => boolean): number {
    const words = this.words;
    let dropped = 0;
    for (let set = 0; set < words.length; set += this.setWords) {
      if (words[set] !== this.epoch) this.putInOrder(set);
      for (let at = set + this.ways; at > set; at -= 1) {
        if (words[at] === NONE || !matches(words[at]!)) continue;
        this.discard(at, set + this.ways);
        dropped += 1;
      }
    }
    return dropped;
  }

  flushVm(vm: number): number {
    const flushed = this.liveOfVm[vm]!;
    if (flushed === 0) return 0;
    if (this.epoch === MAX_EPOCHS) this.beginAnew();
    this.epoch += 1;
    this.flushedIn[vm] = this.epoch;
    this.liveOfVm[vm] = 0;
    return flushed;
  }

  flushAll(): number {
    let flushed = 0;
    for (let vm = 0; vm < this.liveOfVm.length; vm += 1) flushed += this.flushVm(vm);
    return flushed;
  }

  liveOf(vm: number): number {
    return this.liveOfVm[vm]!;
  }

  /** First word of a key's set, which is in order then. */
  private setOf(key: number): number {
    const set = (key & this.setMask) * this.setWords;
    if (this.words[set] !== this.epoch) this.putInOrder(set);
    return set;
  }

  private wayOf(key: number): number {
    const words = this.words;
    const set = this.setOf(key);
    for (let at = set + 1; at <= set + this.ways; at += 1) {
      if (words[at] === key) return at;
    }
    return NONE;
  }

  /** Frees a live way; those behind it move up. */
  private discard(way: number, last: number): void {
    const words = this.words;
    const ways = this.ways;
    this.liveOfVm[words[way + ways]!]! -= 1;
    for (let at = way; at < last; at += 1) {
      words[at] = words[at + 1]!;
      words[at + ways] = words[at + ways + 1]!;
    }
    words[last] = NONE;
  }

  /** Takes the keys of a range out of a set; those that stay keep their order. */
  private dropOfSet(set: number, first: number, count: number): number {
    const words = this.words;
    const ways = this.ways;
    const end = set + 1 + ways;
    let to = set + 1;
    let at = to;
    for (; at < end; at += 1) {
      const key = words[at]!;
      if (key < 0) break;
      const vm = words[at + ways]!;
      if (key >= first && key - first < count) {
        this.liveOfVm[vm]! -= 1;
        continue;
      }
      words[to] = key;
      words[to + ways] = vm;
      to += 1;
    }
    const dropped = at - to;
    for (; to < at; to += 1) words[to] = NONE;
    return dropped;
  }

  /** Takes out what was flushed since the set was last used. */
  private putInOrder(set: number): void {
    const words = this.words;
    const ways = this.ways;
    const since = words[set]!;
    const end = set + 1 + ways;
    let to = set + 1;
    for (let at = to; at < end && words[at] !== NONE; at += 1) {
      const vm = words[at + ways]!;
      if (this.flushedIn[vm]! > since) continue;
      words[to] = words[at]!;
      words[to + ways] = vm;
      to += 1;
    }
    for (; to < end; to += 1) words[to] = NONE;
    words[set] = this.epoch;
  }

  private beginAnew(): void {
    for (let set = 0; set < this.words.length; set += this.setWords) {
      this.putInOrder(set);
      this.words[set] = 0;
    }
    this.flushedIn.fill(0);
    this.epoch = 0;
  }
}
