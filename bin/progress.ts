import type { TextSink } from "./log.ts";

/** At most so often, in milliseconds. */
const EVERY_MS = 100;

/** A line on a terminal that says how far a run is; elsewhere nothing. */
export class Progress {
  readonly #stream: TextSink & { readonly isTTY?: boolean };
  readonly #total: number;
  readonly #noun: string;
  readonly #startMs = performance.now();
  #shownMs = Number.NEGATIVE_INFINITY;
  #isShown = false;

  constructor(
    total: number,
    noun: string,
    stream: TextSink & { readonly isTTY?: boolean } = process.stderr,
  ) {
    this.#total = total;
    this.#noun = noun;
    this.#stream = stream;
  }

  update(done: number): void {
    const nowMs = performance.now();
    if (this.#stream.isTTY !== true || nowMs - this.#shownMs < EVERY_MS) return;
    this.#shownMs = nowMs;
    this.#isShown = true;
    const seconds = (nowMs - this.#startMs) / 1000;
    const rate = done / Math.max(seconds, 0.001);
    const leftSeconds = rate === 0 ? undefined : (this.#total - done) / rate;
    const left = leftSeconds === undefined ? "" : `, about ${Math.ceil(leftSeconds)} s left`;
    const text = `${done} of ${this.#total} ${this.#noun}, ${rate.toFixed(1)} a second${left}`;
    this.#stream.write(`\r\u001b[K${text}`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#isShown) this.#stream.write("\r\u001b[K");
    this.#isShown = false;
  }
}
