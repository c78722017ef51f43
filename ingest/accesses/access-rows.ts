import { type AccessBatch, createAccessBatch, FETCH, WRITE } from "./access-batch.ts";
import { type PageBytes, PageNumbers } from "./page-numbers.ts";

/** Largest access that is believed; more is damage. A page-sized DC ZVA or a vector gather is smaller. */
export const MAX_ACCESS_BYTES: number = 64 * 1024;
/** Most rows that one access can fill: pages of 4 KiB, and one where it begins inside a page. */
const ROWS_PER_ACCESS = MAX_ACCESS_BYTES / 4096 + 1;
/** Most accesses that one record holds (ChampSim: four sources, two destinations and the fetch). */
const ACCESSES_PER_RECORD = 7;
const MAX_REPEAT = 0xffffffff;

/** What was read, in numbers. */
export interface AccessCounts {
  readonly reads: number;
  readonly writes: number;
  readonly fetches: number;
  /** Accesses that touch more than one page: each of their pages is a row. */
  readonly splitAccesses: number;
  /** Records that are no access (markers, flushes, prefetches, branches without operands). */
  readonly others: number;
}

/** Writes accesses into a batch; neighbours of one thread, page and kind become one row. */
export class AccessRows {
  readonly batch: AccessBatch = createAccessBatch();
  readonly pages: PageNumbers;
  /** Of the next access. */
  tsNs: number = Number.NaN;
  thread = 0;
  space = 0;
  record = 0;
  reads = 0;
  writes = 0;
  fetches = 0;
  splitAccesses = 0;
  others = 0;
  readonly #withFetches: boolean;

  constructor(pageBytes: PageBytes, withFetches: boolean) {
    this.pages = new PageNumbers(pageBytes);
    this.#withFetches = withFetches;
  }

  /** Whether one more record fits. */
  get hasRoom(): boolean {
    return this.batch.length <= this.batch.capacity - ROWS_PER_ACCESS * ACCESSES_PER_RECORD;
  }

  counts(): AccessCounts {
    const { reads, writes, fetches, splitAccesses, others } = this;
    return { reads, writes, fetches, splitAccesses, others };
  }

  /**
   * One access.
   * @param high upper 32 bits of the address, `low` the lower ones; signed or not.
   * @param sizeBytes 0 and 1 touch one page.
   * @param repeat 1…2^32 − 1 such accesses, one after the other.
   * @returns false where that is no access: the address or the size cannot be.
   */
  add(kind: number, high: number, low: number, sizeBytes: number, repeat = 1): boolean {
    const { pages } = this;
    if (!(sizeBytes <= MAX_ACCESS_BYTES) || !pages.set(high, low)) return false;
    const more = Math.floor((pages.offset + Math.max(sizeBytes, 1) - 1) / pages.pageBytes);
    const { page } = pages;
    if (more > 0 && (page + more >= pages.end || crosses(page, more, pages.upperHalf))) {
      return false;
    }
    if (more > 0) this.splitAccesses += 1;
    this.#count(kind, repeat);
    if (kind === FETCH && !this.#withFetches) return true;
    for (let i = 0; i <= more; i += 1) this.#put(kind, page + i, repeat);
    return true;
  }

  #count(kind: number, times: number): void {
    if (kind === FETCH) this.fetches += times;
    else if (kind === WRITE) this.writes += times;
    else this.reads += times;
  }

  #put(kind: number, page: number, repeat: number): void {
    const { batch, tsNs } = this;
    const last = batch.length - 1;
    if (
      last >= 0 &&
      batch.page[last] === page &&
      batch.kind[last] === kind &&
      batch.thread[last] === this.thread &&
      batch.space[last] === this.space &&
      Object.is(batch.tsNs[last], tsNs) &&
      batch.repeat[last]! <= MAX_REPEAT - repeat
    ) {
      batch.repeat[last] = batch.repeat[last]! + repeat;
      return;
    }
    const row = batch.length;
    batch.tsNs[row] = tsNs;
    batch.thread[row] = this.thread;
    batch.space[row] = this.space;
    batch.page[row] = page;
    batch.kind[row] = kind;
    batch.repeat[row] = repeat;
    batch.record[row] = this.record;
    batch.length = row + 1;
  }
}

function crosses(page: number, more: number, border: number): boolean {
  return page < border && page + more >= border;
}
