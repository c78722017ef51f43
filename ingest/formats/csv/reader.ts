import { Diagnostics, quoteForMessage } from "../../diagnostics.ts";
import { TraceError } from "../../errors.ts";
import { createEventBatch, type EventBatch } from "../../events/columns.ts";
import { EventKind, UNKNOWN_CPU } from "../../events/kinds.ts";
import { NameTable } from "../../events/names.ts";
import { PointerTable } from "../../events/pointers.ts";
import { clearRow, emptyBatch } from "../../events/rows.ts";
import type { TraceInfo, TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import { parseQuantity, parseTimeNs } from "./cells.ts";
import { type CsvHeader, readHeader } from "./header.ts";
import { type CsvRecord, RecordSource } from "./record-source.ts";
import { meaningOfEvent, meaningOfKind, RowPlan } from "./row-plan.ts";

const MAX_PID = 0x7fffffff;
/** A name that would be a formula, with a writer's `'` in front. */
// oxlint-disable-next-line no-control-regex -- a formula may begin with one
const GUARDED = /^'+[=+\-@\t\r\0]/;

/** Reads an event CSV, see CSV_COLUMNS. Made to be exact and to lose nothing, not to be fast. */
export class CsvReader implements TraceReader {
  readonly pointers: PointerTable = new PointerTable();
  readonly names: NameTable = new NameTable();
  readonly diagnostics: Diagnostics;
  readonly #source: ByteSource;
  readonly #records = new RecordSource();
  readonly #batch: EventBatch = createEventBatch();
  readonly #plans = new Map<string, RowPlan>();
  readonly #eventsByName = new Map<string, number>();
  readonly #said = new Set<string>();
  #header: CsvHeader | undefined;
  #events = 0;
  #baseNs: bigint | undefined;
  #firstTsNs = Number.NaN;
  #lastTsNs = Number.NaN;

  constructor(source: ByteSource) {
    this.#source = source;
    this.diagnostics = new Diagnostics(source.path);
    emptyBatch(this.#batch, this.#batch.capacity);
  }

  get baseNs(): bigint {
    return this.#baseNs ?? 0n;
  }

  async *batches(): AsyncGenerator<EventBatch, void, undefined> {
    const batch = this.#batch;
    const broken = (reason: string, line: number): void => {
      this.diagnostics.add(
        "TRUNCATED",
        `reading stopped where the text is no CSV: ${reason}`,
        line,
      );
    };
    for await (const records of this.#records.read(this.#source.chunks, broken)) {
      for (const record of records) {
        this.#readRecord(record);
        if (batch.length < batch.capacity) continue;
        yield batch;
        emptyBatch(batch, batch.length);
      }
    }
    const damage = this.#source.damage();
    if (damage !== undefined) this.diagnostics.add("DAMAGED_COMPRESSION", damage);
    if (batch.length > 0) yield batch;
    emptyBatch(batch, batch.length);
  }

  info(): TraceInfo {
    const names = [...this.#eventsByName].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      path: this.#source.path,
      format: "csv",
      layout: this.#header === undefined ? "no header" : `columns ${this.#header.names.join(",")}`,
      compression: this.#source.compression,
      bytes: this.#source.stored.bytes,
      sha256: this.#source.stored.sha256(),
      lines: this.#records.lines,
      events: this.#events,
      baseNs: this.baseNs,
      firstTsNs: this.#firstTsNs,
      lastTsNs: this.#lastTsNs,
      eventsByName: new Map(names),
      entriesInBuffer: undefined,
      entriesWritten: undefined,
    };
  }

  #readRecord({ cells, line }: CsvRecord): void {
    if (this.#header === undefined) {
      this.#header = readHeader(cells, this.#source.path);
      for (const name of this.#header.unknown) {
        this.diagnostics.add("UNKNOWN_ARGUMENT", `column \`${name}\``, line);
      }
      return;
    }
    const newlines = cells.reduce((n, cell) => n + (cell.match(/\n/g)?.length ?? 0), 0);
    if (newlines > 0) {
      // No value of this format holds a line end: a stray quote has swallowed the lines up to the next.
      this.#lose("a quote that goes on over lines", cells, line, newlines + 1);
    } else if (cells.length !== this.#header.names.length) {
      const expected = this.#header.names.length;
      this.#lose(`${cells.length} cells where the header has ${expected}`, cells, line, 1);
    } else {
      this.#readEvent(this.#header, cells, line);
    }
  }

  #readEvent(header: CsvHeader, cells: readonly string[], line: number): void {
    const ns = parseTimeNs(cells[header.time]!, header.timeIsSeconds);
    const cpu = parseSmall(cells, header.cpu, UNKNOWN_CPU);
    const pid = parseSmall(cells, header.pid, MAX_PID);
    if (ns === undefined) return this.#lose("the time is not a number", cells, line, 1);
    if (cpu === undefined) return this.#lose("the CPU is not a number", cells, line, 1);
    if (pid === undefined) return this.#lose("the pid is not a number", cells, line, 1);
    const tsNs = Number(ns - (this.#baseNs ?? ns));
    if (!Number.isSafeInteger(tsNs))
      return this.#lose("the time is too far from the first", cells, line, 1);
    this.#baseNs ??= ns;

    const batch = this.#batch;
    const row = batch.length;
    const kind = header.kind === undefined ? "" : cells[header.kind]!;
    const event = kind === "" ? cells[header.event]! : withoutGuard(cells[header.event]!);
    batch.cpu[row] = cpu < 0 ? UNKNOWN_CPU : cpu;
    batch.pid[row] = pid;
    batch.tsNs[row] = tsNs;
    batch.line[row] = line;
    batch.name[row] = this.names.idOf(event);
    batch.kind[row] = this.#fillRow(header, event, kind, cells, line, row);
    batch.length = row + 1;
    this.#countEvent(event, batch.kind[row], tsNs, line);
  }

  /** Fills the event's own columns; gives the kind. */
  #fillRow(
    header: CsvHeader,
    event: string,
    kind: string,
    cells: readonly string[],
    line: number,
    row: number,
  ): number {
    const plan = kind === "" ? this.#planFor(header, event, cells) : this.#planOf(header, kind);
    if (plan === undefined) {
      const what = kind === "" ? `event \`${event}\` is no kind and no known function` : "";
      if (kind === "") this.#once("UNSUPPORTED_EVENT", what, line);
      else this.diagnostics.add("BAD_NUMBER", `\`${kind}\` is no kind: ${quote(cells)}`, line);
      return EventKind.other;
    }
    for (const index of plan.strange) {
      if (cells[index] === "") continue;
      this.#once("UNKNOWN_ARGUMENT", `column \`${header.names[index]}\` of ${event}`, line);
    }
    const problem = plan.fill(cells, this.#batch, row);
    if (problem === undefined) return plan.kind;
    clearRow(this.#batch, row);
    this.diagnostics.add(problem.code, `${event}: ${problem.reason}: ${quote(cells)}`, line);
    return EventKind.other;
  }

  /** By a `kind` cell, whatever the event is called. */
  #planOf(header: CsvHeader, kind: string): RowPlan | undefined {
    const key = `kind ${kind}`;
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const meaning = meaningOfKind(kind);
    if (meaning === undefined) return undefined;
    const plan = new RowPlan(meaning, header, this.pointers);
    this.#plans.set(key, plan);
    return plan;
  }

  #planFor(header: CsvHeader, event: string, cells: readonly string[]): RowPlan | undefined {
    const isReturn = ["ret", "retval", "rc"].some(
      (name) => (cells[header.names.indexOf(name)] ?? "") !== "",
    );
    const key = isReturn ? `${event} ret` : event;
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const alreadyReturn = event.endsWith("_ret");
    const meaning = meaningOfEvent(event, isReturn && !alreadyReturn);
    if (meaning === undefined) return undefined;
    const plan = new RowPlan(meaning, header, this.pointers);
    this.#plans.set(key, plan);
    return plan;
  }

  #countEvent(event: string, kind: number, tsNs: number, line: number): void {
    if (kind === EventKind.lost) {
      const count = this.#batch.arg0[this.#batch.length - 1]!;
      const detail = Number.isNaN(count) ? "it is not known how many" : `${count} events`;
      this.diagnostics.add("EVENTS_LOST", detail, line, 0, Number.isNaN(count) ? 1 : count);
      return;
    }
    this.#events += 1;
    this.#eventsByName.set(event, (this.#eventsByName.get(event) ?? 0) + 1);
    if (tsNs < this.#lastTsNs)
      this.diagnostics.add("TIME_BACKWARDS", `by ${this.#lastTsNs - tsNs} ns`, line);
    if (Number.isNaN(this.#firstTsNs)) this.#firstTsNs = tsNs;
    this.#lastTsNs = tsNs;
  }

  #lose(reason: string, cells: readonly string[], line: number, times: number): void {
    this.diagnostics.add("UNPARSED_LINE", `${reason}: ${quote(cells)}`, line, 0, times);
  }

  #once(code: "UNKNOWN_ARGUMENT" | "UNSUPPORTED_EVENT", detail: string, line: number): void {
    if (this.#said.has(detail)) {
      this.diagnostics.tally(code, 1);
      return;
    }
    this.#said.add(detail);
    this.diagnostics.add(code, detail, line);
  }
}

function quote(cells: readonly string[]): string {
  return quoteForMessage(cells.join(","));
}

/** A name as it was before a writer guarded it against spreadsheets. */
function withoutGuard(event: string): string {
  return GUARDED.test(event) ? event.slice(1) : event;
}

/** A cell that holds a small number; -1 where it is absent, undefined where it is no such number. */
function parseSmall(
  cells: readonly string[],
  index: number | undefined,
  max: number,
): number | undefined {
  const cell = index === undefined ? "" : cells[index]!;
  if (cell === "" || cell === "-1") return -1;
  const value = parseQuantity(cell);
  return value === undefined || value > max ? undefined : value;
}

/** @throws TraceError WRONG_FORMAT where the first record is no header of this format. */
export function requireCsv(source: ByteSource, reason: string, applies: boolean): void {
  if (!applies) throw new TraceError("WRONG_FORMAT", `not an event CSV: ${reason}`, source.path);
}
