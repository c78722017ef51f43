import type { EventBatch } from "../../events/columns.ts";
import type { EventTables } from "../../events/tables.ts";
import { clearRow } from "../../events/rows.ts";
import { AppliedFunctions } from "./applied-functions.ts";
import type { CpuStream } from "./cpu-stream.ts";
import type { DatEvent } from "./dat-event.ts";
import type { EventRows } from "./event-rows.ts";
import { FlatPlan, stepsOf } from "./flat-plan.ts";
import type { ProbeSite, ProbeSites } from "./probe-sites.ts";

/** Types of records that hold their payload's length in words. */
const MAX_SHORT_TYPE = 28;

/** Where a run of ordinary records ended. */
const Stop = {
  /** The stream stands at a record that belongs behind another CPU's, or in the next batch. */
  turn: 0,
  /** It stands at a record that is not ordinary. */
  record: 1,
  /** Its record has been used, and what follows is not ordinary. */
  advance: 2,
} as const;

/**
 * Turns records of one CPU into rows as long as no other CPU's is earlier. Ordinary records of a
 * little-endian file take a short way, from the page straight to the columns; everything else goes
 * through CpuStream and EventRows, which know what can be wrong.
 */
export class RecordRuns {
  readonly #rows: EventRows;
  readonly #batch: EventBatch;
  readonly #tables: EventTables;
  readonly #littleEndian: boolean;
  readonly #applied: AppliedFunctions;
  /** By event id; null: its records are never ordinary. */
  readonly #plans: (FlatPlan | null)[] = Array.from({ length: 0x1_0000 }, () => null);

  /** Plans by probe site, or by event where it is no probe. */
  readonly #made = new WeakMap<ProbeSite | DatEvent, FlatPlan | null>();

  constructor(tables: EventTables, rows: EventRows, sites: ProbeSites, littleEndian: boolean) {
    this.#applied = new AppliedFunctions(sites);
    this.#tables = tables;
    this.#batch = tables.batch;
    this.#rows = rows;
    this.#littleEndian = littleEndian;
  }

  /**
   * Uses the record that the stream stands at and those behind it that are not later than `untilNs`.
   * @returns false: the stream has no more in memory; otherwise it stands at a record not used yet.
   */
  run(stream: CpuStream, untilNs: number): boolean {
    const rows = this.#rows;
    for (;;) {
      const stop = this.#littleEndian ? this.#runOrdinary(stream, untilNs) : Stop.record;
      if (stop === Stop.turn) return true;
      if (stop === Stop.record) {
        const event = rows.add(stream);
        if (event !== undefined && this.#littleEndian) this.#planFor(event, stream);
      }
      if (!stream.advance()) return false;
      if (stream.orderNs > untilNs || !rows.hasRoom) return true;
    }
  }

  #runOrdinary(stream: CpuStream, untilNs: number): number {
    if (stream.missedCount !== -1 || stream.isAfterDamage) return Stop.record;
    if (stream.correction !== undefined) return Stop.record;
    const { cursor, view, cpu } = stream;
    const { end } = cursor;
    const batch = this.#batch;
    const { kind, name, cpu: cpus, pid, tsNs, line } = batch;
    const rows = this.#rows;
    const { firstNs } = rows;
    const plans = this.#plans;
    const from = batch.length;
    const rowEnd = rows.rowEnd;
    const lineOfRow0 = rows.records + 1 - from;
    const lastNs = Math.min(untilNs, stream.limitNs);
    let { payloadAt, payloadBytes, nextAt } = cursor;
    let { timeNs } = stream;
    let stop: number = Stop.record;
    let row = from;
    for (;;) {
      if (payloadBytes < 8) break;
      const plan = plans[view.getUint16(payloadAt, true)]!;
      if (plan === null || payloadBytes < plan.event.neededBytes) break;
      const { placeAt } = plan;
      if (
        placeAt >= 0 &&
        (view.getInt32(payloadAt + placeAt, true) !== plan.placeLow ||
          view.getInt32(payloadAt + placeAt + 4, true) !== plan.placeHigh)
      ) {
        break;
      }
      if (plan.count > 0 && !plan.read(view, payloadAt, row)) {
        clearRow(batch, row);
        break;
      }
      kind[row] = plan.kind;
      name[row] = plan.event.nameId;
      cpus[row] = cpu;
      pid[row] = view.getInt32(payloadAt + 4, true);
      tsNs[row] = timeNs - firstNs;
      line[row] = lineOfRow0 + row;
      plan.event.count += 1;
      row += 1;
      stop = Stop.advance;
      if (nextAt + 4 > end) break;
      const head = view.getUint32(nextAt, true);
      const words = head & 31;
      const next = nextAt + 4 + words * 4;
      const time = timeNs + (head >>> 5);
      if (words === 0 || words > MAX_SHORT_TYPE || next > end || time > stream.limitNs) break;
      payloadAt = nextAt + 4;
      payloadBytes = words * 4;
      nextAt = next;
      timeNs = time;
      stop = Stop.record;
      if (time <= lastNs && row < rowEnd) continue;
      stop = Stop.turn;
      break;
    }
    if (row === from) return stop;
    cursor.stand(payloadAt, payloadBytes, nextAt, timeNs);
    stream.timeNs = timeNs;
    stream.orderNs = timeNs;
    stream.recordCount += row - from;
    rows.addedUpTo(row);
    return stop;
  }

  /** The plan of the event whose record has just been read the long way: for the next of its kind. */
  #planFor(event: DatEvent, stream: CpuStream): void {
    const key = event.site ?? event;
    let plan = this.#made.get(key);
    if (plan === undefined) {
      const steps = stepsOf(event);
      const { batch, pointers } = this.#tables;
      plan =
        steps === undefined
          ? null
          : new FlatPlan(event, event.site, steps, batch, pointers, this.#applied);
      this.#made.set(key, plan);
    }
    this.#plans[stream.view.getUint16(stream.cursor.payloadAt, true)] = plan;
  }
}
