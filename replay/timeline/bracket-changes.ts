import { grown } from "../typed-arrays.ts";

/** Ranges of pages that one open bracket changed; `isKept`: mapped again or still at its end. */
export class BracketChanges {
  length = 0;
  page: Float64Array = new Float64Array(16);
  pages: Float64Array = new Float64Array(16);
  isKept: Uint8Array = new Uint8Array(16);

  add(page: number, pages: number, isKept: boolean): void {
    const last = this.length - 1;
    const kept = isKept ? 1 : 0;
    const lastEnd = last < 0 ? Number.NaN : this.page[last]! + this.pages[last]!;
    if (lastEnd === page && this.isKept[last] === kept) {
      this.pages[last]! += pages;
      return;
    }
    if (this.length === this.page.length) this.#grow();
    this.page[this.length] = page;
    this.pages[this.length] = pages;
    this.isKept[this.length] = kept;
    this.length += 1;
  }

  clear(): void {
    this.length = 0;
  }

  #grow(): void {
    const capacity = this.page.length * 2;
    this.page = grown(this.page, new Float64Array(capacity));
    this.pages = grown(this.pages, new Float64Array(capacity));
    this.isKept = grown(this.isKept, new Uint8Array(capacity));
  }
}
