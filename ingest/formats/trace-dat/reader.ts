import type { ProbeNames } from "../../beside/probe-names.ts";
import { Diagnostics } from "../../diagnostics.ts";
import { createEventBatch, type EventBatch } from "../../events/columns.ts";
import { NameTable } from "../../events/names.ts";
import { PointerTable } from "../../events/pointers.ts";
import { emptyBatch } from "../../events/rows.ts";
import type { TraceInfo, TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import { randomBytesOf, type RandomBytes } from "../../source/random-bytes.ts";
import type { CpuStatistics } from "./cpu-statistics.ts";
import { DatProblems } from "./dat-problems.ts";
import { describeDat, isTickClock } from "./describe.ts";
import { EventRows } from "./event-rows.ts";
import { Losses } from "./losses.ts";
import { MergeHeap } from "./merge-heap.ts";
import { openDat, type OpenedDat } from "./open-dat.ts";
import { pageLayoutOf } from "./page-layout.ts";
import type { Preamble } from "./preamble.ts";
import { ProbeSites } from "./probe-sites.ts";
import { RecordRuns } from "./record-runs.ts";
import { startStreams } from "./start-streams.ts";
import type { CpuStream } from "./cpu-stream.ts";
import { TimeBase } from "./time-base.ts";
import { TraceClock } from "./time-correction.ts";
import type { Packing } from "./unpack.ts";

/** Reads a trace.dat file: the pages of all CPUs at once, merged by time. */
export class DatReader implements TraceReader {
  readonly pointers: PointerTable = new PointerTable();
  readonly names: NameTable = new NameTable();
  readonly diagnostics: Diagnostics;
  readonly #source: ByteSource;
  readonly #names: ProbeNames;
  readonly #preamble: Preamble;
  readonly #packing: Packing | undefined;
  readonly #instance: string | undefined;
  readonly #problems: DatProblems;
  readonly #base = new TimeBase();
  readonly #batch: EventBatch;
  #opened: OpenedDat | undefined;
  #rows: EventRows | undefined;

  /**
   * @param names what tells a probe's function where the file's own symbols do not.
   * @param instance name of the buffer to read; undefined: the top one, or the only one with events.
   */
  constructor(
    source: ByteSource,
    preamble: Preamble,
    packing: Packing | undefined,
    names: ProbeNames,
    instance: string | undefined,
  ) {
    this.#source = source;
    this.#names = names;
    this.#preamble = preamble;
    this.#packing = packing;
    this.#instance = instance;
    this.#batch = createEventBatch();
    this.diagnostics = new Diagnostics(source.path);
    this.#problems = new DatProblems(this.diagnostics);
    emptyBatch(this.#batch, this.#batch.capacity);
  }

  get baseNs(): bigint {
    return this.#rows?.baseNs ?? 0n;
  }

  async *batches(): AsyncGenerator<EventBatch, void, undefined> {
    const file = await randomBytesOf(this.#source);
    try {
      yield* this.#readFrom(file);
    } finally {
      await file.close();
    }
  }

  info(): TraceInfo {
    const rows = this.#rows;
    return {
      path: this.#source.path,
      format: "trace-dat",
      layout: describeDat(this.#preamble, this.#opened),
      compression: this.#source.compression,
      bytes: this.#source.stored.bytes,
      sha256: this.#source.stored.sha256(),
      lines: rows?.records ?? 0,
      events: rows?.events ?? 0,
      clock: this.#opened?.buffer?.clock,
      isTicks: isTickClock(this.#opened?.buffer?.clock),
      baseNs: this.baseNs,
      firstTsNs: (rows?.events ?? 0) > 0 ? 0 : Number.NaN,
      lastTsNs: rows?.lastTsNs ?? Number.NaN,
      eventsByName: rows?.eventsByName() ?? new Map<string, number>(),
      entriesInBuffer: undefined,
      entriesWritten: undefined,
      statisticsCounted: true,
    };
  }

  async *#readFrom(file: RandomBytes): AsyncGenerator<EventBatch, void, undefined> {
    const damage = this.#source.damage();
    if (damage !== undefined) {
      this.#problems.note("DAMAGED_COMPRESSION", damage.reason, damage.byteOffset);
    }
    const { path } = this.#source;
    const opened = await openDat(
      file,
      this.#preamble,
      this.#packing,
      this.#problems,
      path,
      this.#instance,
    );
    this.#opened = opened;
    this.#noteTimes(opened);
    const { buffer, contents } = opened;
    const layout = pageLayoutOf(this.#preamble, contents, buffer.pageBytes);
    const streams = await startStreams(
      file,
      buffer.regions,
      layout,
      this.#packing,
      this.#base,
      this.#problems,
    );
    const clock = new TraceClock(this.#base, contents.times);
    for (const stream of streams) stream.correction = clock.correction;
    const sites = new ProbeSites(opened.symbols, this.#names.definitions);
    const statistics = contents.statistics.get(buffer.name) ?? new Map<number, CpuStatistics>();
    const losses = new Losses(statistics, this.#problems);
    const tables = { batch: this.#batch, pointers: this.pointers, names: this.names };
    const rows = new EventRows(
      tables,
      layout.littleEndian,
      opened.formats,
      sites,
      losses,
      this.#problems,
      clock,
    );
    this.#rows = rows;
    const runs = new RecordRuns(tables, rows, sites, layout.littleEndian);
    yield* this.#merge(streams, rows, runs);
    // CPUs that should have events, by their statistics, and have no pages at all.
    for (const cpu of statistics.keys()) {
      if (streams.some((stream) => stream.cpu === cpu)) continue;
      if (!rows.hasRoom) yield* this.#handOver();
      rows.endCpu(cpu, 0);
    }
    yield* this.#handOver();
  }

  async *#merge(
    streams: readonly CpuStream[],
    rows: EventRows,
    runs: RecordRuns,
  ): AsyncGenerator<EventBatch, void, undefined> {
    const started: CpuStream[] = [];
    for (const stream of streams) {
      if (!rows.hasRoom) yield* this.#handOver();
      if (stream.advance() || (await stream.load())) started.push(stream);
      else rows.end(stream);
    }
    rows.begin(started);
    const heap = new MergeHeap(started);
    for (let stream = heap.first; stream !== undefined; stream = heap.first) {
      if (!rows.hasRoom) yield* this.#handOver();
      if (runs.run(stream, heap.untilNs) || (await stream.load())) heap.firstMoved();
      else {
        rows.end(stream);
        heap.removeFirst();
      }
    }
  }

  *#handOver(): Generator<EventBatch, void, undefined> {
    const batch = this.#batch;
    const rows = batch.length;
    if (rows === 0) return;
    yield batch;
    emptyBatch(batch, rows);
  }

  #noteTimes({ contents, buffer }: OpenedDat): void {
    if (isTickClock(buffer.clock) && contents.times.ticks === undefined) {
      const what = `the trace clock ${buffer.clock} counts no ns: 1 tick is taken for 1 ns`;
      this.#problems.note("ASSUMED", what, 0);
    }
    for (const what of contents.unapplied) {
      const detail = `the file has ${what}, which is not applied: times are the clock's own`;
      this.#problems.note("ASSUMED", detail, 0);
    }
  }
}
