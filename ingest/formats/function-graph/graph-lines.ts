import { DurationHistogram, type DurationSummary } from "../../durations.ts";
import type { EventBatch } from "../../events/columns.ts";
import { EventKind, UNKNOWN_CPU } from "../../events/kinds.ts";
import type { EventTables } from "../../events/tables.ts";
import {
  meaningOfSymbol,
  TIMED_FUNCTIONS,
  withoutCompilerSuffix,
} from "../../vocabulary/functions.ts";
import { COLON, HASH, literal, matchesAt, NEWLINE, SPACE, textOf } from "../bytes.ts";
import { guardedText } from "../words.ts";
import { CommentLines } from "../ftrace-text/comment-lines.ts";
import type { EventName } from "../text/event-names.ts";
import { EventRows } from "../text/event-rows.ts";
import { atEntry, atReturn, type ProbePoint } from "../text/probe-point.ts";
import type { LineProblems } from "../text/problems.ts";
import type { TextLines } from "../text/text-reader.ts";
import { type GraphBody, readGraphBody } from "./graph-body.ts";
import { GraphColumns, type GraphLayout } from "./graph-columns.ts";
import { readSwitch } from "./graph-switch.ts";
import { GraphTasks } from "./graph-tasks.ts";

type Call = Extract<GraphBody, { kind: "call" }>;
type End = Extract<GraphBody, { kind: "end" }>;

interface NamedPoint {
  readonly name: EventName;
  readonly point: ProbePoint;
}

/** A function as the trace calls it. */
interface GraphFunction {
  readonly entry: NamedPoint;
  /** Undefined: its returns are of no use. */
  readonly returned: NamedPoint | undefined;
  /** Of functions that the vocabulary knows, and of those whose time alone tells something. */
  readonly durations: DurationHistogram | undefined;
}

const NOWHERE = literal("");
const CPU_COLON = literal("CPU:");
const SEPARATOR = /^ -{10,}$/;
const OVERRUNS = /^ \(Overruns: \d+\)$/;
/** An interrupt begins or ends, in the place of a duration. */
const INTERRUPT = /^.{0,60} {2}(?:==========>|<==========) \|$/;
/** Other lines are decoded up to here; those that say something are far shorter. */
const MAX_OTHER_BYTES = 256;

/**
 * Reads one line of function_graph after the other. Calls of functions that the vocabulary knows become
 * events like those of probes, as far as the trace has their arguments; tracepoints stand between them as
 * comments.
 */
export class GraphLines implements TextLines {
  readonly rows: EventRows;
  unparsed = 0;
  readonly hasTimes: boolean;
  readonly #layout: GraphLayout;
  readonly #columns: GraphColumns;
  readonly #comments: CommentLines;
  readonly #batch: EventBatch;
  readonly #problems: LineProblems;
  readonly #tasks = new GraphTasks();
  readonly #functions = new Map<string, GraphFunction>();
  #returnsWithoutValue = 0;

  constructor(tables: EventTables, problems: LineProblems, layout: GraphLayout) {
    this.#batch = tables.batch;
    this.#problems = problems;
    this.#layout = layout;
    this.#columns = new GraphColumns(layout);
    this.#comments = new CommentLines(tables.batch, problems);
    this.hasTimes = layout.time !== "none";
    this.rows = new EventRows(tables, problems);
  }

  get entriesInBuffer(): number | undefined {
    return this.#comments.entriesInBuffer;
  }

  get entriesWritten(): number | undefined {
    return this.#comments.entriesWritten;
  }

  durations(): ReadonlyMap<string, DurationSummary> {
    const found = [...this.#functions].flatMap(([symbol, { durations }]) =>
      durations === undefined || durations.count === 0
        ? []
        : ([[symbol, durations.summary()]] as const),
    );
    return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  assumptions(): readonly string[] {
    if (this.#returnsWithoutValue === 0) return [];
    return [
      `${this.#returnsWithoutValue} calls return without their value (option funcgraph-retval): they are taken to have succeeded`,
    ];
  }

  /** Each line is read once its end is known. */
  readEvent(): number {
    return -1;
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    const columns = this.#columns;
    if (!columns.read(bytes, start, end)) {
      this.#readOther(bytes, start, end);
      return;
    }
    const body = readGraphBody(textOf(bytes, columns.bodyStart, end));
    if (body === undefined) {
      this.#readOther(bytes, start, end);
      return;
    }
    if (!this.#layout.hasCpu) columns.cpu = UNKNOWN_CPU;
    if (!this.#layout.hasProc) columns.pid = this.#tasks.runningOn(columns.cpu);
    if (!this.#readBody(body, bytes))
      this.#giveUp("a time that is not in reach", bytes, start, end);
  }

  #readBody(body: GraphBody, bytes: Uint8Array): boolean {
    switch (body.kind) {
      case "call":
        return this.#call(body);
      case "end":
        return this.#end(body);
      case "comment":
        return this.#comment(bytes, body.from, body.to, body.isOpen);
      default:
        return body satisfies never;
    }
  }

  #call({ symbol, args, depth, isLeaf, returned }: Call): boolean {
    const { pid, durationNs } = this.#columns;
    const called = this.#functionOf(symbol);
    if (!this.#readArguments(called.entry, args)) return false;
    const wasRead = this.#batch.kind[this.#batch.length - 1] !== EventKind.other;
    if (!isLeaf) {
      this.#tasks.begin(pid, depth, { symbol, wasRead });
      return true;
    }
    if (durationNs >= 0) called.durations?.add(durationNs);
    return !wasRead || this.#returned(called, returned);
  }

  #end({ depth, symbol, returned }: End): boolean {
    const { pid, durationNs } = this.#columns;
    const open = this.#tasks.end(pid, depth);
    // The kernel names a function whose beginning it did not print; where it always does, it knows best.
    const matches = symbol === undefined || symbol === open?.symbol;
    const name = symbol ?? open?.symbol;
    if (name === undefined) return true;
    const called = this.#functionOf(name);
    if (durationNs >= 0) called.durations?.add(durationNs);
    const isUnread = matches && open?.wasRead === false;
    return isUnread || this.#returned(called, returned);
  }

  /** The return of a call, as an event of its own; without a value it still ends the call. */
  #returned({ returned }: GraphFunction, value: string | undefined): boolean {
    if (returned === undefined) return true;
    if (value !== undefined) return this.#readArguments(returned, ` ret=${value}`);
    const row = this.rows.begin(this.#columns);
    if (row < 0) return false;
    this.#batch.kind[row] = returned.point.kind;
    this.rows.end(returned.name);
    this.#returnsWithoutValue += 1;
    return true;
  }

  #readArguments({ name, point }: NamedPoint, args: string): boolean {
    name.probe = point;
    return this.rows.readCall(this.#columns, name, guardedText(args), 0, args.length);
  }

  /** A tracepoint's or a marker's text, which may hold line ends. */
  #comment(body: Uint8Array, fromBody: number, toBody: number, isOpen: boolean): boolean {
    const from = this.#columns.bodyStart + fromBody;
    const to = this.#columns.bodyStart + toBody;
    let colon = from;
    while (colon < to && body[colon] !== COLON && body[colon]! > SPACE) colon += 1;
    // What trace_printk or a marker wrote has no name in front.
    const isNamed = colon > from && colon < to && body[colon] === COLON;
    const name = isNamed
      ? this.#intern(body, from, colon)
      : this.#intern(literal("print"), 0, "print".length);
    // A probe's event may be named like a function.
    if (name.probe?.location.length === 0) name.probe = undefined;
    const after = body[to]!;
    body[to] = NEWLINE;
    const textFrom = isNamed && body[colon + 1] === SPACE ? colon + 2 : Math.min(to, colon + 1);
    const isRead = this.rows.read(this.#columns, name, body, Math.min(textFrom, to), to);
    body[to] = after;
    this.rows.afterMarker = isOpen;
    return isRead;
  }

  #functionOf(symbol: string): GraphFunction {
    const name = withoutCompilerSuffix(symbol);
    const known = this.#functions.get(name);
    if (known !== undefined) return known;
    const meaning = meaningOfSymbol(name);
    // Most functions of such a trace mean nothing here: they are counted, and not spoken of.
    const point = { ...atEntry(NOWHERE, name, 0), remark: undefined };
    const entry = { name: this.#named(name), point };
    const returned =
      meaning?.returnKind === undefined
        ? undefined
        : { name: this.#named(`${name}%return`), point: atReturn(NOWHERE, name) };
    const isTimed = meaning !== undefined || TIMED_FUNCTIONS.has(name);
    const durations = isTimed ? new DurationHistogram() : undefined;
    const found = { entry, returned, durations };
    this.#functions.set(name, found);
    return found;
  }

  #named(name: string): EventName {
    return this.#intern(literal(name), 0, name.length);
  }

  #intern(bytes: Uint8Array, from: number, to: number): EventName {
    let hash = 0;
    for (let at = from; at < to; at += 1) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    return this.rows.names.intern(bytes, from, to, hash);
  }

  #readOther(bytes: Uint8Array, start: number, end: number): void {
    const text = textOf(bytes, start, Math.min(end, start + MAX_OTHER_BYTES));
    if (this.rows.afterMarker) {
      // A text with line ends goes on up to the comment's end.
      this.rows.afterMarker = !text.trimEnd().endsWith("*/");
      this.#problems.add("MARKER_CONTINUED", "inside a comment", bytes, start, end);
      return;
    }
    if (bytes[start] === HASH) {
      this.#comments.readHash(text, this.rows.timeNow());
      return;
    }
    const isLoss = matchesAt(bytes, start, CPU_COLON);
    if (isLoss && this.#comments.readCpu(text.trimEnd(), this.rows.timeNow())) {
      this.#tasks.forget();
      return;
    }
    if (
      SEPARATOR.test(text) ||
      OVERRUNS.test(text) ||
      INTERRUPT.test(text) ||
      this.#readSwitch(text)
    )
      return;
    this.#giveUp("no call at the columns of function_graph", bytes, start, end);
  }

  #readSwitch(text: string): boolean {
    const found = readSwitch(text);
    if (found === undefined) return false;
    this.#tasks.switched(found.cpu, found.from, found.to);
    return true;
  }

  #giveUp(reason: string, bytes: Uint8Array, start: number, end: number): void {
    this.unparsed += 1;
    this.#problems.add("UNPARSED_LINE", reason, bytes, start, end);
  }
}
