import type { PageBlock, PageBlocks } from "./blocks.ts";
import type { DatProblems } from "./dat-problems.ts";
import { FAULT_TEXTS, PageCursor, PageFault } from "./page-cursor.ts";
import type { PageLayout } from "./page-layout.ts";
import { isExact, type TimeBase } from "./time-base.ts";
import type { TimeCorrection } from "./time-correction.ts";

/** The events of one CPU, in the order in which it wrote them. */
export class CpuStream {
  readonly cpu: number;
  /** The record that the stream stands at; only after `advance` or `load` gave true. */
  readonly cursor: PageCursor;
  /** Time of that record, relative to the time base; never before the record in front of it. */
  timeNs: number = Number.NEGATIVE_INFINITY;
  /** The same with what the file says is to be done with its times; equal where it says nothing. */
  orderNs: number = Number.NEGATIVE_INFINITY;
  /** Undefined: the file says nothing. To be set before the first record is asked for. */
  correction: TimeCorrection | undefined;
  view: DataView = new DataView(new ArrayBuffer(0));
  /** The next page's stamp: no record of this page is later. */
  limitNs: number = Number.POSITIVE_INFINITY;
  /** Records of this CPU that have been used; kept by the one who uses them. */
  recordCount = 0;
  /** The kernel lost events in front of the record: how many, NaN unknown, -1 none. */
  missedCount = -1;
  /** Damage, already reported, cost events in front of the record or of the end. */
  isAfterDamage = false;
  readonly #blocks: PageBlocks;
  readonly #layout: PageLayout;
  readonly #base: TimeBase;
  readonly #problems: DatProblems;
  #block: PageBlock | undefined;
  #pageAt = 0;
  #isInPage = false;
  #isAtEnd = false;
  #reportedPage = -1;

  constructor(
    cpu: number,
    blocks: PageBlocks,
    layout: PageLayout,
    base: TimeBase,
    problems: DatProblems,
  ) {
    this.cpu = cpu;
    this.#blocks = blocks;
    this.#layout = layout;
    this.#base = base;
    this.#problems = problems;
    this.cursor = new PageCursor(layout, base);
  }

  /** Reads the first block without stepping into it; gives stamps of its pages, high and low in turn. */
  async peekStamps(): Promise<readonly number[]> {
    this.#block = await this.#nextBlock();
    const stamps: number[] = [];
    const { littleEndian, pageBytes, timeAt } = this.#layout;
    const pages = Math.min(4, (this.#block?.bytes.length ?? 0) / pageBytes);
    for (let page = 0; page < pages; page += 1) {
      const at = page * pageBytes + timeAt;
      const first = this.view.getUint32(at, littleEndian);
      const second = this.view.getUint32(at + 4, littleEndian);
      stamps.push(littleEndian ? second : first, littleEndian ? first : second);
    }
    return stamps;
  }

  /** To the next record in what has been read. False: `load` is needed. */
  advance(): boolean {
    const { cursor } = this;
    for (;;) {
      if (this.#isInPage) {
        if (cursor.advance()) {
          const time = cursor.timeNs;
          if (time >= this.timeNs && time <= this.limitNs) this.timeNs = time;
          else this.#mendTime(time);
          if (this.correction === undefined) this.orderNs = this.timeNs;
          else this.#correct(this.correction);
          return true;
        }
        this.#isInPage = false;
        if (cursor.fault !== PageFault.none) this.#reportFault();
        this.#pageAt += this.#layout.pageBytes;
      }
      if (!this.#openPage()) return false;
    }
  }

  /** Reads on until there is a record. False: the CPU has no more. */
  async load(): Promise<boolean> {
    while (!this.#isAtEnd) {
      this.#block = await this.#nextBlock();
      if (this.#block === undefined) {
        this.#isAtEnd = true;
        if (this.#blocks.endsInGap) this.isAfterDamage = true;
        return false;
      }
      if (this.advance()) return true;
    }
    return false;
  }

  /** Offset of the record that the stream stands at, in the file or (packed) of its chunk. */
  get byteOffset(): number {
    return this.#offsetOf(this.cursor.payloadAt);
  }

  async #nextBlock(): Promise<PageBlock | undefined> {
    const block = await this.#blocks.next();
    this.#pageAt = 0;
    this.#isInPage = false;
    if (block === undefined) return undefined;
    const { bytes } = block;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (block.isAfterGap) this.isAfterDamage = true;
    return block;
  }

  /** The next page that can be opened; false at the block's end. */
  #openPage(): boolean {
    const { pageBytes } = this.#layout;
    const length = this.#block?.bytes.length ?? 0;
    const { cursor } = this;
    while (this.#pageAt + pageBytes <= length) {
      if (cursor.open(this.view, this.#pageAt)) {
        this.#beginPage(length);
        return true;
      }
      this.#reportFault();
      this.#pageAt += pageBytes;
    }
    return false;
  }

  #beginPage(length: number): void {
    const { cursor } = this;
    const { header } = cursor;
    this.#isInPage = true;
    if (header.missed) this.#addMissed(header.missedCount);
    const nextNs = this.#nextStamp(length);
    // A next stamp before this CPU's last event is itself wrong and limits nothing.
    this.limitNs = nextNs >= this.timeNs && isExact(nextNs) ? nextNs : Number.POSITIVE_INFINITY;
    if (header.stampNs >= this.timeNs && header.stampNs <= this.limitNs) return;
    if (header.stampNs > this.limitNs) {
      this.#reportTime("its time stamp is later than that of the next page");
      cursor.timeNs = this.timeNs === Number.NEGATIVE_INFINITY ? this.limitNs : this.timeNs;
    } else {
      this.#problems.note(
        "TIME_BACKWARDS",
        `CPU ${this.cpu}: a page begins ${this.timeNs - header.stampNs} ns before the event in front of it`,
        this.#offsetOf(this.#pageAt),
      );
      this.timeNs = header.stampNs;
    }
  }

  /** Stamp of the page behind this one, if it is in the block; otherwise infinite. */
  #nextStamp(length: number): number {
    const { littleEndian, pageBytes, timeAt } = this.#layout;
    const at = this.#pageAt + pageBytes + timeAt;
    if (at - timeAt + pageBytes > length) return Number.POSITIVE_INFINITY;
    const first = this.view.getUint32(at, littleEndian);
    const second = this.view.getUint32(at + 4, littleEndian);
    return this.#base.relative(littleEndian ? second : first, littleEndian ? first : second);
  }

  /** A record cannot be earlier than the one before it, nor later than the next page begins. */
  #mendTime(time: number): void {
    this.#reportTime(
      time < this.timeNs
        ? "a record's time runs backwards"
        : "a record is later than the next page",
    );
    if (time > this.limitNs) this.timeNs = Math.max(this.timeNs, this.limitNs);
    this.cursor.timeNs = this.timeNs;
  }

  /** The kernel's own order is kept: a correction that sets a CPU's time back is told of. */
  #correct(correction: TimeCorrection): void {
    const corrected = correction.apply(this.timeNs, this.cpu);
    if (!isExact(corrected)) {
      this.#reportTime("corrected as the file says, a time is over 104 days from the others");
      this.orderNs = Math.max(this.orderNs, 0);
      return;
    }
    if (corrected < this.orderNs) {
      const what = `the file's own corrections set its time back by ${this.orderNs - corrected} ns`;
      this.#problems.note("TIME_BACKWARDS", `CPU ${this.cpu}: ${what}`, this.byteOffset);
    }
    this.orderNs = corrected;
  }

  #reportTime(what: string): void {
    if (this.#reportedPage === this.#offsetOf(this.#pageAt)) return;
    this.#reportedPage = this.#offsetOf(this.#pageAt);
    this.#problems.note(
      "DAMAGED_TIME",
      `CPU ${this.cpu}: ${what}; the nearest possible time is taken`,
      this.#reportedPage,
    );
  }

  #reportFault(): void {
    const { cursor } = this;
    const packed = this.#block?.isPacked === true ? " (in the chunk at this offset)" : "";
    this.#problems.note(
      "DAMAGED_PAGE",
      `CPU ${this.cpu}: ${FAULT_TEXTS[cursor.fault]}${packed}`,
      this.#offsetOf(cursor.faultAt),
    );
    this.isAfterDamage = true;
  }

  /** Losses of pages without a record add up. */
  #addMissed(count: number): void {
    this.missedCount = this.missedCount === -1 ? count : this.missedCount + count;
  }

  #offsetOf(at: number): number {
    const block = this.#block;
    if (block === undefined) return 0;
    return block.isPacked ? block.fileOffset : block.fileOffset + at;
  }
}
