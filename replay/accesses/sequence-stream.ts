import type { AccessSource, GuestStream, PagesInUse } from "./access-source.ts";
import type { PlacedPages } from "./page-placing.ts";
import type { RecordedSequence, RecordedThread } from "./recorded-sequence.ts";

/** Plays a recorded thread, over and over. */
class SequencePlayer implements AccessSource {
  readonly draws: number = 1;
  index = -1;
  isWrite = false;
  left = 0;
  /** Visit played next. */
  next: number;
  readonly #thread: RecordedThread;
  readonly #placed: PlacedPages;

  constructor(thread: RecordedThread, placed: PlacedPages, start: number) {
    this.#thread = thread;
    this.#placed = placed;
    this.next = start;
  }

  draw(pages: PagesInUse): void {
    const { visit, run, length } = this.#thread;
    if (this.next >= length) this.next = 0;
    const at = visit[this.next]!;
    this.index = this.#placed.indexOf(at >>> 1, pages);
    this.isWrite = at % 2 === 1;
    this.left = run[this.next]!;
    this.next += 1;
  }
}

/**
 * A recorded sequence as the vCPUs of one VM play it: vCPU i plays thread i modulo their number, at the
 * pace of the knob while it is in the guest, from the beginning again when it is through.
 */
export class PacedSequence implements GuestStream {
  readonly #players: SequencePlayer[] = [];
  readonly #sequence: RecordedSequence;
  readonly #placed: PlacedPages;
  readonly #start: number;
  readonly #visitsPerNs: number;

  /** @param start where in each thread the first round begins: a share of it. */
  constructor(sequence: RecordedSequence, placed: PlacedPages, start: number, visitsPerUs: number) {
    this.#sequence = sequence;
    this.#placed = placed;
    this.#start = start;
    this.#visitsPerNs = visitsPerUs / 1000;
  }

  accessesPerVisit(vcpu: number): number {
    const { accesses, length } = threadOf(this.#sequence, vcpu);
    return accesses / length;
  }

  due(vcpu: number, _vcpus: number, fromNs: number, toNs: number): number {
    return (toNs - fromNs) * this.#visitsPerNs * this.accessesPerVisit(vcpu);
  }

  source(vcpu: number): AccessSource {
    const thread = threadOf(this.#sequence, vcpu);
    return (this.#players[vcpu] ??= new SequencePlayer(
      thread,
      this.#placed,
      Math.floor(thread.length * this.#start),
    ));
  }
}

/**
 * A recorded sequence whose times are those of the trace's clock: what lies in a stretch of guest time is
 * made in it, once. What lies outside every such stretch is not made.
 */
export class TimedSequence implements GuestStream {
  readonly #players: SequencePlayer[] = [];
  readonly #sequence: RecordedSequence;
  readonly #placed: PlacedPages;
  /** Trace time minus the file's. */
  readonly #offsetNs: () => number;

  constructor(sequence: RecordedSequence, placed: PlacedPages, offsetNs: () => number) {
    this.#sequence = sequence;
    this.#placed = placed;
    this.#offsetNs = offsetNs;
  }

  accessesPerVisit(vcpu: number): number {
    const { accesses, length } = threadOf(this.#sequence, vcpu);
    return accesses / length;
  }

  due(vcpu: number, _vcpus: number, fromNs: number, toNs: number): number {
    const { tsNs, run, length } = threadOf(this.#sequence, vcpu);
    if (tsNs === undefined) return 0;
    const offset = this.#offsetNs();
    const first = firstAtLeast(tsNs, length, fromNs - offset);
    let accesses = 0;
    for (let at = first; at < length && tsNs[at]! < toNs - offset; at += 1) accesses += run[at]!;
    const player = this.#player(vcpu);
    player.next = first;
    player.left = 0;
    return accesses;
  }

  source(vcpu: number): AccessSource {
    return this.#player(vcpu);
  }

  #player(vcpu: number): SequencePlayer {
    return (this.#players[vcpu] ??= new SequencePlayer(
      threadOf(this.#sequence, vcpu),
      this.#placed,
      0,
    ));
  }
}

function threadOf({ threads }: RecordedSequence, vcpu: number): RecordedThread {
  return threads[vcpu % threads.length]!;
}

function firstAtLeast(tsNs: Float64Array, length: number, value: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tsNs[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
