/** Where the upper half of the address space begins in the numbering below. */
const UPPER_HALF = 0x100000;
const ALL_ONES = 0xfff;
const TWO_32 = 4294967296;

/** Page sizes of arm64, in bytes. */
export const PAGE_SIZES = [4096, 16_384, 65_536] as const;
export type PageBytes = (typeof PAGE_SIZES)[number];

/**
 * Page numbers of 64-bit addresses. A VA lies in the lower half (bits 63…52 clear: TTBR0, user) or in the
 * upper half (all set: TTBR1, kernel) of the address space; the pages of the upper half are numbered
 * behind those of the lower half, so that every number is exact and below 2^41. A top byte that is neither
 * 0 nor 0xff is taken for a tag (TBI, MTE) where the bits below it fit, as the hardware does.
 */
export class PageNumbers {
  readonly pageBytes: PageBytes;
  /** Of the last address: first page. */
  page = 0;
  /** Of the last address: bytes from the beginning of the page. */
  offset = 0;
  /** Addresses whose top byte was taken for a tag. */
  tagged = 0;
  readonly #shift: number;
  readonly #pagesPer32: number;

  constructor(pageBytes: PageBytes) {
    this.pageBytes = pageBytes;
    this.#shift = Math.log2(pageBytes);
    this.#pagesPer32 = TWO_32 / pageBytes;
  }

  /** Sets `page` and `offset`; false: no address of either half. Halves may be signed. */
  set(high: number, low: number): boolean {
    const top = high >>> 20;
    let upper = 0;
    if (top !== 0) {
      if (top === ALL_ONES) upper = UPPER_HALF;
      else if ((top & 0xf) === 0xf) upper = UPPER_HALF;
      else if ((top & 0xf) !== 0) return false;
      if (top !== ALL_ONES) this.tagged += 1;
    }
    this.page = ((high & 0xfffff) + upper) * this.#pagesPer32 + (low >>> this.#shift);
    this.offset = low & (this.pageBytes - 1);
    return true;
  }

  /** First page number behind the last. */
  get end(): number {
    return 2 * UPPER_HALF * this.#pagesPer32;
  }

  /** First page of the upper half. */
  get upperHalf(): number {
    return UPPER_HALF * this.#pagesPer32;
  }
}
