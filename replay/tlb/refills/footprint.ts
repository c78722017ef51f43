import type { PagesInUse } from "../../accesses/access-source.ts";

/** Pages of one context that the modelled guest may use: whatever the trace maps, in order of first sight. */
export class Footprint implements PagesInUse {
  /** Beyond this, pages are left out and counted: each vCPU's last visit of each is in memory. */
  static readonly MOST_PAGES: number = 2 ** 18;
  pages: Float64Array = new Float64Array(1024);
  length = 0;
  /** Pages that did not fit, each as often as it was mapped. */
  leftOut = 0;
  readonly #indexOf = new Map<number, number>();

  addRange(page: number, pages: number): void {
    for (let at = page; at < page + pages; at += 1) {
      if (this.length < Footprint.MOST_PAGES) this.add(at);
      else if (!this.#indexOf.has(at)) this.leftOut += 1;
    }
  }

  indexOf(page: number): number {
    return this.#indexOf.get(page) ?? -1;
  }

  has(page: number): boolean {
    return this.#indexOf.has(page);
  }

  /** Index of a page, which is added where it is new. */
  add(page: number): number {
    const known = this.#indexOf.get(page);
    if (known !== undefined) return known;
    const index = this.length;
    if (index === this.pages.length) {
      const grown = new Float64Array(index * 2);
      grown.set(this.pages);
      this.pages = grown;
    }
    this.pages[index] = page;
    this.#indexOf.set(page, index);
    this.length = index + 1;
    return index;
  }
}
