import type { EventBatch } from "../../events/columns.ts";
import { EventKind } from "../../events/kinds.ts";
import { clearRow } from "../../events/rows.ts";
import type { EventTables } from "../../events/tables.ts";
import { BRACKET_OPEN, literal, matchesAt, PAREN_OPEN, SPACE } from "../bytes.ts";
import type { EventContext } from "./context-fields.ts";
import { type EventName, EventNames } from "./event-names.ts";
import { ProbeLine, ProbeLines } from "./probe-lines.ts";
import { KERNEL_PLACES, type ProbePlaces } from "./probe-places.ts";
import type { LineProblems } from "./problems.ts";
import { RawFields } from "./raw-fields.ts";
import { StockText } from "./stock-text.ts";
import { TraceClock } from "./trace-clock.ts";

const UNDERSCORE = 95;
const FAILED_TO_PARSE = literal("[FAILED TO PARSE]");

/** Turns the context and the text of an event into a row, whichever format the line is of. */
export class EventRows {
  readonly clock: TraceClock;
  readonly names: EventNames;
  readonly probes: ProbeLines;
  /** Event lines so far. */
  events = 0;
  /** Whether the last event was free text, which the next line may continue. */
  afterMarker = false;
  /** Whether it ended inside a string. */
  afterOpenString = false;
  readonly #stock = new StockText();
  /** Of a format whose texts were printed by the tracing library of trace-cmd and perf. */
  readonly #raw: RawFields | undefined;
  readonly #batch: EventBatch;
  readonly #problems: LineProblems;

  /**
   * @param libraryPlaces of a format that the tracing library prints; without it: the kernel's text.
   * @param kernelPlaces how the kernel's own text says where a probe sits.
   */
  constructor(
    tables: EventTables,
    problems: LineProblems,
    libraryPlaces?: ProbePlaces,
    kernelPlaces: ProbePlaces = KERNEL_PLACES,
  ) {
    this.#batch = tables.batch;
    this.#problems = problems;
    this.names = new EventNames(tables.names);
    this.probes = new ProbeLines(tables.pointers, problems, libraryPlaces ?? kernelPlaces);
    this.#raw = libraryPlaces === undefined ? undefined : new RawFields();
    this.clock = new TraceClock(problems);
  }

  /** Time of the last event, for a row that has none of its own; 0 before the first. */
  timeNow(): number {
    const { lastNs } = this.clock;
    return lastNs === lastNs ? lastNs : 0;
  }

  /** Fills the columns that every row has; -1 where the time cannot be used. */
  begin(context: EventContext): number {
    const tsNs = this.clock.relativeNs(context);
    if (tsNs !== tsNs) return -1;
    const batch = this.#batch;
    const row = batch.length;
    batch.cpu[row] = context.cpu;
    batch.pid[row] = context.pid;
    batch.tsNs[row] = tsNs;
    batch.line[row] = this.#problems.line;
    batch.kind[row] = EventKind.other;
    return row;
  }

  /** Counts the row that `begin` began. */
  end(name: EventName): void {
    const batch = this.#batch;
    const row = batch.length;
    batch.name[row] = name.id;
    name.count += 1;
    this.events += 1;
    this.afterMarker = batch.kind[row] === EventKind.marker;
    this.afterOpenString = false;
    this.clock.accept(batch.tsNs[row]!);
    batch.length = row + 1;
  }

  /**
   * Reads the text `textFrom`…`end` of an event. False: its time cannot be used, and nothing has been
   * counted or written; a probe without a function has been counted as a loss.
   */
  read(
    context: EventContext,
    name: EventName,
    bytes: Uint8Array,
    textFrom: number,
    end: number,
  ): boolean {
    const row = this.begin(context);
    if (row < 0) return false;
    const from = this.#raw === undefined ? textFrom : this.#behindFailure(bytes, textFrom, end);
    if (
      from < end &&
      !name.isFreeText &&
      (bytes[from] === PAREN_OPEN || bytes[from] === UNDERSCORE)
    ) {
      const outcome = this.probes.read(name, bytes, from, end, this.#batch, row);
      if (outcome === ProbeLine.event) {
        this.end(name);
        this.#noteOpenText();
        return true;
      }
      if (outcome === ProbeLine.lost) {
        clearRow(this.#batch, row);
        return true;
      }
    }
    this.#readStock(name, bytes, from, end, row);
    this.end(name);
    return true;
  }

  /**
   * Reads an event that names a function itself and so has no location: only its arguments,
   * ` name=value …`, stand at `argumentsFrom`…`end`, and a line end at `end`. `name.probe` says what it
   * means. False: its time cannot be used, and nothing has been counted or written.
   */
  readCall(
    context: EventContext,
    name: EventName,
    bytes: Uint8Array,
    argumentsFrom: number,
    end: number,
  ): boolean {
    const row = this.begin(context);
    if (row < 0) return false;
    this.probes.read(name, bytes, argumentsFrom, end, this.#batch, row);
    this.end(name);
    this.#noteOpenText();
    return true;
  }

  #noteOpenText(): void {
    if (this.probes.isOpen) this.afterOpenString = true;
    this.probes.isOpen = false;
  }

  /**
   * The library prints the fields one by one behind `[FAILED TO PARSE] ` where it does not understand an
   * event's own format: they are read then, and only one that is missing is a loss.
   */
  #behindFailure(bytes: Uint8Array, from: number, end: number): number {
    const behind = from + FAILED_TO_PARSE.length;
    if (behind > end || bytes[from] !== BRACKET_OPEN || !matchesAt(bytes, from, FAILED_TO_PARSE)) {
      return from;
    }
    this.#problems.add("TEXT_NOT_PARSED", "its fields are read one by one", bytes, from, end);
    return behind < end && bytes[behind] === SPACE ? behind + 1 : behind;
  }

  #readStock(name: EventName, bytes: Uint8Array, from: number, end: number, row: number): void {
    const batch = this.#batch;
    batch.kind[row] = name.stockKind;
    if (name.stockText === "none") return;
    if (this.#stock.read(name.stockText, bytes, from, end, batch, row)) return;
    clearRow(batch, row);
    if (this.#raw?.read(name.stockText, bytes, from, end, batch, row) === true) return;
    clearRow(batch, row);
    batch.kind[row] = EventKind.other;
    const reason = `${name.name}: a text of another form than this tracepoint has`;
    this.#problems.add("MISSING_ARGUMENT", reason, bytes, from, end);
  }
}
