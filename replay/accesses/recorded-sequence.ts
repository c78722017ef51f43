import type { AccessBatch } from "../../ingest/accesses/access-batch.ts";
import { grown } from "../typed-arrays.ts";

/** Most visits held, of 8 bytes, or 16 where their times are needed; further ones are counted. */
export const MOST_VISITS: number = 2 ** 24;
/** Most different pages held. */
const MOST_PAGES: number = 2 ** 22;
/** Numbers of pages are below this; a page and its space make one exact number. */
export const SPACE_STEP: number = 2 ** 41;
const MOST_SPACES = 2 ** 12;
const WRITE = 1;

/** The visits of one recorded thread, in their order. */
export interface RecordedThread {
  /** As the file names it. */
  readonly name: number;
  readonly length: number;
  /** Number of the page, in order of first sight, times 2, plus 1 for a write. */
  readonly visit: Uint32Array;
  /** Accesses in a row. */
  readonly run: Uint32Array;
  /** ns since the file's base; undefined where times are not kept. */
  readonly tsNs: Float64Array | undefined;
  readonly accesses: number;
}

/** A recorded sequence in memory. */
export interface RecordedSequence {
  readonly threads: readonly RecordedThread[];
  /** By number of a page: its space's number times SPACE_STEP, plus its page in the file's numbering. */
  readonly pageKeys: Float64Array;
  readonly visits: number;
  /** Rows that did not fit: beyond MOST_VISITS visits, pages or spaces. */
  readonly leftOut: number;
  /** Rows whose time the file does not tell, or that is before the row in front of it. */
  readonly withoutTime: number;
  readonly backwards: number;
}

interface GrowingThread {
  readonly name: number;
  length: number;
  visit: Uint32Array;
  run: Uint32Array;
  tsNs: Float64Array | undefined;
  accesses: number;
}

/**
 * Keeps a recorded sequence: by thread, neighbouring accesses to one page being one visit (that writes if
 * one of them does), and pages by numbers.
 */
export class SequenceRecorder {
  readonly #withTimes: boolean;
  readonly #threads = new Map<number, GrowingThread>();
  readonly #pages = new Map<number, number>();
  readonly #spaces = new Map<number, number>();
  #visits = 0;
  #leftOut = 0;
  #withoutTime = 0;
  #backwards = 0;

  constructor(withTimes: boolean) {
    this.#withTimes = withTimes;
  }

  add(batch: AccessBatch): void {
    for (let row = 0; row < batch.length; row += 1) {
      const page = this.#pageOf(batch.space[row]!, batch.page[row]!);
      if (page < 0 || this.#visits >= MOST_VISITS) {
        this.#leftOut += 1;
        continue;
      }
      const thread = this.#threadOf(batch.thread[row]!);
      const isWrite = batch.kind[row] === WRITE ? 1 : 0;
      this.#put(thread, page * 2 + isWrite, batch.repeat[row]!, batch.tsNs[row]!);
    }
  }

  finish(): RecordedSequence {
    const threads = [...this.#threads.values()].map((thread): RecordedThread => {
      const { name, length, visit, run, tsNs, accesses } = thread;
      return { name, length, visit, run, tsNs, accesses };
    });
    return {
      threads: threads.sort((a, b) => a.name - b.name),
      pageKeys: Float64Array.from(this.#pages.keys()),
      visits: this.#visits,
      leftOut: this.#leftOut,
      withoutTime: this.#withoutTime,
      backwards: this.#backwards,
    };
  }

  #put(thread: GrowingThread, visit: number, run: number, tsNs: number): void {
    thread.accesses += run;
    const last = thread.length - 1;
    const isSamePage = last >= 0 && thread.visit[last]! >>> 1 === visit >>> 1;
    if (Number.isNaN(tsNs)) this.#withoutTime += 1;
    const before = last >= 0 && thread.tsNs !== undefined ? thread.tsNs[last]! : tsNs;
    if (tsNs < before) this.#backwards += 1;
    const isSameTime = thread.tsNs === undefined || before === tsNs || Number.isNaN(tsNs);
    if (isSamePage && isSameTime && thread.run[last]! <= 2 ** 32 - 1 - run) {
      thread.visit[last] = (thread.visit[last]! | visit) >>> 0;
      thread.run[last] = thread.run[last]! + run;
      return;
    }
    this.#visits += 1;
    const at = thread.length;
    if (at === thread.visit.length) {
      thread.visit = grown(thread.visit, new Uint32Array(at * 2));
      thread.run = grown(thread.run, new Uint32Array(at * 2));
      if (thread.tsNs !== undefined) thread.tsNs = grown(thread.tsNs, new Float64Array(at * 2));
    }
    thread.visit[at] = visit;
    thread.run[at] = run;
    // Times must not go back, or what is due could not be found.
    if (thread.tsNs !== undefined) thread.tsNs[at] = Math.max(before, tsNs);
    thread.length = at + 1;
  }

  #threadOf(name: number): GrowingThread {
    const known = this.#threads.get(name);
    if (known !== undefined) return known;
    const made: GrowingThread = {
      name,
      length: 0,
      visit: new Uint32Array(1024),
      run: new Uint32Array(1024),
      tsNs: this.#withTimes ? new Float64Array(1024) : undefined,
      accesses: 0,
    };
    this.#threads.set(name, made);
    return made;
  }

  /** -1: there are too many. */
  #pageOf(space: number, page: number): number {
    let number = this.#spaces.get(space);
    if (number === undefined) {
      if (this.#spaces.size === MOST_SPACES) return -1;
      number = this.#spaces.size;
      this.#spaces.set(space, number);
    }
    const key = number * SPACE_STEP + page;
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    if (this.#pages.size === MOST_PAGES) return -1;
    const made = this.#pages.size;
    this.#pages.set(key, made);
    return made;
  }
}
