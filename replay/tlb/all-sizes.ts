import { PlaceCounts } from "./place-counts.ts";
import { PlaceTable } from "./place-table.ts";
import { YoungestBits } from "./youngest-bits.ts";

/**
 * Exact misses of fully associative LRU TLBs of every size at once, with invalidations.
 *
 * Mattson's stack (1970) with holes (after Wu, Popek and Muntz, 1992): a translation that is invalidated
 * leaves a free entry in every TLB that was large enough to hold it, so its place in the stack stays, as
 * a hole; the next translation that comes from below the youngest hole fills it, and what it leaves
 * behind is a hole further down. Deleting the place instead is wrong at most sizes.
 *
 * Places are times of last use, counted by a Fenwick tree. Depths beyond `maxSize` are forgotten: no TLB
 * that is asked about holds them. An access takes O(log maxSize), a flush of everything O(VMs), one of
 * a VM as long as it had translations.
 */
export class AllSizes {
  readonly maxSize: number;
  /** Accesses that hit in TLBs of `depth` entries and more, by depth 1…maxSize; 0: hits in none. */
  readonly hitsAtDepth: Float64Array;
  accesses = 0;
  private readonly capacity: number;
  private readonly counts: PlaceCounts;
  private readonly table: PlaceTable;
  /** Key at each place; HOLE or EMPTY where there is none. */
  private readonly keyAt: Int32Array;
  private readonly vmAt: Int32Array;
  private readonly holes: YoungestBits;
  /** Places of each VM's translations. */
  private readonly placesOf: readonly YoungestBits[];
  /** Translations of each VM, and of all. */
  private readonly liveOfVm: Int32Array;
  private live = 0;
  private now = 0;
  /** Places up to here are of no account any more: everything was flushed. */
  private base = 0;

  /** @param vms how many VMs there are: 0…vms−1. */
  constructor(maxSize: number, vms = 1) {
    this.maxSize = maxSize;
    this.hitsAtDepth = new Float64Array(maxSize + 1);
    this.capacity = 2 ** Math.ceil(Math.log2(Math.max(64, maxSize * 4)));
    this.counts = new PlaceCounts(this.capacity);
    this.table = new PlaceTable(this.capacity);
    this.keyAt = new Int32Array(this.capacity + 1).fill(EMPTY);
    this.vmAt = new Int32Array(this.capacity + 1);
    this.holes = new YoungestBits(this.capacity + 1);
    this.placesOf = Array.from({ length: vms }, () => new YoungestBits(this.capacity + 1));
    this.liveOfVm = new Int32Array(vms);
  }

  /** Looks a translation up; the smallest size that holds it, 0 where none up to maxSize does. */
  access(key: number, vm = 0): number {
    this.accesses += 1;
    if (this.now === this.capacity) this.renumber();
    const { keyAt, counts, table } = this;
    const now = this.now + 1;
    const slot = table.slotOf(key);
    const known = table.placeAt(slot);
    const place = known > this.base && keyAt[known] === key ? known : 0;
    const youngest = this.holes.youngest();
    const hole = youngest > this.base ? youngest : 0;
    let depth = 0;
    if (place > 0) {
      depth = counts.between(place - 1, this.now);
      if (depth > this.maxSize) depth = 0;
      this.placesOf[vm]!.remove(place);
    } else {
      this.liveOfVm[vm]! += 1;
      this.live += 1;
    }
    // The place that the stack loses: the youngest hole where it is above the translation, else its own.
    let vacated = place;
    if (hole > place) {
      vacated = hole;
      this.holes.remove(hole);
      if (place > 0) {
        keyAt[place] = HOLE;
        this.holes.add(place);
      }
    }
    if (vacated > 0) {
      keyAt[vacated] = EMPTY;
      counts.move(vacated, now);
    } else counts.add(now);
    this.now = now;
    keyAt[now] = key;
    this.vmAt[now] = vm;
    this.placesOf[vm]!.add(now);
    table.put(slot, key, now);
    this.hitsAtDepth[depth]! += 1;
    return depth;
  }

  /** Invalidates a translation in every size; whether any could have held it. */
  drop(key: number): boolean {
    const place = this.table.placeAt(this.table.slotOf(key));
    if (place <= this.base || this.keyAt[place] !== key) return false;
    this.placesOf[this.vmAt[place]!]!.remove(place);
    this.makeHole(place);
    return true;
  }

  /** Invalidates the keys `first`…`first + count − 1`; how many there were. */
  dropRange(first: number, count: number): number {
    if (count > this.now - this.base)
      return this.dropWhere((key) => key >= first && key < first + count);
    let dropped = 0;
    for (let key = first; key < first + count; key += 1) {
      if (this.drop(key)) dropped += 1;
    }
    return dropped;
  }

  /** Invalidates a VM's translations; how many. */
  flushVm(vm: number): number {
    const flushed = this.liveOfVm[vm]!;
    if (flushed === this.live) return this.flushAll();
    const places = this.placesOf[vm]!;
    for (let left = flushed; left > 0; left -= 1) {
      const place = places.youngest();
      places.remove(place);
      this.makeHole(place);
    }
    return flushed;
  }

  /** Invalidates every translation: every entry of every size is free. How many there were. */
  flushAll(): number {
    const flushed = this.live;
    this.base = this.now;
    this.live = 0;
    this.liveOfVm.fill(0);
    return flushed;
  }

  /** Invalidates the translations that `matches` says; how many. */
  dropWhere(matches: (key: number) => boolean): number {
    let dropped = 0;
    for (let place = this.base + 1; place <= this.now; place += 1) {
      const key = this.keyAt[place]!;
      if (key < 0 || !matches(key)) continue;
      this.placesOf[this.vmAt[place]!]!.remove(place);
      this.makeHole(place);
      dropped += 1;
    }
    return dropped;
  }

  /** Misses of a TLB of `size` entries. */
  misses(size: number): number {
    let hits = 0;
    for (let depth = 1; depth <= size; depth += 1) hits += this.hitsAtDepth[depth]!;
    return this.accesses - hits;
  }

  private makeHole(place: number): void {
    this.keyAt[place] = HOLE;
    this.holes.add(place);
    this.liveOfVm[this.vmAt[place]!]! -= 1;
    this.live -= 1;
  }

  /** Gives the youngest `maxSize` places the numbers 1…; what is deeper no size holds. */
  private renumber(): void {
    const { keyAt, vmAt } = this;
    let kept = 0;
    let oldest = this.now + 1;
    while (oldest > this.base + 1 && kept < this.maxSize) {
      oldest -= 1;
      if (keyAt[oldest] !== EMPTY) kept += 1;
    }
    const end = this.now;
    this.flushAll();
    this.holes.clear();
    for (const places of this.placesOf) places.clear();
    this.table.clear();
    this.base = 0;
    this.now = 0;
    for (let place = oldest; place <= end; place += 1) {
      if (keyAt[place] !== EMPTY) this.place(keyAt[place]!, vmAt[place]!);
    }
    keyAt.fill(EMPTY, this.now + 1);
    this.counts.occupyFirst(this.now);
  }

  private place(key: number, vm: number): void {
    this.now += 1;
    this.keyAt[this.now] = key;
    this.vmAt[this.now] = vm;
    if (key === HOLE) {
      this.holes.add(this.now);
      return;
    }
    this.table.put(this.table.slotOf(key), key, this.now);
    this.placesOf[vm]!.add(this.now);
    this.liveOfVm[vm]! += 1;
    this.live += 1;
  }
}

const EMPTY = -1;
const HOLE = -2;
