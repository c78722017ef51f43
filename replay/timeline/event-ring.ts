import type { EventBatch } from "../../ingest/events/columns.ts";

/** One event, kept as an example. */
export interface KeptEvent {
  readonly line: number;
  readonly tsNs: number;
  readonly cpu: number;
  readonly pid: number;
  /** Id of the reader's NameTable, and code of the kind. */
  readonly name: number;
  readonly kind: number;
  readonly addr: number;
  readonly len: number;
}

/** A power of two. */
const CAPACITY = 1024;

/** The last events of the trace, so that those of an operation can be kept once it turns out to matter. */
export class EventRing {
  #next = 0;
  readonly #line = new Uint32Array(CAPACITY);
  readonly #tsNs = new Float64Array(CAPACITY);
  readonly #cpu = new Uint16Array(CAPACITY);
  readonly #pid = new Int32Array(CAPACITY);
  readonly #name = new Uint32Array(CAPACITY);
  readonly #kind = new Uint8Array(CAPACITY);
  readonly #addr = new Float64Array(CAPACITY);
  readonly #len = new Float64Array(CAPACITY);

  push(batch: EventBatch, row: number): void {
    const at = this.#next & (CAPACITY - 1);
    this.#line[at] = batch.line[row]!;
    this.#tsNs[at] = batch.tsNs[row]!;
    this.#cpu[at] = batch.cpu[row]!;
    this.#pid[at] = batch.pid[row]!;
    this.#name[at] = batch.name[row]!;
    this.#kind[at] = batch.kind[row]!;
    this.#addr[at] = batch.addr[row]!;
    this.#len[at] = batch.len[row]!;
    this.#next += 1;
  }

  /** The first and the last events of a thread from `line` on, at most `most`, and how many lie between. */
  of(pid: number, line: number, most: number): { events: KeptEvent[]; left: number } {
    const found: number[] = [];
    const first = Math.max(0, this.#next - CAPACITY);
    for (let n = first; n < this.#next; n += 1) {
      const at = n & (CAPACITY - 1);
      if (this.#pid[at] === pid && this.#line[at]! >= line) found.push(at);
    }
    const left = Math.max(0, found.length - most);
    const head = Math.ceil(most / 2);
    const shown = left === 0 ? found : [...found.slice(0, head), ...found.slice(head - most)];
    return { events: shown.map((at) => this.#event(at)), left };
  }

  #event(at: number): KeptEvent {
    return {
      line: this.#line[at]!,
      tsNs: this.#tsNs[at]!,
      cpu: this.#cpu[at]!,
      pid: this.#pid[at]!,
      name: this.#name[at]!,
      kind: this.#kind[at]!,
      addr: this.#addr[at]!,
      len: this.#len[at]!,
    };
  }
}
