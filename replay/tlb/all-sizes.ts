/**
 * Exact misses of fully associative LRU TLBs of every size at once, with invalidations.
 *
 * Mattson's stack (1970) with holes (after Wu, Popek and Muntz, 1992): a translation that is invalidated
 * leaves a free entry in every TLB that was large enough to hold it, so its place in the stack stays, as
 * a hole; the next translation that comes from below the youngest hole fills it, and what it leaves
 * behind is a hole further down. Deleting the place instead is wrong at most sizes.
 *
 * Places are times of last use, counted by a Fenwick tree. Depths beyond `maxSize` are forgotten: no TLB
 * that is asked about holds them. An access takes O(log maxSize).
 */
export class AllSizes {
  readonly maxSize: number;
  /** Accesses that hit in TLBs of `depth` entries and more, by depth 1…maxSize; 0: hits in none. */
  readonly hitsAtDepth: Float64Array;
  accesses = 0;
  /** Fenwick tree over the places: how many are occupied, by a translation or by a hole. */
  readonly #tree: Int32Array;
  readonly #capacity: number;
  /** Key at each place; HOLE or EMPTY where there is none. */
  readonly #keyAt: Int32Array;
  readonly #placeOf = new Map<number, number>();
  /** Places of holes, a binary heap with the youngest on top; entries may be out of date. */
  readonly #holes: Int32Array;
  #holeCount = 0;
  #now = 0;
  #occupied = 0;

  constructor(maxSize: number) {
    this.maxSize = maxSize;
    this.hitsAtDepth = new Float64Array(maxSize + 1);
    this.#capacity = 2 ** Math.ceil(Math.log2(Math.max(64, maxSize * 8)));
    this.#tree = new Int32Array(this.#capacity + 1);
    this.#keyAt = new Int32Array(this.#capacity + 1).fill(EMPTY);
    this.#holes = new Int32Array(this.#capacity + 1);
  }

  /** Looks a translation up; the smallest size that holds it, 0 where none up to maxSize does. */
  access(key: number): number {
    this.accesses += 1;
    if (this.#now === this.#capacity) this.#renumber();
    const place = this.#placeOf.get(key);
    const depth = place === undefined ? 0 : this.#occupied - this.#countBelow(place);
    const counted = depth > this.maxSize ? 0 : depth;
    this.hitsAtDepth[counted]! += 1;
    this.#moveUp(key, place);
    return counted;
  }

  /** Invalidates a translation in every size; whether any could have held it. */
  drop(key: number): boolean {
    const place = this.#placeOf.get(key);
    if (place === undefined) return false;
    this.#placeOf.delete(key);
    this.#keyAt[place] = HOLE;
    this.#pushHole(place);
    return true;
  }

  /** Invalidates every translation: every entry of every size is free. */
  flushAll(): void {
    this.#placeOf.clear();
    this.#tree.fill(0);
    this.#keyAt.fill(EMPTY, 0, this.#now + 1);
    this.#holeCount = 0;
    this.#now = 0;
    this.#occupied = 0;
  }

  /** Invalidates the translations that `matches` says; how many. */
  dropWhere(matches: (key: number) => boolean): number {
    const keys = [...this.#placeOf.keys()].filter((key) => matches(key));
    for (const key of keys) this.drop(key);
    return keys.length;
  }

  /** Misses of a TLB of `size` entries. */
  misses(size: number): number {
    let hits = 0;
    for (let depth = 1; depth <= size; depth += 1) hits += this.hitsAtDepth[depth]!;
    return this.accesses - hits;
  }

  /** The translation comes to the top; the youngest hole above its old place is filled. */
  #moveUp(key: number, place: number | undefined): void {
    const hole = this.#youngestHole();
    if (place === undefined) {
      if (hole > 0) this.#fillHole(hole);
    } else if (hole > place) {
      this.#fillHole(hole);
      this.#keyAt[place] = HOLE;
      this.#pushHole(place);
    } else {
      this.#clear(place);
    }
    this.#now += 1;
    this.#keyAt[this.#now] = key;
    this.#placeOf.set(key, this.#now);
    this.#add(this.#now, 1);
    this.#occupied += 1;
  }

  #fillHole(place: number): void {
    this.#popHole();
    this.#clear(place);
  }

  #clear(place: number): void {
    this.#keyAt[place] = EMPTY;
    this.#add(place, -1);
    this.#occupied -= 1;
  }

  /** Gives the youngest `maxSize` places new numbers 1…; what is deeper no size holds. */
  #renumber(): void {
    const places: number[] = [];
    for (let at = this.#now; at > 0 && places.length < this.maxSize; at -= 1) {
      if (this.#keyAt[at] !== EMPTY) places.push(this.#keyAt[at]!);
    }
    this.flushAll();
    for (const key of places.toReversed()) {
      this.#now += 1;
      this.#keyAt[this.#now] = key;
      this.#add(this.#now, 1);
      this.#occupied += 1;
      if (key === HOLE) this.#pushHole(this.#now);
      else this.#placeOf.set(key, this.#now);
    }
  }

  #add(place: number, change: number): void {
    for (let at = place; at <= this.#capacity; at += at & -at) this.#tree[at]! += change;
  }

  /** Occupied places below `place`. */
  #countBelow(place: number): number {
    let sum = 0;
    for (let at = place - 1; at > 0; at &= at - 1) sum += this.#tree[at]!;
    return sum;
  }

  /** Place of the youngest hole, 0 where there is none. */
  #youngestHole(): number {
    return this.#holeCount === 0 ? 0 : this.#holes[1]!;
  }

  #pushHole(place: number): void {
    const heap = this.#holes;
    this.#holeCount += 1;
    let at = this.#holeCount;
    for (; at > 1 && heap[at >> 1]! < place; at >>= 1) heap[at] = heap[at >> 1]!;
    heap[at] = place;
  }

  #popHole(): void {
    const heap = this.#holes;
    const last = heap[this.#holeCount]!;
    this.#holeCount -= 1;
    let at = 1;
    for (;;) {
      let child = at * 2;
      if (child > this.#holeCount) break;
      if (child < this.#holeCount && heap[child + 1]! > heap[child]!) child += 1;
      if (heap[child]! <= last) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

const EMPTY = -1;
const HOLE = -2;
