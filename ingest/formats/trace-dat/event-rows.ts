import type { EventBatch } from "../../events/columns.ts";
import { EventKind, UNKNOWN_CPU } from "../../events/kinds.ts";
import type { NameTable } from "../../events/names.ts";
import type { EventTables } from "../../events/tables.ts";
import type { CpuStream } from "./cpu-stream.ts";
import { DatEvent, DatEventForm } from "./dat-event.ts";
import type { DatProblems } from "./dat-problems.ts";
import type { FormatTexts } from "./format-texts.ts";
import type { Losses } from "./losses.ts";
import type { ProbeSites } from "./probe-sites.ts";
import { RecordReader } from "./record-reader.ts";
import type { TraceClock } from "./time-correction.ts";

/** Where each record has its event id (u16) and its task (i32), in every kernel so far. */
const ID_AT = 0;
const PID_AT = 4;
const COMMON_BYTES = 8;
/** A record can bring the rows of losses in front of it and behind it. */
const ROWS_PER_RECORD = 8;

/** Turns records, in the order of time, into rows. */
export class EventRows {
  /** Records seen, and those of them that became events. */
  records = 0;
  events = 0;
  /** Of the last event; NaN before the first. */
  lastTsNs: number = Number.NaN;
  /** Time, as the streams have it, that the rows' times count from. */
  firstNs = 0;
  readonly #batch: EventBatch;
  readonly #names: NameTable;
  readonly #littleEndian: boolean;
  readonly #formats: FormatTexts;
  readonly #reader: RecordReader;
  readonly #losses: Losses;
  readonly #problems: DatProblems;
  readonly #clock: TraceClock;
  /** By event id; null: the file does not describe it. */
  readonly #known: (DatEvent | null | undefined)[] = [];

  constructor(
    tables: EventTables,
    littleEndian: boolean,
    formats: FormatTexts,
    sites: ProbeSites,
    losses: Losses,
    problems: DatProblems,
    clock: TraceClock,
  ) {
    this.#batch = tables.batch;
    this.#names = tables.names;
    this.#littleEndian = littleEndian;
    this.#formats = formats;
    this.#reader = new RecordReader(littleEndian, tables, sites, problems);
    this.#losses = losses;
    this.#problems = problems;
    this.#clock = clock;
  }

  /** Whether the batch has room for one more record and what comes with it. */
  get hasRoom(): boolean {
    return this.#batch.length + ROWS_PER_RECORD <= this.#batch.capacity;
  }

  /** The batch has room as long as it has fewer rows. */
  get rowEnd(): number {
    return this.#batch.capacity - ROWS_PER_RECORD + 1;
  }

  /** Clock value that the rows' times count from. */
  get baseNs(): bigint {
    return this.#clock.absolute(this.firstNs);
  }

  /** Takes the first event's time as the one to count from. */
  begin(streams: readonly CpuStream[]): void {
    if (streams.length === 0) return;
    this.firstNs = streams.reduce((first, { orderNs }) => Math.min(first, orderNs), Infinity);
  }

  /**
   * Adds the record that the stream stands at, and in front of it what was lost before it.
   * @returns what it is; undefined where it could not be read.
   */
  add(stream: CpuStream): DatEvent | undefined {
    if (stream.missedCount !== -1 || stream.isAfterDamage) this.#addLosses(stream);
    this.records += 1;
    const { cpu, view } = stream;
    const { payloadAt, payloadBytes } = stream.cursor;
    const event = payloadBytes < COMMON_BYTES ? null : this.#eventOf(view, payloadAt);
    if (event === null || payloadBytes < event.neededBytes) {
      this.#addUnknown(stream, event);
      return undefined;
    }
    const batch = this.#batch;
    const row = batch.length;
    const tsNs = stream.orderNs - this.firstNs;
    batch.cpu[row] = cpu;
    batch.pid[row] = view.getInt32(payloadAt + PID_AT, this.#littleEndian);
    batch.tsNs[row] = tsNs;
    batch.line[row] = this.records;
    this.#reader.record = this.records;
    this.#reader.byteOffset = stream.byteOffset;
    this.#reader.read(event, view, payloadAt, batch, row);
    batch.length = row + 1;
    this.events += 1;
    stream.recordCount += 1;
    this.lastTsNs = tsNs;
    return event;
  }

  /** Counts the rows up to `end`, each of a record, that were written straight into the batch. */
  addedUpTo(end: number): void {
    const added = end - this.#batch.length;
    this.#batch.length = end;
    this.records += added;
    this.events += added;
    this.lastTsNs = this.#batch.tsNs[end - 1]!;
  }

  /** Adds what the stream lost behind its last record. */
  end(stream: CpuStream): void {
    this.#addLosses(stream);
    this.endCpu(stream.cpu, stream.recordCount);
  }

  /** Adds what a CPU's statistics count beyond the records that the file has of it. */
  endCpu(cpu: number, records: number): void {
    const lost = this.#losses.atEnd(cpu, records, this.records);
    if (lost > 0) this.#lostRow(cpu, lost);
  }

  /** Counts by name as the kernel's text names events, sorted by name. */
  eventsByName(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    const count = (name: string, n: number): void => {
      if (n > 0) counts.set(name, (counts.get(name) ?? 0) + n);
    };
    for (const event of this.#known) {
      if (event === null || event === undefined) continue;
      if (event.form !== DatEventForm.print) count(event.name, event.count);
      else for (const [caller, n] of event.countsByCaller) count(caller, n);
    }
    return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #eventOf(view: DataView, at: number): DatEvent | null {
    const id = view.getUint16(at + ID_AT, this.#littleEndian);
    const known = this.#known[id];
    if (known !== undefined) return known;
    const format = this.#formats.get(id);
    const event = format === undefined ? null : new DatEvent(format, COMMON_BYTES, this.#names);
    this.#known[id] = event;
    return event;
  }

  #addUnknown(stream: CpuStream, event: DatEvent | null): void {
    const { payloadAt, payloadBytes } = stream.cursor;
    const id = payloadBytes >= 2 ? stream.view.getUint16(payloadAt, this.#littleEndian) : -1;
    const what =
      event === null
        ? `event id ${id} is not described`
        : `${event.name} in ${payloadBytes} bytes instead of ${event.neededBytes}`;
    const detail = `CPU ${stream.cpu}: ${what}`;
    this.#problems.note("UNKNOWN_EVENT", detail, stream.byteOffset, this.records);
    stream.recordCount += 1;
    this.#lostRow(stream.cpu, 1);
  }

  #addLosses(stream: CpuStream): void {
    if (stream.missedCount !== -1) {
      const { cpu, missedCount, byteOffset } = stream;
      this.#lostRow(cpu, this.#losses.atPage(cpu, missedCount, byteOffset, this.records));
      stream.missedCount = -1;
    }
    if (stream.isAfterDamage) {
      this.#lostRow(stream.cpu, Number.NaN);
      stream.isAfterDamage = false;
    }
  }

  /** Pid -1, the time of the event before it (0 before the first) and `arg0` = how many. */
  #lostRow(cpu: number, count: number): void {
    const batch = this.#batch;
    const row = batch.length;
    batch.kind[row] = EventKind.lost;
    batch.cpu[row] = Math.min(cpu, UNKNOWN_CPU);
    batch.pid[row] = -1;
    batch.tsNs[row] = this.events === 0 ? 0 : this.lastTsNs;
    batch.line[row] = this.records;
    batch.arg0[row] = count;
    batch.length = row + 1;
  }
}
