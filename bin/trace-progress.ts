import fs from "node:fs";
import { visible } from "../reports/terminal.ts";
import { onInterrupt } from "./lifecycle.ts";
import type { TextSink } from "./log.ts";

/** Nothing is shown of what ends sooner than this, and then at most so often. */
const AFTER_MS = 500;
const EVERY_MS = 100;

/**
 * How far the reading of a trace is, as one line on a terminal: share, rate and time left, by the bytes of
 * the file as stored. Of what comes from a pipe only the rate. On anything but a terminal: nothing.
 */
export class TraceProgress {
  readonly #stream: TextSink;
  readonly #now: () => number;
  #name = "";
  #totalBytes = Number.NaN;
  #bytes = 0;
  #events = 0;
  #startMs = 0;
  #shownMs = 0;
  #isShown = false;
  #forget: (() => void) | undefined;

  constructor(stream: TextSink = process.stderr, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
  }

  begin(file: string): void {
    const stat = file === "-" ? undefined : fs.statSync(file, { throwIfNoEntry: false });
    this.#name = file;
    this.#totalBytes = stat?.isFile() === true ? stat.size : Number.NaN;
    this.#bytes = 0;
    this.#events = 0;
    this.#startMs = this.#now();
    this.#shownMs = this.#startMs + AFTER_MS - EVERY_MS;
    this.#forget = onInterrupt(() => this.#clear());
  }

  /** So many more bytes of the file were read. */
  stored(bytes: number): void {
    this.#bytes += bytes;
  }

  /** So many more events were replayed. */
  events(count: number): void {
    this.#events += count;
    const nowMs = this.#now();
    if (this.#stream.isTTY !== true || nowMs - this.#shownMs < EVERY_MS) return;
    this.#shownMs = nowMs;
    this.#isShown = true;
    const text = `${visible(this.#name)}: ${this.#text((nowMs - this.#startMs) / 1000)}`;
    const width = this.#stream.columns ?? 80;
    this.#stream.write(`\r\u001b[K${text.length < width ? text : `…${text.slice(2 - width)}`}`);
  }

  /** Takes the line away. */
  end(): void {
    this.#forget?.();
    this.#clear();
  }

  #text(seconds: number): string {
    const events = `${(this.#events / seconds / 1e6).toFixed(2)} million events/s`;
    const share = this.#bytes / this.#totalBytes;
    // Formats that jump about in their file, and pipes, do not say how much is left.
    if (!(share > 0)) return events;
    const left = seconds / share - seconds;
    const rate = `${(this.#bytes / seconds / 1e6).toFixed(1)} MB/s`;
    return `${Math.min(100, Math.floor(share * 100))} %, ${rate}, ${events}, about ${Math.max(0, Math.ceil(left))} s left`;
  }

  #clear(): void {
    if (this.#isShown) this.#stream.write("\r\u001b[K");
    this.#isShown = false;
  }
}
