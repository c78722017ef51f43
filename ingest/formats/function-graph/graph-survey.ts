import { textOf } from "../bytes.ts";
import { wholeLines } from "../text/head-lines.ts";
import { readGraphBody } from "./graph-body.ts";
import { GraphColumns, type GraphLayout } from "./graph-columns.ts";

/** What the first lines of a text are, taken for that of function_graph. */
export interface GraphSurvey {
  /** `# tracer: function_graph`. */
  readonly hasHeader: boolean;
  readonly layout: GraphLayout;
  /** Lines that have these columns and a body of function_graph. */
  readonly calls: number;
  /** Lines that are not empty and no comment. */
  readonly lines: number;
}

const TRACER = /^# (?:tracer: function_graph$|function_graph latency trace v)/;
const LEGEND = /^#.*FUNCTION CALLS$/;
const SEPARATOR = /^ -{10,}$/;
const SWITCH = /^ *\d+\) .*=>/;
/** Other texts have no such lines, and are not looked at more closely. */
const CALL_OR_END = /(?:\);|\{|\}|\*\/)$/;
/** Every line is read under each layout, so few are enough. */
const SURVEYED_LINES = 200;

/** Looks at the first lines of a text. */
export function surveyGraph(head: Uint8Array): GraphSurvey {
  const texts: string[] = [];
  let hasHeader = false;
  let legend: string | undefined;
  for (const [start, end] of wholeLines(head)) {
    const text = textOf(head, start, end);
    if (text.startsWith("#")) {
      hasHeader ||= TRACER.test(text);
      if (LEGEND.test(text)) legend ??= text;
    } else if (text !== "" && !SEPARATOR.test(text) && !SWITCH.test(text)) texts.push(text);
    if (texts.length === SURVEYED_LINES) break;
  }
  const isLikely = texts.filter((text) => CALL_OR_END.test(text)).length * 2 > texts.length;
  const guesses = isLikely ? ALL_LAYOUTS : [DEFAULT_LAYOUT];
  const layouts = legend === undefined ? guesses : [layoutOf(legend)];
  const [best] = layouts
    .map((layout) => ({ layout, calls: texts.filter((text) => isOf(layout, text)).length }))
    // Sorting is stable: in doubt the first.
    .sort((a, b) => b.calls - a.calls);
  return { hasHeader, lines: texts.length, ...best! };
}

/** In words. */
export function describeGraph({
  time,
  hasCpu,
  hasProc,
  hasFlags,
  hasDuration,
}: GraphLayout): string {
  const times = {
    absolute: "absolute times",
    relative: "times count from the buffer's start",
    none: "no times",
  };
  return [
    times[time],
    hasCpu ? "CPU column" : "no CPU column",
    hasProc ? "task column" : "no task column",
    ...(hasFlags ? ["latency format"] : []),
    hasDuration ? "durations" : "no durations",
  ].join(", ");
}

function isOf(layout: GraphLayout, text: string): boolean {
  const bytes = Uint8Array.from(Buffer.from(`${text}\n`, "latin1"));
  const columns = new GraphColumns(layout);
  if (!columns.read(bytes, 0, bytes.length - 1)) return false;
  return readGraphBody(text.slice(columns.bodyStart)) !== undefined;
}

function layoutOf(legend: string): GraphLayout {
  const isRelative = legend.includes("REL TIME");
  return {
    time: isRelative ? "relative" : legend.includes("TIME") ? "absolute" : "none",
    hasCpu: legend.includes("CPU"),
    hasProc: legend.includes("TASK/PID"),
    hasFlags: legend.includes("||||"),
    hasDuration: legend.includes("DURATION"),
  };
}

const DEFAULT_LAYOUT: GraphLayout = {
  time: "none",
  hasCpu: true,
  hasProc: false,
  hasFlags: false,
  hasDuration: true,
};

/** Without a legend, as in a pipe; those with a duration, the default, come first. */
const ALL_LAYOUTS: readonly GraphLayout[] = [true, false].flatMap((hasDuration) =>
  (["none", "absolute", "relative"] as const).flatMap((time) =>
    [true, false].flatMap((hasCpu) =>
      [false, true].flatMap((hasProc) =>
        [false, true].map((hasFlags) => ({ time, hasCpu, hasProc, hasFlags, hasDuration })),
      ),
    ),
  ),
);
