/**
 * Kernel pointers as small ids: equal pointers get equal ids, 0 stands for NULL or absent.
 *
 * Open addressing over two Uint32 halves; grows by doubling. A trace has as many distinct pointers as
 * it has VMs and slots, so the table stays small; it never forgets, so ids are stable for the trace.
 */
export class PointerTable {
  #high = new Uint32Array(64);
  #low = new Uint32Array(64);
  /** Open-addressed slots holding id (0: empty). */
  #slots = new Uint32Array(128);
  #count = 0;

  /** Number of distinct pointers so far; ids are 1…count. */
  get count(): number {
    return this.#count;
  }

  /** Id of the pointer with these 32-bit halves; 0 for NULL. */
  intern(high: number, low: number): number {
    if (high === 0 && low === 0) return 0;
    const mask = this.#slots.length - 1;
    let slot = hashHalves(high, low) & mask;
    for (;;) {
      const id = this.#slots[slot]!;
      if (id === 0) return this.#insert(slot, high, low);
      if (this.#low[id] === low && this.#high[id] === high) return id;
      slot = (slot + 1) & mask;
    }
  }

  /** The pointer as the kernel prints it, `0xffff80008258d000`; `0x0` for id 0. */
  text(id: number): string {
    return `0x${this.value(id).toString(16)}`;
  }

  /** Upper and lower 32 bits. */
  high(id: number): number {
    return id === 0 ? 0 : this.#high[id]!;
  }

  low(id: number): number {
    return id === 0 ? 0 : this.#low[id]!;
  }

  value(id: number): bigint {
    if (id === 0) return 0n;
    return (BigInt(this.#high[id]!) << 32n) | BigInt(this.#low[id]!);
  }

  #insert(slot: number, high: number, low: number): number {
    this.#count += 1;
    const id = this.#count;
    if (id >= this.#low.length) this.#growValues();
    this.#high[id] = high;
    this.#low[id] = low;
    this.#slots[slot] = id;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #growValues(): void {
    const high = new Uint32Array(this.#high.length * 2);
    const low = new Uint32Array(high.length);
    high.set(this.#high);
    low.set(this.#low);
    this.#high = high;
    this.#low = low;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 1; id <= this.#count; id += 1) {
      let slot = hashHalves(this.#high[id]!, this.#low[id]!) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.#slots = slots;
  }
}

function hashHalves(high: number, low: number): number {
  return Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b) >>> 7;
}
