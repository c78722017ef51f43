import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind, UNKNOWN_CPU } from "../../ingest/events/kinds.ts";

/** Events that are missing, as the trace itself shows it. Times relative to the trace's base. */
export interface LossInterval {
  /** Undefined: of a CPU that the trace does not name, or of all. */
  readonly cpu: number | undefined;
  /** Undefined: not known. */
  readonly count: number | undefined;
  /** Last event before it on that CPU; undefined: none, it lies before what the trace shows of it. */
  readonly fromNs: number | undefined;
  /** First event behind it on that CPU; undefined: none came. */
  readonly toNs: number | undefined;
  /** Line that says it. */
  readonly line: number;
}

interface OpenLoss {
  readonly fromNs: number | undefined;
  readonly line: number;
  count: number | undefined;
}

/** So many intervals are kept; all are counted. */
const MAX_INTERVALS = 256;
/** Stands for the CPU of a loss that names none: any event ends it. */
const ANY = UNKNOWN_CPU;

/** Where events are missing: for each CPU between which of its events. Memory: a few numbers a CPU. */
export class LossSurvey {
  readonly #lastNs: number[] = [];
  readonly #open = new Map<number, OpenLoss>();
  readonly intervals: LossInterval[] = [];
  /** Intervals in all, also those that were not kept. */
  count = 0;

  consume(batch: EventBatch): void {
    const { kind, cpu, tsNs } = batch;
    for (let row = 0; row < batch.length; row += 1) {
      const on = cpu[row]!;
      if (kind[row] === EventKind.lost) {
        this.#lost(on, batch.arg0[row]!, batch.line[row]!);
        continue;
      }
      const ns = tsNs[row]!;
      if (this.#open.size > 0) {
        this.#close(on, ns);
        if (on !== ANY) this.#close(ANY, ns);
      }
      this.#lastNs[on] = ns;
      if (on !== ANY) this.#lastNs[ANY] = ns;
    }
  }

  finish(): void {
    for (const cpu of [...this.#open.keys()].sort((a, b) => a - b)) this.#close(cpu, undefined);
  }

  #lost(cpu: number, count: number, line: number): void {
    const known = Number.isNaN(count) ? undefined : Math.abs(count);
    const open = this.#open.get(cpu);
    if (open === undefined) {
      this.#open.set(cpu, { fromNs: this.#lastNs[cpu], line, count: known });
    } else {
      // Nothing came between them: one interval, of at least so many.
      open.count = open.count === undefined || known === undefined ? undefined : open.count + known;
    }
  }

  #close(cpu: number, toNs: number | undefined): void {
    const open = this.#open.get(cpu);
    if (open === undefined) return;
    this.#open.delete(cpu);
    this.count += 1;
    if (this.intervals.length >= MAX_INTERVALS) return;
    const of = cpu === ANY ? undefined : cpu;
    this.intervals.push({ cpu: of, count: open.count, fromNs: open.fromNs, toNs, line: open.line });
  }
}
