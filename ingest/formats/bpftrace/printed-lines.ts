import type { EventBatch } from "../../events/columns.ts";
import { UNKNOWN_CPU } from "../../events/kinds.ts";
import { NameTable } from "../../events/names.ts";
import type { EventTables } from "../../events/tables.ts";
import { HASH, literal, NEWLINE, textOf } from "../bytes.ts";
import { READ_AHEAD_BYTES } from "../words.ts";
import { type EventName, EventNames } from "../text/event-names.ts";
import { EventRows } from "../text/event-rows.ts";
import { addLostRow } from "../text/lost-row.ts";
import { KERNEL_PLACES } from "../text/probe-places.ts";
import type { ProbePoint } from "../text/probe-point.ts";
import type { LineProblems } from "../text/problems.ts";
import type { TextLines } from "../text/text-reader.ts";
import { namedCall } from "./call-name.ts";
import { readJsonRecord } from "./json-record.ts";
import type { LineTemplate } from "./line-template.ts";
import { MAX_COMM_BYTES, TemplateLine } from "./template-line.ts";

const BRACE = 123;
const ATTACHED = /^Attach(?:ing|ed) \d+ probes?(?:\.\.\.)?$/;
const LOST = /^(?:WARNING: )?Lost (\d+) events$/;
/** A map, or a line of the histogram below it. */
const MAP = /^(?:@\w*(?:\[.*\])?:|[[(][^\])]*[\])] +\d+ +\|)/;
/** Other lines are decoded up to here; those that say something are far shorter. */
const MAX_OTHER_BYTES = 256;

/** How the lines of a text are printed. */
export interface PrintedLayout {
  readonly template: LineTemplate;
  /** `bpftrace -f json`: one object in each line. */
  readonly isJson: boolean;
}

interface NamedEvent {
  readonly name: EventName;
  /** Undefined: a tracepoint. */
  readonly point: ProbePoint | undefined;
}

/** Reads lines that a user's own program printed by a template: bpftrace's, or any other's. */
export class PrintedLines implements TextLines {
  readonly rows: EventRows;
  readonly entriesInBuffer = undefined;
  readonly entriesWritten = undefined;
  unparsed = 0;
  readonly #line: TemplateLine;
  readonly #layout: PrintedLayout;
  readonly #batch: EventBatch;
  readonly #problems: LineProblems;
  /** What the lines call their events, and which events those are. */
  readonly #words = new EventNames(new NameTable());
  readonly #named = new Map<EventName, NamedEvent>();
  /** Bytes of a name that may go on in the next line; -1: the last line was none that ends with one. */
  #openComm = -1;
  #text: Uint8Array = new Uint8Array(1024 + READ_AHEAD_BYTES);

  constructor(tables: EventTables, problems: LineProblems, layout: PrintedLayout) {
    this.#batch = tables.batch;
    this.#problems = problems;
    this.#layout = layout;
    this.#line = new TemplateLine(layout.template);
    // The fields of tracepoints are printed one by one, as the tracing library does.
    this.rows = new EventRows(tables, problems, KERNEL_PLACES);
  }

  /** Each line is read once its end is known. */
  readEvent(): number {
    return -1;
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    if (this.#layout.isJson) this.#readJson(bytes, start, end);
    else if (!this.#readEvent(bytes, start, end)) this.#readOther(bytes, start, end);
  }

  #readEvent(bytes: Uint8Array, start: number, end: number): boolean {
    const line = this.#line;
    if (!line.read(bytes, start, end)) return false;
    if (!this.#layout.template.hasCpu) line.cpu = UNKNOWN_CPU;
    const { name, point } = this.#nameIn(bytes);
    name.probe = point;
    const { argsFrom, argsTo } = line;
    // The arguments end where the line does, for whoever reads them.
    const after = bytes[argsTo]!;
    bytes[argsTo] = NEWLINE;
    const isRead =
      point === undefined
        ? this.rows.read(line, name, bytes, Math.min(argsFrom + 1, argsTo), argsTo)
        : this.rows.readCall(line, name, bytes, argsFrom, argsTo);
    bytes[argsTo] = after;
    this.#openComm = this.#layout.template.endsWithComm ? line.commBytes : -1;
    return isRead;
  }

  #nameIn(bytes: Uint8Array): NamedEvent {
    const { fixedEvent } = this.#layout.template;
    const word =
      fixedEvent === undefined
        ? this.#intern(this.#words, bytes, this.#line.eventFrom, this.#line.eventTo)
        : this.#intern(this.#words, literal(fixedEvent), 0, fixedEvent.length);
    const known = this.#named.get(word);
    if (known !== undefined) return known;
    const { name, point } = namedCall(textOf(word.bytes, 0, word.bytes.length));
    const found = { name: this.#intern(this.rows.names, literal(name), 0, name.length), point };
    this.#named.set(word, found);
    return found;
  }

  #intern(names: EventNames, bytes: Uint8Array, from: number, to: number): EventName {
    let hash = 0;
    for (let at = from; at < to; at += 1) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    return names.intern(bytes, from, to, hash);
  }

  #readJson(bytes: Uint8Array, start: number, end: number): void {
    const record = readJsonRecord(textOf(bytes, start, end));
    if (record?.kind === "lost") this.#noteLoss(record.events);
    else if (record?.kind === "other") {
      if (record.type !== "attached_probes") this.#problems.note("PROGRAM_OUTPUT", record.type);
    } else if (record === undefined || !this.#readPrinted(record.text)) {
      this.#giveUp(bytes, start, end);
    }
  }

  #readPrinted(text: string): boolean {
    if (text === "" || text.startsWith("#")) return true;
    if (this.#text.length < text.length + 1 + READ_AHEAD_BYTES) {
      this.#text = new Uint8Array(text.length * 2 + 1 + READ_AHEAD_BYTES);
    }
    for (let i = 0; i < text.length; i += 1) this.#text[i] = text.charCodeAt(i);
    this.#text[text.length] = NEWLINE;
    return this.#readEvent(this.#text, 0, text.length);
  }

  #readOther(bytes: Uint8Array, start: number, end: number): void {
    const openComm = this.#openComm;
    this.#openComm = -1;
    const text = textOf(bytes, start, Math.min(end, start + MAX_OTHER_BYTES)).trimEnd();
    const lost = LOST.exec(text);
    if (lost !== null) {
      this.#noteLoss(Number(lost[1]));
      return;
    }
    if (bytes[start] === HASH || ATTACHED.test(text) || text === "") return;
    const length = openComm + 1 + (end - start);
    if (openComm >= 0 && length <= MAX_COMM_BYTES) {
      this.#openComm = length;
      this.#problems.add("MARKER_CONTINUED", "of a task's name", bytes, start, end);
      return;
    }
    if (MAP.test(text)) {
      this.#problems.note("PROGRAM_OUTPUT", "a map or a histogram");
      return;
    }
    this.#giveUp(bytes, start, end);
  }

  #giveUp(bytes: Uint8Array, start: number, end: number): void {
    this.unparsed += 1;
    const isJson = bytes[start] === BRACE && !this.#layout.isJson;
    const why = isJson ? "JSON in a text that is none" : "not of the line template";
    this.#problems.add("UNPARSED_LINE", why, bytes, start, end);
  }

  /** bpftrace does not say which CPU lost them. */
  #noteLoss(count: number): void {
    const known = !Number.isNaN(count);
    const detail = known ? `${count} events` : "it is not known how many";
    this.#problems.note("EVENTS_LOST", `some CPU: ${detail}`, known ? count : 1);
    addLostRow(this.#batch, UNKNOWN_CPU, count, this.rows.timeNow(), this.#problems.line);
  }
}
