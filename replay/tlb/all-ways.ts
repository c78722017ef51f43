/**
 * Exact misses of set-associative LRU TLBs with a fixed number of sets and every number of ways at once,
 * with invalidations: a stack with holes a set (see `all-sizes.ts`). A stack begins as nothing but holes,
 * which are free ways; a VM's flush takes constant time and makes its holes when a set is next used.
 */
export class AllWays {
  readonly sets: number;
  readonly maxWays: number;
  /** Accesses that hit with `ways` ways and more, by ways 1…maxWays; 0: hits with none. */
  readonly hitsAtDepth: Float64Array;
  accesses = 0;
  private readonly setWords: number;
  /** A set is 1 + 2 × maxWays words: the epoch in which it was last put in order, the keys, their VMs. */
  private readonly words: Int32Array;
  private readonly flushedIn: Int32Array;
  private epoch = 0;

  /** @param sets a power of two. @param vms how many VMs there are: 0…vms−1. */
  constructor(sets: number, maxWays: number, vms = 1) {
    if (!Number.isInteger(Math.log2(sets))) throw new RangeError(`${sets} sets: no power of two`);
    this.sets = sets;
    this.maxWays = maxWays;
    this.hitsAtDepth = new Float64Array(maxWays + 1);
    this.setWords = 1 + 2 * maxWays;
    this.words = new Int32Array(sets * this.setWords).fill(HOLE);
    for (let set = 0; set < this.words.length; set += this.setWords) this.words[set] = 0;
    this.flushedIn = new Int32Array(vms);
  }

  /** Looks a translation up; the fewest ways that hold it, 0 where not even maxWays do. */
  access(key: number, vm = 0): number {
    this.accesses += 1;
    const { words, maxWays } = this;
    const set = this.setOf(key);
    const end = set + 1 + maxWays;
    let at = set + 1;
    let hole = 0;
    for (; at < end; at += 1) {
      const there = words[at]!;
      if (there === key) break;
      if (there === HOLE && hole === 0) hole = at;
    }
    const isThere = at < end;
    const depth = isThere ? at - set : 0;
    this.hitsAtDepth[depth]! += 1;
    let to = isThere ? at : end - 1;
    // The youngest hole above it is filled, and its own place becomes one.
    if (hole > 0) {
      if (isThere) words[at] = HOLE;
      to = hole;
    }
    for (; to > set + 1; to -= 1) {
      words[to] = words[to - 1]!;
      words[to + maxWays] = words[to + maxWays - 1]!;
    }
    words[to] = key;
    words[to + maxWays] = vm;
    return depth;
  }

  /** Invalidates a translation whatever the ways; whether any could have held it. */
  drop(key: number): boolean {
    const set = this.setOf(key);
    for (let at = set + 1; at <= set + this.maxWays; at += 1) {
      if (this.words[at] !== key) continue;
      this.words[at] = HOLE;
      return true;
    }
    return false;
  }

  /** Invalidates the keys `first`…`first + count − 1`; how many there were. */
  dropRange(first: number, count: number): number {
    if (count >= this.sets) return this.dropWhere((key) => key >= first && key < first + count);
    let dropped = 0;
    for (let key = first; key < first + count; key += 1) {
      if (this.drop(key)) dropped += 1;
    }
    return dropped;
  }

  /** Invalidates the translations that `matches` says; how many. */
  dropWhere(matches: (key: number) => boolean): number {
    const { words, maxWays } = this;
    let dropped = 0;
    for (let set = 0; set < words.length; set += this.setWords) {
      if (words[set] !== this.epoch) this.putInOrder(set);
      for (let at = set + 1; at <= set + maxWays; at += 1) {
        if (words[at] === HOLE || !matches(words[at]!)) continue;
        words[at] = HOLE;
        dropped += 1;
      }
    }
    return dropped;
  }

  /** Invalidates a VM's translations. */
  flushVm(vm: number): void {
    this.beginEpoch();
    this.flushedIn[vm] = this.epoch;
  }

  /** Invalidates every translation. */
  flushAll(): void {
    this.beginEpoch();
    this.flushedIn.fill(this.epoch);
  }

  /** Misses of a TLB of `ways` ways. */
  misses(ways: number): number {
    let hits = 0;
    for (let depth = 1; depth <= ways; depth += 1) hits += this.hitsAtDepth[depth]!;
    return this.accesses - hits;
  }

  /** First word of a key's set, which is in order then. */
  private setOf(key: number): number {
    const set = (key & (this.sets - 1)) * this.setWords;
    if (this.words[set] !== this.epoch) this.putInOrder(set);
    return set;
  }

  private putInOrder(set: number): void {
    const { words, maxWays } = this;
    const since = words[set]!;
    for (let at = set + 1; at <= set + maxWays; at += 1) {
      if (words[at] !== HOLE && this.flushedIn[words[at + maxWays]!]! > since) words[at] = HOLE;
    }
    words[set] = this.epoch;
  }

  private beginEpoch(): void {
    if (this.epoch === MAX_EPOCHS) {
      for (let set = 0; set < this.words.length; set += this.setWords) {
        this.putInOrder(set);
        this.words[set] = 0;
      }
      this.flushedIn.fill(0);
      this.epoch = 0;
    }
    this.epoch += 1;
  }
}

const HOLE = -1;
/** Flushes until the count begins anew, with every set in order. */
const MAX_EPOCHS = 1 << 16;
