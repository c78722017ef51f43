import { type Diagnostics, quoteForMessage } from "../../diagnostics.ts";
import { createEventBatch, type EventBatch } from "../../events/columns.ts";
import { EventKind, UNKNOWN_CPU } from "../../events/kinds.ts";
import type { NameTable } from "../../events/names.ts";
import type { PointerTable } from "../../events/pointers.ts";
import { clearRow, emptyBatch } from "../../events/rows.ts";
import { textOf } from "../bytes.ts";
import { parseQuantity, parseTimeNs } from "./cells.ts";
import { type CsvHeader, readHeader } from "./header.ts";
import { PlainRows } from "./plain-rows.ts";
import type { CsvRecord } from "./record-source.ts";
import { meaningOfEvent, meaningOfKind, RowPlan } from "./row-plan.ts";

const MAX_PID = 0x7fffffff;
/** A name that would be a formula, with a writer's `'` in front. */
// oxlint-disable-next-line no-control-regex -- a formula may begin with one
const GUARDED = /^'+[=+\-@\t\r\0]/;

/** Turns the records of an event CSV into rows; the first record is the header. */
export class CsvRows {
  readonly batch: EventBatch = createEventBatch();
  header: CsvHeader | undefined;
  events = 0;
  /** Time of the first row. */
  baseNs: bigint | undefined;
  firstTsNs: number = Number.NaN;
  lastTsNs: number = Number.NaN;
  readonly #path: string;
  readonly #diagnostics: Diagnostics;
  readonly #pointers: PointerTable;
  readonly #names: NameTable;
  #fast: PlainRows | undefined;
  readonly #plans = new Map<string, RowPlan>();
  readonly #eventsByName = new Map<string, number>();
  readonly #said = new Set<string>();

  constructor(diagnostics: Diagnostics, pointers: PointerTable, names: NameTable) {
    this.#path = diagnostics.path;
    this.#diagnostics = diagnostics;
    this.#pointers = pointers;
    this.#names = names;
    emptyBatch(this.batch, this.batch.capacity);
  }

  get hasRoom(): boolean {
    return this.batch.length < this.batch.capacity;
  }

  /** Events by name, sorted. */
  eventsByName(): ReadonlyMap<string, number> {
    const byName = new Map(this.#eventsByName);
    for (const [event, count] of this.#fast?.counts() ?? []) {
      if (count > 0) byName.set(event, (byName.get(event) ?? 0) + count);
    }
    return new Map([...byName].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A record without quotes: the fast way, or where that does not do, the same as any other. */
  readPlain(bytes: Uint8Array, start: number, ends: Int32Array, count: number, line: number): void {
    const batch = this.batch;
    const row = batch.length;
    const header = this.header;
    if (this.#fast !== undefined && count === header?.names.length) {
      if (this.#fast.fill(bytes, start, ends, batch, row)) {
        batch.line[row] = line;
        batch.length = row + 1;
        this.events += 1;
        this.#noteTime(batch.tsNs[row]!, line);
        return;
      }
      clearRow(batch, row);
    }
    const cells: string[] = [];
    let from = start;
    for (let i = 0; i < count; i += 1) {
      cells.push(textOf(bytes, from, ends[i]!));
      from = ends[i]! + 1;
    }
    this.read({ cells, line });
    if (header !== undefined && batch.length === row + 1) this.#learn(header, cells, row);
  }

  /** Remembers how the slow way has taken a row. */
  #learn(header: CsvHeader, cells: readonly string[], row: number): void {
    if (this.baseNs === undefined || !PlainRows.suits(header)) return;
    this.#fast ??= new PlainRows(header, this.#pointers, this.baseNs);
    const kind = header.kind === undefined ? "" : cells[header.kind]!;
    const event = this.#names.text(this.batch.name[row]!);
    const plan = kind === "" ? this.#planFor(header, event, cells) : this.#planOf(header, kind);
    if (plan !== undefined) this.#fast.learn(cells, plan, this.batch.name[row]!, event);
  }

  /** Reads a record: the header, an event, or a loss. */
  read({ cells, line }: CsvRecord): void {
    if (this.header === undefined) {
      this.header = readHeader(cells, this.#path);
      for (const name of this.header.unknown) {
        this.#diagnostics.add("UNKNOWN_ARGUMENT", `column \`${name}\``, line);
      }
      return;
    }
    const newlines = cells.reduce((n, cell) => n + (cell.match(/\n/g)?.length ?? 0), 0);
    if (newlines > 0) {
      // No value of this format holds a line end: a stray quote has swallowed the lines up to the next.
      this.#lose("a quote that goes on over lines", cells, line, newlines + 1);
    } else if (cells.length !== this.header.names.length) {
      const expected = this.header.names.length;
      this.#lose(`${cells.length} cells where the header has ${expected}`, cells, line, 1);
    } else {
      this.#readEvent(this.header, cells, line);
    }
  }

  #readEvent(header: CsvHeader, cells: readonly string[], line: number): void {
    const ns = parseTimeNs(cells[header.time]!, header.timeIsSeconds);
    const cpu = parseSmall(cells, header.cpu, UNKNOWN_CPU);
    const pid = parseSmall(cells, header.pid, MAX_PID);
    if (ns === undefined) return this.#lose("the time is not a number", cells, line, 1);
    if (cpu === undefined) return this.#lose("the CPU is not a number", cells, line, 1);
    if (pid === undefined) return this.#lose("the pid is not a number", cells, line, 1);
    const tsNs = Number(ns - (this.baseNs ?? ns));
    if (!Number.isSafeInteger(tsNs))
      return this.#lose("the time is too far from the first", cells, line, 1);
    this.baseNs ??= ns;

    const batch = this.batch;
    const row = batch.length;
    const kind = header.kind === undefined ? "" : cells[header.kind]!;
    const event = kind === "" ? cells[header.event]! : withoutGuard(cells[header.event]!);
    batch.cpu[row] = cpu < 0 ? UNKNOWN_CPU : cpu;
    batch.pid[row] = pid;
    batch.tsNs[row] = tsNs;
    batch.line[row] = line;
    batch.name[row] = this.#names.idOf(event);
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
      else this.#diagnostics.add("BAD_NUMBER", `\`${kind}\` is no kind: ${quote(cells)}`, line);
      return EventKind.other;
    }
    for (const index of plan.strange) {
      if (cells[index] === "") continue;
      this.#once("UNKNOWN_ARGUMENT", `column \`${header.names[index]}\` of ${event}`, line);
    }
    const problem = plan.fill(cells, this.batch, row);
    if (problem === undefined) return plan.kind;
    clearRow(this.batch, row);
    this.#diagnostics.add(problem.code, `${event}: ${problem.reason}: ${quote(cells)}`, line);
    return EventKind.other;
  }

  /** By a `kind` cell, whatever the event is called. */
  #planOf(header: CsvHeader, kind: string): RowPlan | undefined {
    const key = `kind ${kind}`;
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const meaning = meaningOfKind(kind);
    if (meaning === undefined) return undefined;
    const plan = new RowPlan(meaning, header, this.#pointers);
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
    const plan = new RowPlan(meaning, header, this.#pointers);
    this.#plans.set(key, plan);
    return plan;
  }

  #countEvent(event: string, kind: number, tsNs: number, line: number): void {
    if (kind === EventKind.lost) {
      const count = this.batch.arg0[this.batch.length - 1]!;
      const detail = Number.isNaN(count) ? "it is not known how many" : `${count} events`;
      this.#diagnostics.add("EVENTS_LOST", detail, line, 0, Number.isNaN(count) ? 1 : count);
      return;
    }
    this.events += 1;
    this.#eventsByName.set(event, (this.#eventsByName.get(event) ?? 0) + 1);
    this.#noteTime(tsNs, line);
  }

  #noteTime(tsNs: number, line: number): void {
    if (tsNs < this.lastTsNs)
      this.#diagnostics.add("TIME_BACKWARDS", `by ${this.lastTsNs - tsNs} ns`, line);
    if (Number.isNaN(this.firstTsNs)) this.firstTsNs = tsNs;
    this.lastTsNs = tsNs;
  }

  #lose(reason: string, cells: readonly string[], line: number, times: number): void {
    this.#diagnostics.add("UNPARSED_LINE", `${reason}: ${quote(cells)}`, line, 0, times);
  }

  #once(code: "UNKNOWN_ARGUMENT" | "UNSUPPORTED_EVENT", detail: string, line: number): void {
    if (this.#said.has(detail)) {
      this.#diagnostics.tally(code, 1);
      return;
    }
    this.#said.add(detail);
    this.#diagnostics.add(code, detail, line);
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
