import type { CpuStream } from "./cpu-stream.ts";

/**
 * The streams of all CPUs by the time of the record that each stands at; of equal times the lower CPU
 * comes first, as in the kernel's own text.
 */
export class MergeHeap {
  readonly #streams: CpuStream[];

  /** @param streams those that stand at a record. */
  constructor(streams: readonly CpuStream[]) {
    this.#streams = [...streams];
    for (let i = (this.#streams.length >> 1) - 1; i >= 0; i -= 1) this.#sink(i);
  }

  /** The stream whose record is next; undefined where all have ended. */
  get first(): CpuStream | undefined {
    return this.#streams[0];
  }

  /** The last time at which the first stream still comes before all others. */
  get untilNs(): number {
    const [first, left, right] = this.#streams;
    if (first === undefined || left === undefined) return Number.POSITIVE_INFINITY;
    const second = right !== undefined && isBefore(right, left) ? right : left;
    // Times are whole numbers.
    return first.cpu < second.cpu ? second.orderNs : second.orderNs - 1;
  }

  /** To be called when the first stream has gone on to its next record. */
  firstMoved(): void {
    if (this.#streams.length > 1) this.#sink(0);
  }

  /** To be called when the first stream has ended. */
  removeFirst(): void {
    const last = this.#streams.pop()!;
    if (this.#streams.length === 0) return;
    this.#streams[0] = last;
    this.#sink(0);
  }

  #sink(from: number): void {
    const streams = this.#streams;
    const { length } = streams;
    const moving = streams[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(streams[child + 1]!, streams[child]!)) child += 1;
      if (!isBefore(streams[child]!, moving)) break;
      streams[at] = streams[child]!;
      at = child;
    }
    streams[at] = moving;
  }
}

function isBefore(a: CpuStream, b: CpuStream): boolean {
  return a.orderNs < b.orderNs || (a.orderNs === b.orderNs && a.cpu < b.cpu);
}
