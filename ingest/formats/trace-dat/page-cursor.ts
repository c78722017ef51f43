import type { PageLayout } from "./page-layout.ts";
import type { TimeBase } from "./time-base.ts";
import { isExact } from "./time-base.ts";

/** What stands in a page's header. */
export interface PageHeader {
  /** Relative to the time base. */
  stampNs: number;
  /** Bytes of records. */
  commitBytes: number;
  /** Events were lost between this page and the one before. */
  missed: boolean;
  /** How many; NaN where the page does not say. */
  missedCount: number;
}

/** Why a page cannot be read on. */
export const PageFault = {
  none: 0,
  /** The header says more records than a page holds. */
  commit: 1,
  /** A page without time and without records: nothing was ever written here. */
  empty: 2,
  /** Farther from the other times than any trace is long. */
  stamp: 3,
  /** A record runs beyond the records' end. */
  record: 4,
} as const;

export const FAULT_TEXTS: readonly string[] = [
  "",
  "its header says that it holds more than a page can",
  "it is empty, with neither time nor records",
  "its time stamp is over 104 days from the others",
  "a record runs beyond the page's end; what follows in the page is lost",
];

const MISSED_EVENTS = 0x8000_0000;
const MISSED_STORED = 0x4000_0000;
const COMMIT_MASK = 0x3fff_ffff;
const TWO_27 = 134_217_728;

const TYPE_PADDING = 29;
const TYPE_TIME_EXTEND = 30;
const TYPE_TIME_STAMP = 31;

/**
 * Steps through the records of one ring-buffer page.
 *
 * A record is a u32 (5 bits type, 27 bits time since the record before) and its payload: types 1…28 are
 * the payload's length in words; with type 0 the length is a u32 in front of it; 29 is a discarded
 * record or the end; 30 and 31 carry time only.
 */
export class PageCursor {
  /** Payload of the record that `advance` found: place in the view, and length in bytes. */
  payloadAt = 0;
  payloadBytes = 0;
  /** Its time, relative to the time base. */
  timeNs = 0;
  /** A value of PageFault, once `open` or `advance` has given false. */
  fault = 0;
  /** Where the fault is, in the view. */
  faultAt = 0;
  readonly header: PageHeader = {
    stampNs: 0,
    commitBytes: 0,
    missed: false,
    missedCount: Number.NaN,
  };
  readonly #layout: PageLayout;
  readonly #base: TimeBase;
  readonly #littleEndian: boolean;
  /** Where the next record begins, and where the page's records end. */
  nextAt = 0;
  end = 0;
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** High half of the page's time stamp: absolute stamps in records have only 59 bits. */
  #stampHigh = 0;

  constructor(layout: PageLayout, base: TimeBase) {
    this.#layout = layout;
    this.#base = base;
    this.#littleEndian = layout.littleEndian;
  }

  /** Begins the page at `pageAt`. False: it cannot be read, see `fault`. */
  open(view: DataView, pageAt: number): boolean {
    const { littleEndian, longBytes, pageBytes, commitAt, dataAt, timeAt } = this.#layout;
    this.#view = view;
    this.fault = PageFault.none;
    this.faultAt = pageAt;
    const first = view.getUint32(pageAt + timeAt, littleEndian);
    const second = view.getUint32(pageAt + timeAt + 4, littleEndian);
    const high = littleEndian ? second : first;
    const low = littleEndian ? first : second;
    const commitLowAt = pageAt + commitAt + (littleEndian || longBytes === 4 ? 0 : 4);
    const commit = view.getUint32(commitLowAt, littleEndian);
    const { header } = this;
    header.commitBytes = commit & COMMIT_MASK;
    header.missed = (commit & MISSED_EVENTS) !== 0;
    header.missedCount = Number.NaN;
    header.stampNs = this.#base.relative(high, low);
    this.#stampHigh = high;
    this.nextAt = pageAt + dataAt;
    this.end = this.nextAt + header.commitBytes;
    this.timeNs = header.stampNs;
    if (header.commitBytes > pageBytes - dataAt) return this.#fail(PageFault.commit, pageAt);
    if (header.commitBytes === 0 && high === 0 && low === 0) {
      return this.#fail(PageFault.empty, pageAt);
    }
    if (!isExact(header.stampNs)) return this.#fail(PageFault.stamp, pageAt);
    if (header.missed && (commit & MISSED_STORED) !== 0) this.#readMissed(pageAt);
    return true;
  }

  /** To the next record with a payload. False: the page ends here, or cannot be read on (`fault`). */
  advance(): boolean {
    const view = this.#view;
    const littleEndian = this.#littleEndian;
    const end = this.end;
    let at = this.nextAt;
    while (at + 4 <= end) {
      const head = view.getUint32(at, littleEndian);
      const type = littleEndian ? head & 31 : head >>> 27;
      const delta = littleEndian ? head >>> 5 : head & 0x7ff_ffff;
      if (type > 0 && type < TYPE_PADDING) {
        const next = at + 4 + type * 4;
        if (next > end) return this.#fail(PageFault.record, at);
        this.timeNs += delta;
        this.payloadAt = at + 4;
        this.payloadBytes = type * 4;
        this.nextAt = next;
        return true;
      }
      if (type === TYPE_PADDING && delta === 0) break;
      if (at + 8 > end) return this.#fail(PageFault.record, at);
      const word = view.getUint32(at + 4, littleEndian);
      if (type === TYPE_TIME_EXTEND) {
        this.timeNs += delta + word * TWO_27;
        at += 8;
      } else if (type === TYPE_TIME_STAMP) {
        this.timeNs = this.#absolute(delta, word);
        at += 8;
      } else {
        // Both a long record and a discarded one state how far it is to the next.
        const next = at + 4 + ((word + 3) & ~3);
        if (word < 4 || word > end - at - 4) return this.#fail(PageFault.record, at);
        this.timeNs += delta;
        if (type === 0) {
          this.payloadAt = at + 8;
          this.payloadBytes = word - 4;
          this.nextAt = next;
          return true;
        }
        at = next;
      }
    }
    this.nextAt = end;
    return false;
  }

  /** Stands at a record of this page that was found without `advance`. */
  stand(payloadAt: number, payloadBytes: number, nextAt: number, timeNs: number): void {
    this.payloadAt = payloadAt;
    this.payloadBytes = payloadBytes;
    this.nextAt = nextAt;
    this.timeNs = timeNs;
  }

  /** A stamp of 59 bits; the 5 above them are those of the page, unless they have just run over. */
  #absolute(delta: number, word: number): number {
    const low = (delta | (word << 27)) >>> 0;
    const stampHigh = this.#stampHigh;
    let high = (stampHigh & 0xf800_0000) + (word >>> 5);
    if (high < 0) high += 4_294_967_296;
    if (high < stampHigh) high += TWO_27;
    return this.#base.relative(high, low);
  }

  /** The kernel stores the count behind the last record, where the page has room for it. */
  #readMissed(pageAt: number): void {
    const { longBytes, pageBytes, littleEndian } = this.#layout;
    if (this.end + longBytes > pageAt + pageBytes) return;
    const first = this.#view.getUint32(this.end, littleEndian);
    if (longBytes === 4) {
      this.header.missedCount = first;
      return;
    }
    const second = this.#view.getUint32(this.end + 4, littleEndian);
    const high = littleEndian ? second : first;
    const count = high * 4_294_967_296 + (littleEndian ? first : second);
    // More than a kernel can lose: the count itself is damaged.
    if (high <= 0xffff) this.header.missedCount = count;
  }

  #fail(fault: number, at: number): false {
    this.fault = fault;
    this.faultAt = at;
    this.nextAt = this.end;
    return false;
  }
}
