import { textOf } from "../bytes.ts";
import { wholeLines } from "../text/head-lines.ts";
import { type FieldSurvey, surveyFields } from "./field-layout.ts";
import { foreignLayoutOf, type ForeignLayout } from "./foreign-layouts.ts";
import { LatencyColumns, VerboseLatencyColumns } from "./latency-columns.ts";
import { defaultColumns, type LineColumns } from "./line-columns.ts";
import { findPidDash, LineContext } from "./line-context.ts";
import { quoteMarksOf, withoutMark } from "./quote-prefix.ts";

/** Layouts of a line's context that are read. */
export type ColumnsName = "default layout" | "latency format" | "verbose latency format";

/** What the first lines of a text are. */
export interface LayoutSurvey {
  readonly columnsName: ColumnsName;
  readonly columns: LineColumns;
  /** Lines that have their context at these columns. */
  readonly events: number;
  /** Lines that have the default layout's context elsewhere; only counted where no line has it in place. */
  readonly eventsLeftTrimmed: number;
  readonly fields: FieldSurvey;
  /** The layout that the lines are in instead, if one was recognised. */
  readonly foreign: ForeignLayout | undefined;
  readonly hasFtraceHeader: boolean;
  /** Of the first event. */
  readonly flagLetters: number;
  readonly hasTgid: boolean;
  readonly isTicks: boolean;
  /** What a mail program put before each line; empty where nothing. */
  readonly quote: Uint8Array;
}

interface Line {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Of each line; the rest says nothing about the layout. */
const SURVEYED_BYTES = 400;
const NO_QUOTE = new Uint8Array(0);
const FTRACE_HEADER = /^# (?:tracer: |entries-in-buffer)/;
const LATENCY_HEADER = /^# \S+ latency trace v/;

/** Looks at the first lines of a text (whole lines only, where there are several). */
export function surveyLayout(head: Uint8Array): LayoutSurvey {
  const surveys = quoteMarksOf(head).map((quote) =>
    surveyUnquoted(withoutMark(head, quote), quote),
  );
  // A mark may end in a blank or not: the text behind the right one has its lines in place.
  return (
    surveys.find(({ events }) => events > 0) ??
    surveys.find(
      ({ eventsLeftTrimmed, foreign }) => eventsLeftTrimmed > 0 || foreign !== undefined,
    ) ??
    surveyUnquoted(head, NO_QUOTE)
  );
}

function surveyUnquoted(head: Uint8Array, quote: Uint8Array): LayoutSurvey {
  const lines = linesOf(head);
  const comments = commentsAtTop(lines);
  const isLatency = comments.some((text) => LATENCY_HEADER.test(text));
  const { name, columns, placed } = bestColumns(head, lines, isLatency);
  const trimmed = placed.length > 0 || isLatency ? [] : leftTrimmed(head, lines);
  const contexts = [...placed, ...trimmed];
  const first = contexts[0];
  return {
    columnsName: name,
    columns,
    events: placed.length,
    eventsLeftTrimmed: trimmed.length,
    fields: surveyFields(contexts.map(({ body }) => body)),
    foreign: foreignLayoutOf(lines.map(({ text }) => text)),
    hasFtraceHeader: lines.some(({ text }) => FTRACE_HEADER.test(text)),
    flagLetters: first?.flagLetters ?? 0,
    hasTgid: first?.hasTgid ?? false,
    isTicks: first?.isTicks ?? false,
    quote,
  };
}

/** What the context of a line says about the layout. */
interface SurveyedContext {
  readonly flagLetters: number;
  readonly hasTgid: boolean;
  readonly isTicks: boolean;
  readonly body: string;
}

interface Columns {
  readonly name: ColumnsName;
  readonly columns: LineColumns;
  readonly placed: readonly SurveyedContext[];
}

/** The columns at which most lines have a context: text in a marker may imitate any one line. */
function bestColumns(head: Uint8Array, lines: readonly Line[], isLatency: boolean): Columns {
  const candidates: readonly (readonly [ColumnsName, LineColumns])[] = [
    ...(isLatency ? [] : ([["default layout", defaultColumns]] as const)),
    ["latency format", new LatencyColumns()],
    ["verbose latency format", new VerboseLatencyColumns()],
  ];
  const found = candidates.map(([name, columns]) => {
    const context = new LineContext();
    const placed = lines.flatMap((line) =>
      columns.read(context, head, line.start, line.end) ? [surveyed(context, line)] : [],
    );
    return { name, columns, placed };
  });
  return found.reduce((best, one) => (one.placed.length > best.placed.length ? one : best));
}

function leftTrimmed(head: Uint8Array, lines: readonly Line[]): readonly SurveyedContext[] {
  const context = new LineContext();
  return lines.flatMap((line) => {
    if (line.text.startsWith("#")) return [];
    const dash = findPidDash(context, head, line.start, line.end);
    // The search went on behind the place it found.
    if (dash < 0 || !context.read(head, dash, line.end)) return [];
    return [surveyed(context, line)];
  });
}

function surveyed(context: LineContext, { start, text }: Line): SurveyedContext {
  const { flagLetters, hasTgid, isTicks } = context;
  return { flagLetters, hasTgid, isTicks, body: text.slice(context.bodyStart - start) };
}

function commentsAtTop(lines: readonly Line[]): readonly string[] {
  const first = lines.findIndex(({ text }) => !/^(?:#|$)/.test(text));
  return (first < 0 ? lines : lines.slice(0, first)).map(({ text }) => text);
}

function linesOf(head: Uint8Array): readonly Line[] {
  return [...wholeLines(head)].map(([start, end]) => lineAt(head, start, end));
}

function lineAt(head: Uint8Array, start: number, end: number): Line {
  return { start, end, text: textOf(head, start, Math.min(end, start + SURVEYED_BYTES)) };
}
