/**
 * Translations as whole numbers below 2^31: the key keeps the low bits of the page number, which choose
 * the set, and stands for address space, page size and the page's high bits by a number given out at
 * first use. A footprint of 2^31 pages fits; one table serves all pools of a model.
 */
export class PageKeys {
  readonly #regions = new Map<number, number>();
  readonly #spaces: number[] = [];
  readonly #sizes: number[] = [];
  readonly #highPages: number[] = [];
  /** The regions asked for last, by a hash: no Map is asked for the pages of a hot region. */
  readonly #recentNames = new Float64Array(RECENT).fill(-1);
  readonly #recentRegions = new Int32Array(RECENT);

  /**
   * @param space 0…65535: an address space (a VM's IPA, or VA of one ASID).
   * @param size 0…7: class of the page size.
   * @param page page number in units of that size, below 2^40.
   * @throws RangeError where the trace touches more than 2^19 regions of 4096 pages.
   */
  keyOf(space: number, size: number, page: number): number {
    // Products with powers of two are exact, and quicker than a remainder of what may exceed 32 bits.
    const high = Math.floor(page * REGIONS_PER_PAGE);
    const low = page - high * REGION_PAGES;
    const name = (high * SIZES + size) * SPACES + space;
    const mixed = (high << 3) ^ size ^ Math.imul(space, 0x2545_f491);
    const slot = Math.imul(mixed, 0x9e37_79b1) >>> RECENT_SHIFT;
    if (this.#recentNames[slot] === name) return this.#recentRegions[slot]! + low;
    const region = this.#regionOf(name, space, size, high);
    this.#recentNames[slot] = name;
    this.#recentRegions[slot] = region;
    return region + low;
  }

  /** The key where one of its region was given out, else −1: no array can hold it. */
  knownKeyOf(space: number, size: number, page: number): number {
    const low = page % REGION_PAGES;
    const region = this.#regions.get(
      (((page - low) / REGION_PAGES) * SIZES + size) * SPACES + space,
    );
    return region === undefined ? -1 : region + low;
  }

  spaceOf(key: number): number {
    return this.#spaces[key >>> REGION_BITS]!;
  }

  sizeOf(key: number): number {
    return this.#sizes[key >>> REGION_BITS]!;
  }

  /** Page number in units of the key's size. */
  pageOf(key: number): number {
    return this.#highPages[key >>> REGION_BITS]! * REGION_PAGES + (key & (REGION_PAGES - 1));
  }

  #regionOf(name: number, space: number, size: number, high: number): number {
    const known = this.#regions.get(name);
    if (known !== undefined) return known;
    const number = this.#spaces.length;
    if (number === MAX_REGIONS) throw new RangeError("more than 2^31 pages in a modelled TLB");
    this.#spaces.push(space);
    this.#sizes.push(size);
    this.#highPages.push(high);
    this.#regions.set(name, number * REGION_PAGES);
    return number * REGION_PAGES;
  }
}

const REGION_BITS = 12;
/** Pages that follow one another have keys that do, up to the next multiple of this. */
export const REGION_PAGES: number = 2 ** REGION_BITS;
const REGIONS_PER_PAGE = 1 / REGION_PAGES;
const MAX_REGIONS = 2 ** (31 - REGION_BITS);
const SPACES = 2 ** 16;
const SIZES = 8;
const RECENT = 1024;
const RECENT_SHIFT = 22;
