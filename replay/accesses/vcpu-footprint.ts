/**
 * The pages that one vCPU uses of a footprint in which a share is common to all and each other page belongs
 * to one vCPU. Whose a page is does not change when the footprint grows.
 */
export class VcpuFootprint {
  readonly #vcpu: number;
  readonly #vcpus: number;
  readonly #sharing: number;

  /** @param sharing 0: nothing is common; 1: everything. */
  constructor(vcpu: number, vcpus: number, sharing: number) {
    const isSound = vcpu >= 0 && vcpu < vcpus && sharing >= 0 && sharing <= 1;
    if (!isSound) throw new RangeError(`vCPU ${vcpu} of ${vcpus}, sharing ${sharing}`);
    this.#vcpu = vcpu;
    this.#vcpus = vcpus;
    this.#sharing = sharing;
  }

  /** How many of the first `pages` pages this vCPU uses. */
  countOf(pages: number): number {
    const common = Math.floor(pages * this.#sharing);
    const own = Math.floor((pages - common - this.#vcpu + this.#vcpus - 1) / this.#vcpus);
    return common + own;
  }

  /** The page that is this vCPU's `index`-th, counted from 0. */
  pageOf(index: number): number {
    // `countOf` is within 2 of this share of the pages.
    const density = this.#sharing + (1 - this.#sharing) / this.#vcpus;
    let low = Math.max(index, Math.floor((index - SLACK) / density));
    let high = Math.ceil((index + 1 + SLACK) / density);
    // The first page up to which one more than `index` are used.
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.countOf(middle + 1) > index) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

const SLACK = 3;
