import { Xorshift32 } from "../accesses/reference-streams.ts";
import type { Replacement } from "./tlb-array.ts";

/** Chooses the way of a full set that gives way. LRU is not among them: its arrays keep their own order. */
export interface Victims {
  /** A way is used: found, or just filled. */
  used(set: number, way: number): void;
  filled(set: number, way: number): void;
  victimOf(set: number): number;
}

/** The way that was filled first. */
class FirstIn implements Victims {
  readonly #ways: number;
  /** Number of each way's fill. */
  readonly #filledAt: Float64Array;
  #fills = 0;

  constructor(sets: number, ways: number) {
    this.#ways = ways;
    this.#filledAt = new Float64Array(sets * ways);
  }

  used(): void {
    // Only fills count.
  }

  filled(set: number, way: number): void {
    this.#fills += 1;
    this.#filledAt[set * this.#ways + way] = this.#fills;
  }

  victimOf(set: number): number {
    const first = set * this.#ways;
    let oldest = 0;
    for (let way = 1; way < this.#ways; way += 1) {
      if (this.#filledAt[first + way]! < this.#filledAt[first + oldest]!) oldest = way;
    }
    return oldest;
  }
}

/**
 * A binary tree over the ways; each node points to the half that was not used last, and the victim is
 * where the pointers lead. Where the ways are no power of two, the tree is that of the next one, and a
 * node whose right half has no ways always leads to the left.
 */
class TreePlru implements Victims {
  readonly #ways: number;
  /** Leaves of the tree: ways rounded up to a power of two. */
  readonly #leaves: number;
  /** By set, node 1…leaves−1 as in a heap: 1 points to the right. */
  readonly #pointers: Uint8Array;

  constructor(sets: number, ways: number) {
    this.#ways = ways;
    this.#leaves = 2 ** Math.ceil(Math.log2(ways));
    this.#pointers = new Uint8Array(sets * this.#leaves);
  }

  used(set: number, way: number): void {
    const first = set * this.#leaves;
    for (let node = this.#leaves + way; node > 1; node >>= 1) {
      this.#pointers[first + (node >> 1)] = (node & 1) === 0 ? 1 : 0;
    }
  }

  filled(): void {
    // A fill is a use.
  }

  victimOf(set: number): number {
    const first = set * this.#leaves;
    let node = 1;
    let from = 0;
    for (let half = this.#leaves >> 1; half > 0; half >>= 1) {
      const right = this.#pointers[first + node] === 1 && from + half < this.#ways;
      node = node * 2 + (right ? 1 : 0);
      if (right) from += half;
    }
    return from;
  }
}

/** Any way, as a seeded generator says. */
class AnyWay implements Victims {
  readonly #ways: number;
  readonly #random: Xorshift32;

  constructor(ways: number, seed: number) {
    this.#ways = ways;
    this.#random = new Xorshift32(seed);
  }

  used(): void {
    // Nothing is remembered.
  }

  filled(): void {
    // Nothing is remembered.
  }

  victimOf(): number {
    return this.#random.next() % this.#ways;
  }
}

/** @param seed not 0; of `random`. */
export function victimsBy(
  replacement: Exclude<Replacement, "lru">,
  sets: number,
  ways: number,
  seed: number,
): Victims {
  if (replacement === "fifo") return new FirstIn(sets, ways);
  return replacement === "tree-plru" ? new TreePlru(sets, ways) : new AnyWay(ways, seed);
}
