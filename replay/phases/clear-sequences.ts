import type { ClearInput } from "../migration/inputs.ts";

/** QEMU's x-clear-bitmap-shift of 18: pages that one CLEAR_DIRTY_LOG covers where nothing else is known. */
const DEFAULT_CHUNK_PAGES = 262_144;

/** A GET or CLEAR_DIRTY_LOG that is going on: mask words of one memslot, ascending, on one thread. */
export interface OpenClear {
  readonly pid: number;
  readonly line: number;
  readonly startNs: number;
  endNs: number;
  readonly basePage: number;
  /** NaN: the memslot was not seen. */
  readonly slotPages: number;
  /** Offsets in the memslot, in pages; the end is that of the last word. */
  readonly firstOffset: number;
  lastOffset: number;
  words: number;
  pages: number;
}

/** Pages of a mask word. */
export const WORD_PAGES = 64;

export function clearOf(open: OpenClear, isInBlackout: boolean): ClearInput {
  const { basePage, firstOffset, lastOffset, startNs, endNs, line, words, pages } = open;
  return {
    startNs,
    endNs,
    line,
    slotPages: open.slotPages,
    firstPage: basePage + firstOffset,
    endPage: basePage + lastOffset + WORD_PAGES,
    words,
    pages,
    isInBlackout,
  };
}

/**
 * Tells passes apart. A VMM clears each part of its memory at most once a pass, in chunks (QEMU 1 GiB; a GET
 * takes the whole memslot): a chunk that is cleared again begins the next pass.
 */
export class PassCounter {
  readonly #given: number | undefined;
  #chunkPages: number | undefined;
  /** Chunks of this pass, by the first page of their memslot. */
  readonly #visited = new Map<number, Set<number>>();

  /** @param chunkPages as the user knows it; undefined: learned from the first clear, which is a whole chunk. */
  constructor(chunkPages: number | undefined) {
    this.#given = chunkPages;
  }

  get chunkPages(): number {
    return this.#given ?? this.#chunkPages ?? DEFAULT_CHUNK_PAGES;
  }

  /** A clear begins; true where it is the first of another pass. */
  begins(basePage: number, offset: number): boolean {
    const chunk = Math.floor(offset / this.chunkPages);
    const isAgain = this.#visited.get(basePage)?.has(chunk) === true;
    if (isAgain) this.#visited.clear();
    this.#visit(basePage, chunk);
    return isAgain;
  }

  /**
   * A clear ended: what it spanned was visited. `isAll`: it took everything that is to be cleared in its chunk,
   * as in the first pass over a bitmap that begins set, and so tells how long a chunk is.
   */
  ended(open: OpenClear, isAll: boolean): void {
    const endOffset = open.lastOffset + WORD_PAGES;
    const span = endOffset - open.firstOffset;
    const isFull = open.pages >= Math.min(span, open.slotPages - open.firstOffset);
    const isPart = endOffset < open.slotPages;
    if (isAll && this.#chunkPages === undefined && open.firstOffset === 0 && isFull && isPart) {
      this.#chunkPages = 2 ** Math.ceil(Math.log2(span));
    }
    const { chunkPages } = this;
    const last = Math.floor(open.lastOffset / chunkPages);
    for (let chunk = Math.floor(open.firstOffset / chunkPages); chunk <= last; chunk += 1) {
      this.#visit(open.basePage, chunk);
    }
  }

  reset(): void {
    this.#visited.clear();
  }

  #visit(basePage: number, chunk: number): void {
    const chunks = this.#visited.get(basePage);
    if (chunks === undefined) this.#visited.set(basePage, new Set([chunk]));
    else chunks.add(chunk);
  }
}
