/**
 * How many places of a span are occupied: a Fenwick tree. Walks from two places stop where they meet, so
 * what is near costs little.
 */
export class PlaceCounts {
  private readonly capacity: number;
  private readonly tree: Int32Array;

  /** @param capacity places 1…capacity, a power of two. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.tree = new Int32Array(capacity + 1);
  }

  add(place: number): void {
    const { tree, capacity } = this;
    for (let at = place; at <= capacity; at += at & -at) tree[at]! += 1;
  }

  /** One place is free and another occupied. */
  move(from: number, to: number): void {
    const tree = this.tree;
    let down = from;
    let up = to;
    while (down !== up) {
      if (down < up) {
        tree[down]! -= 1;
        down += down & -down;
      } else {
        tree[up]! += 1;
        up += up & -up;
      }
    }
  }

  /** Occupied places above `below` up to `last`. */
  between(below: number, last: number): number {
    const tree = this.tree;
    let sum = 0;
    let high = last;
    let low = below;
    while (high > low) {
      sum += tree[high]!;
      high &= high - 1;
    }
    while (low > high) {
      sum -= tree[low]!;
      low &= low - 1;
    }
    return sum;
  }

  /** Places 1…count are occupied and no others. */
  occupyFirst(count: number): void {
    for (let at = 1; at <= this.capacity; at += 1) {
      const from = at & (at - 1);
      this.tree[at] = Math.max(0, Math.min(at, count) - from);
    }
  }
}
