/** Pages of one chunk: 4 KiB of bits. */
const CHUNK_PAGES = 32_768;

/** A set of pages of an IPA space, one bit each: 6 MB for 192 GiB of 4 KiB pages that are all in it. */
export class PageSet {
  readonly #chunks = new Map<number, Uint32Array>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(page: number): boolean {
    const bits = this.#chunks.get(Math.floor(page / CHUNK_PAGES));
    if (bits === undefined) return false;
    const at = page % CHUNK_PAGES;
    return ((bits[at >>> 5]! >>> (at & 31)) & 1) === 1;
  }

  /** False where it was in the set already. */
  add(page: number): boolean {
    const number = Math.floor(page / CHUNK_PAGES);
    let bits = this.#chunks.get(number);
    if (bits === undefined) {
      bits = new Uint32Array(CHUNK_PAGES >>> 5);
      this.#chunks.set(number, bits);
    }
    const at = page % CHUNK_PAGES;
    const mask = 1 << (at & 31);
    const word = bits[at >>> 5]!;
    if ((word & mask) !== 0) return false;
    bits[at >>> 5] = word | mask;
    this.#size += 1;
    return true;
  }

  delete(page: number): void {
    if (!this.has(page)) return;
    const at = page % CHUNK_PAGES;
    this.#chunks.get(Math.floor(page / CHUNK_PAGES))![at >>> 5]! &= ~(1 << (at & 31));
    this.#size -= 1;
  }

  /** Takes out all pages of a range: half open. */
  deleteRange(page: number, endPage: number): void {
    for (const [number, bits] of this.#chunks) {
      const first = number * CHUNK_PAGES;
      const from = Math.max(page, first);
      const to = Math.min(endPage, first + CHUNK_PAGES);
      if (from >= to) continue;
      if (from === first && to === first + CHUNK_PAGES) {
        for (const word of bits) this.#size -= ones(word);
        this.#chunks.delete(number);
      } else for (let at = from; at < to; at += 1) this.delete(at);
    }
  }

  clear(): void {
    this.#chunks.clear();
    this.#size = 0;
  }
}

/** Bits that are set in 32. */
export function ones(word: number): number {
  let rest = word - ((word >>> 1) & 0x5555_5555);
  rest = (rest & 0x3333_3333) + ((rest >>> 2) & 0x3333_3333);
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
