import type { ProbeNames } from "../../beside/probe-names.ts";
import { textOf } from "../bytes.ts";
import { hasBareProbe } from "../text/bare-probes.ts";
import { wholeLines } from "../text/head-lines.ts";
import { type CommColumn, readContextOf } from "./comm-column.ts";
import { endOfEventName, PerfContext } from "./perf-context.ts";

/** What the first lines of a text are, taken for that of perf script. */
export interface PerfSurvey {
  readonly column: CommColumn;
  /** Lines that hold an event of a group, `kvm:kvm_exit: `. */
  readonly events: number;
  /** Lines that are not empty, no comment and no part of a call chain. */
  readonly lines: number;
  /** The task is told by one number, which may be that of the process. */
  readonly hasOneId: boolean;
  readonly hasCpu: boolean;
  readonly hasBareProbes: boolean;
  /** In words. */
  readonly description: string;
}

const FTRACE_HEADER = /^# (?:tracer: |entries-in-buffer)/;
/** `group:name` with at least one letter each: a colon alone stands in the kernel's own text too. */
const GROUPED = /^[\w-]+:[\w.-]+$/;
/** Of each line; the rest says nothing about the layout. */
const SURVEYED_BYTES = 400;

/** Looks at the first lines of a text. */
export function surveyPerfScript(head: Uint8Array): PerfSurvey {
  const places = [...wholeLines(head)].filter(([start, end]) => isOfEvents(head, start, end));
  const surveys = (["aligned", "none", "free"] as const).map((column) =>
    surveyAs(column, head, places),
  );
  // In doubt the strictest: the columns come in that order.
  const best = surveys.reduce((a, b) => (b.events > a.events ? b : a));
  return startsAsFtrace(head) ? { ...best, events: 0 } : best;
}

/** In words, for the report: what was detected, and where the functions of probes come from. */
export function describePerfScript(survey: PerfSurvey, names: ProbeNames): string {
  const origin = names.origin === undefined ? [] : [`functions of probes by ${names.origin}`];
  return [survey.description, ...origin, ...names.notes].join(", ");
}

function surveyAs(
  column: CommColumn,
  head: Uint8Array,
  places: readonly (readonly [number, number])[],
): PerfSurvey {
  const context = new PerfContext();
  const bodies: string[] = [];
  let first: PerfContext | undefined;
  for (const [start, end] of places) {
    if (!readContextOf(column, context, head, start, end)) continue;
    const nameEnd = endOfEventName(head, context.bodyStart, end);
    if (nameEnd < 0 || !GROUPED.test(textOf(head, context.bodyStart, nameEnd))) continue;
    bodies.push(textOf(head, context.bodyStart, Math.min(end, context.bodyStart + SURVEYED_BYTES)));
    first ??= Object.assign(new PerfContext(), context);
  }
  const comm = { aligned: "comm in 16 columns", none: "no comm", free: "comm not aligned" }[column];
  return {
    column,
    events: bodies.length,
    lines: places.length,
    hasOneId: first?.hasBothIds !== true,
    hasCpu: first?.hasCpu === true,
    hasBareProbes: bodies.some(hasBareProbe),
    description: [comm, ...(first === undefined ? ["no event seen"] : inWords(first))].join(", "),
  };
}

function inWords({ hasBothIds, hasCpu, isNanoseconds }: PerfContext): string[] {
  return [
    hasBothIds ? "pid/tid" : "one number for the task",
    hasCpu ? "CPU" : "no CPU",
    isNanoseconds ? "times in nanoseconds (--ns)" : "times in microseconds",
  ];
}

function isOfEvents(head: Uint8Array, start: number, end: number): boolean {
  return end > start && !/[#\t]/.test(String.fromCharCode(head[start]!));
}

function startsAsFtrace(head: Uint8Array): boolean {
  for (const [start, end] of wholeLines(head)) {
    if (FTRACE_HEADER.test(textOf(head, start, Math.min(end, start + SURVEYED_BYTES)))) return true;
  }
  return false;
}
