import type { Diagnostics } from "../../diagnostics.ts";
import { createEventBatch, type EventBatch } from "../../events/columns.ts";
import { EventKind, UNKNOWN_CPU } from "../../events/kinds.ts";
import type { NameTable } from "../../events/names.ts";
import type { PointerTable } from "../../events/pointers.ts";
import { emptyBatch } from "../../events/rows.ts";
import type { TraceInfo, TraceReader } from "../../reader.ts";
import { addLostRow } from "../text/lost-row.ts";

/** Events that are held back for others that may come late. */
export const WINDOW_EVENTS = 32_768;

/**
 * Puts the events of another reader into the order of time: a program that empties the buffers of several
 * CPUs one behind the other prints what they did at once out of order. Equal times keep their order. Memory
 * is bounded: what comes later than the window allows is a loss. Nothing is moved over a loss or a line
 * that could not be read.
 */
export class TimeOrder implements TraceReader {
  readonly pointers: PointerTable;
  readonly names: NameTable;
  readonly diagnostics: Diagnostics;
  readonly #reader: TraceReader;
  readonly #window: number;
  #held: EventBatch;
  #spare: EventBatch;
  readonly #out: EventBatch = createEventBatch();
  /** Of the latest event that is held, and of the last one that was handed over. */
  #latestNs = Number.NEGATIVE_INFINITY;
  #givenNs = Number.NEGATIVE_INFINITY;
  #isSorted = true;
  #passedGap = 0;

  constructor(reader: TraceReader, windowEvents: number = WINDOW_EVENTS) {
    this.#reader = reader;
    this.pointers = reader.pointers;
    this.names = reader.names;
    this.diagnostics = reader.diagnostics;
    this.#window = windowEvents;
    this.#held = createEventBatch(windowEvents * 2);
    this.#spare = createEventBatch(windowEvents * 2);
    emptyBatch(this.#out, this.#out.capacity);
  }

  get baseNs(): bigint {
    return this.#reader.baseNs;
  }

  info(): TraceInfo {
    return this.#reader.info();
  }

  async *batches(): AsyncGenerator<EventBatch, void, undefined> {
    for await (const batch of this.#reader.batches()) {
      let gap = this.diagnostics.gapLineAfter(this.#passedGap);
      for (let row = 0; row < batch.length; row += 1) {
        while (batch.line[row]! > gap) {
          yield* this.#release(this.#held.length);
          this.#passedGap = gap;
          gap = this.diagnostics.gapLineAfter(gap);
        }
        yield* this.#take(batch, row);
      }
    }
    yield* this.#release(this.#held.length);
  }

  *#take(batch: EventBatch, row: number): Generator<EventBatch, void, undefined> {
    const tsNs = batch.tsNs[row]!;
    const isLoss = batch.kind[row] === EventKind.lost;
    if (isLoss) {
      yield* this.#release(this.#held.length);
    } else if (tsNs < this.#givenNs) {
      yield* this.#late(batch, row);
    }
    const held = this.#held;
    copyRow(batch, row, held, held.length);
    held.length += 1;
    if (!isLoss && tsNs < this.#latestNs) this.#isSorted = false;
    this.#latestNs = Math.max(this.#latestNs, tsNs);
    if (isLoss) yield* this.#release(held.length);
    else if (held.length === held.capacity) yield* this.#release(this.#window);
  }

  /** What happened after it has been handed over already: whoever models that must forget. */
  *#late(batch: EventBatch, row: number): Generator<EventBatch, void, undefined> {
    yield* this.#release(this.#held.length);
    const line = batch.line[row]!;
    const lateNs = this.#givenNs - batch.tsNs[row]!;
    this.diagnostics.add("OUT_OF_ORDER", `${lateNs} ns too late to be put in its place`, line);
    addLostRow(this.#held, UNKNOWN_CPU, Number.NaN, this.#givenNs, line);
    yield* this.#release(1);
    this.#givenNs = batch.tsNs[row]!;
    this.#latestNs = this.#givenNs;
  }

  /** Hands over the first `count` of what is held, in the order of time. */
  *#release(count: number): Generator<EventBatch, void, undefined> {
    const held = this.#held;
    const order = this.#order();
    const out = this.#out;
    for (let i = 0; i < count; i += 1) {
      copyRow(held, order?.[i] ?? i, out, out.length);
      out.length += 1;
      if (out.length < out.capacity && i + 1 < count) continue;
      this.#givenNs = Math.max(this.#givenNs, out.tsNs[out.length - 1]!);
      yield out;
      emptyBatch(out, out.length);
    }
    const rest = this.#spare;
    rest.length = held.length - count;
    for (let i = 0; i < rest.length; i += 1)
      copyRow(held, order?.[count + i] ?? count + i, rest, i);
    this.#spare = held;
    this.#held = rest;
    held.length = 0;
    this.#isSorted = true;
  }

  /** Rows by time; undefined where they stand so. */
  #order(): Uint32Array | undefined {
    if (this.#isSorted) return undefined;
    const { tsNs, length } = this.#held;
    const rows = Uint32Array.from({ length }, (_, i) => i);
    return rows.sort((a, b) => tsNs[a]! - tsNs[b]! || a - b);
  }
}

function copyRow(from: EventBatch, i: number, to: EventBatch, k: number): void {
  to.kind[k] = from.kind[i]!;
  to.name[k] = from.name[i]!;
  to.cpu[k] = from.cpu[i]!;
  to.pid[k] = from.pid[i]!;
  to.tsNs[k] = from.tsNs[i]!;
  to.line[k] = from.line[i]!;
  to.pgt[k] = from.pgt[i]!;
  to.mmu[k] = from.mmu[i]!;
  to.kvm[k] = from.kvm[i]!;
  to.addr[k] = from.addr[i]!;
  to.len[k] = from.len[i]!;
  to.phys[k] = from.phys[i]!;
  to.prot[k] = from.prot[i]!;
  to.protHigh[k] = from.protHigh[i]!;
  to.arg0[k] = from.arg0[i]!;
  to.arg1[k] = from.arg1[i]!;
  to.arg2[k] = from.arg2[i]!;
  to.arg3[k] = from.arg3[i]!;
}
