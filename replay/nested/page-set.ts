/** Pages as ranges that do not touch: sorted, and found by halves. */
export class PageSet {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  add(startPage: number, endPage: number): void {
    if (!(startPage < endPage)) return;
    const first = this.#firstEndingFrom(startPage);
    let last = first;
    let [start, end] = [startPage, endPage];
    while (last < this.#starts.length && this.#starts[last]! <= endPage) {
      start = Math.min(start, this.#starts[last]!);
      end = Math.max(end, this.#ends[last]!);
      last += 1;
    }
    this.#starts.splice(first, last - first, start);
    this.#ends.splice(first, last - first, end);
  }

  /** Whether any page of [startPage, endPage) is in it. */
  overlaps(startPage: number, endPage: number): boolean {
    if (!(startPage < endPage)) return false;
    const at = this.#firstEndingFrom(startPage + 1);
    return at < this.#starts.length && this.#starts[at]! < endPage;
  }

  /** The first range that ends at `page` or behind it. */
  #firstEndingFrom(page: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! >= page) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
