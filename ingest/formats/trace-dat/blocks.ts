import type { RandomBytes } from "../../source/random-bytes.ts";
import type { CpuRegion } from "./contents.ts";
import type { DatProblems } from "./dat-problems.ts";

/** Whole pages of one CPU, one behind the other. Valid until the next block is asked for. */
export interface PageBlock {
  readonly bytes: Uint8Array;
  /** Offset in the file of the pages, or of the packed chunk that they came from. */
  readonly fileOffset: number;
  readonly isPacked: boolean;
  /** Something between the last block and this one could not be read. */
  readonly isAfterGap: boolean;
}

/** The pages of one CPU, from the first to the last that can be read. */
export interface PageBlocks {
  /** Undefined: there are no more. */
  next(): Promise<PageBlock | undefined>;
  /** After the last block: whether something behind it could not be read. */
  readonly endsInGap: boolean;
}

/** Pages as the kernel wrote them. */
export class PlainBlocks implements PageBlocks {
  endsInGap = false;
  readonly #file: RandomBytes;
  readonly #pageBytes: number;
  readonly #problems: DatProblems;
  readonly #buffer: Uint8Array;
  readonly #cpu: number;
  readonly #end: number;
  #at: number;

  /** @param blockBytes how much is read at once; at least a page is. */
  constructor(
    file: RandomBytes,
    region: CpuRegion,
    pageBytes: number,
    blockBytes: number,
    problems: DatProblems,
  ) {
    this.#file = file;
    this.#pageBytes = pageBytes;
    this.#problems = problems;
    this.#cpu = region.cpu;
    this.#at = region.offset;
    this.#end = region.offset + region.lengthBytes;
    const pages = Math.max(1, Math.floor(Math.min(blockBytes, region.lengthBytes) / pageBytes));
    this.#buffer = new Uint8Array(pages * pageBytes);
  }

  async next(): Promise<PageBlock | undefined> {
    const fileOffset = this.#at;
    const left = this.#end - fileOffset;
    if (left <= 0) return undefined;
    const wanted = this.#buffer.subarray(0, Math.min(left, this.#buffer.length));
    const got = await this.#file.readInto(wanted, fileOffset);
    const whole = got - (got % this.#pageBytes);
    this.#at = whole < wanted.length ? this.#end : fileOffset + whole;
    if (whole < wanted.length) this.#reportCut(fileOffset + whole);
    if (whole === 0) return undefined;
    const bytes = this.#buffer.subarray(0, whole);
    return { bytes, fileOffset, isPacked: false, isAfterGap: false };
  }

  #reportCut(offset: number): void {
    this.endsInGap = true;
    const missing = this.#end - offset;
    this.#problems.note(
      "TRUNCATED",
      `CPU ${this.#cpu}: ${missing} bytes of pages are not there or are no whole page`,
      offset,
    );
  }
}
