const NONE = -1;

/**
 * Where each key was last: an open hash without removal. The owner sees for itself whether the key is
 * still at its place, and clears the table now and then.
 */
export class PlaceTable {
  /** Pairs of a key and its place. */
  private readonly pairs: Int32Array;
  private readonly shift: number;
  private readonly mask: number;

  /** @param keys a power of two; the table never holds more between two calls of `clear`. */
  constructor(keys: number) {
    this.pairs = new Int32Array(keys * 4).fill(NONE);
    this.mask = keys * 4 - 2;
    this.shift = 31 - Math.log2(keys);
  }

  /** Where the key stands, or where it is to be put. */
  slotOf(key: number): number {
    const { pairs, mask } = this;
    let slot = (Math.imul(key, 0x9e37_79b1) >>> this.shift) << 1;
    for (;;) {
      const there = pairs[slot]!;
      if (there === key || there === NONE) return slot;
      slot = (slot + 2) & mask;
    }
  }

  /** Place of the slot's key; below 0 where the slot is free. */
  placeAt(slot: number): number {
    return this.pairs[slot + 1]!;
  }

  put(slot: number, key: number, place: number): void {
    this.pairs[slot] = key;
    this.pairs[slot + 1] = place;
  }

  clear(): void {
    this.pairs.fill(NONE);
  }
}
