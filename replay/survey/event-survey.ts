import type { EventBatch } from "../../ingest/events/columns.ts";
import {
  EVENT_KINDS,
  EventKind,
  type EventKindName,
  UNKNOWN_CPU,
} from "../../ingest/events/kinds.ts";
import type { NameTable } from "../../ingest/events/names.ts";
import { KindCounts } from "./kind-counts.ts";

const KINDS = EVENT_KINDS.length;

/** Smallest step of the times seen. */
export type Resolution = "ns" | "us" | "ms" | "s" | "unknown";

/** One name that the trace gives events, with what they were understood as. */
export interface NamedEvents {
  readonly name: string;
  readonly kind: EventKindName;
  readonly count: number;
}

/**
 * What a trace holds: events by name and kind and by CPU, and how fine its times are. Memory: a number
 * for each name and kind, and for each CPU.
 */
export class EventSurvey {
  #byNameAndKind = new Float64Array(64 * KINDS);
  readonly #kinds = new KindCounts();
  readonly #byCpu: number[] = [];
  #events = 0;
  #lastNs = Number.NaN;
  /** Neighbouring events (in file order) of the same time. */
  equalStamps = 0;
  backwards = 0;
  /** A time that is no multiple of 1 µs, 1 ms, 1 s was seen. */
  #hasNs = false;
  #hasUs = false;
  #hasMs = false;

  consume(batch: EventBatch): void {
    this.#kinds.consume(batch);
    const { kind, name, cpu, tsNs } = batch;
    for (let row = 0; row < batch.length; row += 1) {
      if (kind[row] === EventKind.lost) continue;
      const cell = name[row]! * KINDS + kind[row]!;
      if (cell >= this.#byNameAndKind.length) this.#grow(cell);
      this.#byNameAndKind[cell]! += 1;
      const on = cpu[row]!;
      this.#byCpu[on] = (this.#byCpu[on] ?? 0) + 1;
      this.#events += 1;
      this.#time(tsNs[row]!);
    }
  }

  #time(ns: number): void {
    if (ns === this.#lastNs) this.equalStamps += 1;
    else if (ns < this.#lastNs) this.backwards += 1;
    this.#lastNs = ns;
    if (this.#hasNs) return;
    if (ns % 1_000 !== 0) this.#hasNs = true;
    else if (ns % 1_000_000 !== 0) this.#hasUs = true;
    else if (ns % 1_000_000_000 !== 0) this.#hasMs = true;
  }

  #grow(cell: number): void {
    const larger = new Float64Array(Math.max(cell + KINDS, this.#byNameAndKind.length * 2));
    larger.set(this.#byNameAndKind);
    this.#byNameAndKind = larger;
  }

  /** Share of neighbouring events with equal times, 0 to 1: their order is that of the file only. */
  get equalStampShare(): number {
    return this.#events < 2 ? 0 : this.equalStamps / (this.#events - 1);
  }

  /** @param baseNs what the times count from, which must not be finer than them either. */
  resolution(baseNs: bigint): Resolution {
    if (this.#events < 2) return "unknown";
    if (this.#hasNs || baseNs % 1_000n !== 0n) return "ns";
    if (this.#hasUs || baseNs % 1_000_000n !== 0n) return "us";
    return this.#hasMs || baseNs % 1_000_000_000n !== 0n ? "ms" : "s";
  }

  /** By CPU number; under -1 those of which the trace does not say it. */
  byCpu(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    this.#byCpu.forEach((count, cpu) => counts.set(cpu === UNKNOWN_CPU ? -1 : cpu, count));
    return counts;
  }

  byKind(): ReadonlyMap<EventKindName, number> {
    return this.#kinds.byKind();
  }

  /** Functions that stage2_apply_range was called for. */
  applied(): ReadonlySet<string> {
    return this.#kinds.applied();
  }

  /** Most frequent first, then by name. */
  byName(names: NameTable): readonly NamedEvents[] {
    const found: NamedEvents[] = [];
    this.#byNameAndKind.forEach((count, cell) => {
      if (count === 0) return;
      const kind = EVENT_KINDS[cell % KINDS]!;
      found.push({ name: names.text(Math.floor(cell / KINDS)), kind, count });
    });
    return found.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  }
}
