/** A set of small numbers that knows its largest: bits, and above each 32 of them one that says "some". */
export class YoungestBits {
  private readonly bits: Int32Array;
  private readonly some: Int32Array;
  private readonly top: Int32Array;

  /** @param end numbers 0…end−1, at most 2^20. */
  constructor(end: number) {
    if (end > 2 ** 20) throw new RangeError(`${end} places: more than 2^20`);
    this.bits = new Int32Array((end >> 5) + 1);
    this.some = new Int32Array((end >> 10) + 1);
    this.top = new Int32Array((end >> 15) + 1);
  }

  add(number: number): void {
    const word = number >> 5;
    this.bits[word]! |= 1 << (number & 31);
    this.some[word >> 5]! |= 1 << (word & 31);
    this.top[word >> 10]! |= 1 << ((word >> 5) & 31);
  }

  remove(number: number): void {
    const word = number >> 5;
    const left = this.bits[word]! & ~(1 << (number & 31));
    this.bits[word] = left;
    if (left !== 0) return;
    const leftWords = this.some[word >> 5]! & ~(1 << (word & 31));
    this.some[word >> 5] = leftWords;
    if (leftWords === 0) this.top[word >> 10]! &= ~(1 << ((word >> 5) & 31));
  }

  /** The largest number, 0 where there is none. */
  youngest(): number {
    const { top } = this;
    let at = top.length - 1;
    while (at > 0 && top[at] === 0) at -= 1;
    if (top[at] === 0) return 0;
    const group = (at << 5) + 31 - Math.clz32(top[at]!);
    const word = (group << 5) + 31 - Math.clz32(this.some[group]!);
    return (word << 5) + 31 - Math.clz32(this.bits[word]!);
  }

  clear(): void {
    this.bits.fill(0);
    this.some.fill(0);
    this.top.fill(0);
  }
}
