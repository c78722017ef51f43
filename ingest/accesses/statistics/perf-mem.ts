import type { Diagnostics } from "../../diagnostics.ts";
import { textOf } from "../../formats/bytes.ts";
import { wholeLines } from "../../formats/text/head-lines.ts";
import type { ReadAccessesOptions, StatisticsFormat } from "../access-format.ts";
import type { AccessCounts } from "../access-rows.ts";
import { PageNumbers } from "../page-numbers.ts";
import { noteTags } from "../tags.ts";
import { parsePerfSample } from "./perf-sample.ts";
import { type RateLines, RateLinesReader } from "./rate-lines-reader.ts";
import { type RateRegion, type RateTable, rateTable } from "./rate-table.ts";

/** Longest line that is looked at, in bytes. */
const MAX_LINE_BYTES = 2048;
/** Distinct pages of all events together. */
const MAX_PAGES: number = 2 ** 22;
const MAX_SPACES: number = 2 ** 11;
const MAX_EVENTS = 64;
/** Behind the last page number: pages of different spaces are different keys. */
const SPACE_STEP: number = 2 ** 41;
/**
 * One operation that SPE sampled makes an event of each of these that it deserves; of those that a file
 * holds the first is counted, which sees every operation that accessed memory.
 */
const SPE_EVENTS: readonly string[] = ["memory", "tlb-access", "l1d-access"];

/** Samples of addresses (Arm SPE, `perf mem`) in the text of perf script, counted by page. */
class PerfMemLines implements RateLines {
  readonly #options: ReadAccessesOptions;
  readonly #pages: PageNumbers;
  /** Space of each pid; 0 is the kernel's half, which all share. */
  readonly #spaces = new Map<string, number>([["kernel", 0]]);
  readonly #events = new Map<string, Map<number, number>>();
  #pageCount = 0;
  #beyond = 0;
  #withoutAddress = 0;
  #reads = 0;
  #writes = 0;
  #others = 0;
  #lost = 0;

  constructor(options: ReadAccessesOptions) {
    this.#options = options;
    this.#pages = new PageNumbers(options.pageBytes ?? 4096);
  }

  takeLine(bytes: Uint8Array, start: number, end: number): boolean {
    const text = textOf(bytes, start, end);
    if (end === start || text.startsWith("#")) {
      this.#others += 1;
      return true;
    }
    if (end - start > MAX_LINE_BYTES) return false;
    if (text.includes("PERF_RECORD_LOST")) {
      this.#lost += Number(/ lost (\d{1,9})/.exec(text)?.[1] ?? 1);
      return true;
    }
    const sample = parsePerfSample(text);
    if (sample === undefined) return false;
    const address = this.#options.sampledAddress === "ipa" ? sample.pa : sample.va;
    if (address === undefined) return false;
    const wide = BigInt(`0x${address}`);
    if (wide === 0n) {
      this.#withoutAddress += 1;
      return true;
    }
    if (!this.#pages.set(Number(wide >> 32n), Number(wide & 0xffffffffn))) return false;
    if (sample.isStore) this.#writes += 1;
    else this.#reads += 1;
    this.#count(sample.event, sample.pid);
    return true;
  }

  table(diagnostics: Diagnostics): RateTable {
    noteTags(this.#pages, diagnostics);
    if (this.#lost > 0) diagnostics.add("EVENTS_LOST", "said by perf", 0, 0, this.#lost);
    if (this.#beyond > 0) {
      const detail = `more than ${MAX_PAGES} pages, ${MAX_SPACES} tasks or ${MAX_EVENTS} events: the samples of further ones are not used`;
      diagnostics.add("TRUNCATED", detail, 0, 0, this.#beyond);
    }
    const used = this.#usedEvents();
    const sums = new Map<number, number>();
    for (const event of used) {
      for (const [key, count] of this.#events.get(event)!)
        sums.set(key, (sums.get(key) ?? 0) + count);
    }
    const regions = Array.from(sums, ([key, count]): RateRegion => {
      const firstPage = key % SPACE_STEP;
      return { space: (key - firstPage) / SPACE_STEP, firstPage, lenPages: 1, ratePerPage: count };
    });
    const address = this.#options.sampledAddress ?? "va";
    const spaces = [...this.#spaces.keys()];
    return rateTable(regions, { unit: "samples", address, spaces, notes: this.#notes(used) });
  }

  counts(): AccessCounts {
    const others = this.#others + this.#withoutAddress;
    return { reads: this.#reads, writes: this.#writes, fetches: 0, splitAccesses: 0, others };
  }

  #count(event: string, pid: string): void {
    let counts = this.#events.get(event);
    const { page } = this.#pages;
    const isShared = page >= this.#pages.upperHalf || this.#options.sampledAddress === "ipa";
    const owner = isShared ? "kernel" : pid;
    let space = this.#spaces.get(owner);
    const isNew =
      counts === undefined || space === undefined || !counts.has(page + space * SPACE_STEP);
    if (isNew && this.#isFull(counts === undefined, space === undefined)) {
      this.#beyond += 1;
      return;
    }
    if (counts === undefined) {
      counts = new Map();
      this.#events.set(event, counts);
    }
    if (space === undefined) {
      space = this.#spaces.size;
      this.#spaces.set(owner, space);
    }
    if (isNew) this.#pageCount += 1;
    const key = page + space * SPACE_STEP;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }

  #isFull(isNewEvent: boolean, isNewSpace: boolean): boolean {
    return (
      this.#pageCount >= MAX_PAGES ||
      (isNewEvent && this.#events.size >= MAX_EVENTS) ||
      (isNewSpace && this.#spaces.size >= MAX_SPACES)
    );
  }

  /** Of SPE's events one; of others all, since each sample is one event there. */
  #usedEvents(): readonly string[] {
    const names = [...this.#events.keys()];
    const one = SPE_EVENTS.find((event) => names.includes(event));
    return one === undefined ? names : [one];
  }

  #notes(used: readonly string[]): readonly string[] {
    const notes = ["popularity of pages by samples: one in many accesses, their order is lost"];
    const unused = [...this.#events.keys()].filter((event) => !used.includes(event));
    if (unused.length > 0) {
      notes.push(
        `only ${used.join(", ")} is counted; ${unused.join(", ")} would count samples twice`,
      );
    }
    if (this.#withoutAddress > 0) notes.push(`${this.#withoutAddress} samples have no address`);
    return notes;
  }
}

const LOOKED_AT = 20;

export const perfMem: StatisticsFormat = {
  id: "perf-mem",
  streamClass: "statistics",
  isBinary: false,
  bias: "one in many accesses is sampled: popularity only; host-side SPE does not see guests",
  sniff(head) {
    let lines = 0;
    for (const [from, to] of wholeLines(head)) {
      const text = textOf(head, from, Math.min(to, from + MAX_LINE_BYTES));
      if (text.includes(":") && parsePerfSample(text) !== undefined)
        return { applies: true, reason: "samples with addresses as perf script prints them" };
      lines += 1;
      if (lines === LOOKED_AT) break;
    }
    return { applies: false, reason: "no line of perf script with an event and then an address" };
  },
  read: (source, options) =>
    new RateLinesReader("perf-mem", source, options, new PerfMemLines(options)),
};
