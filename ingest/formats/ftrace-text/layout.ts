import { TraceError } from "../../errors.ts";
import { textOf } from "../bytes.ts";
import { wholeLines } from "../text/head-lines.ts";
import { findPidDash, LineContext, PID_DASH_COLUMN } from "./line-context.ts";
import { foreignLayoutOf, type ForeignLayout } from "./foreign-layouts.ts";

/** What was detected of a text in the kernel's default layout. */
export interface TextLayout {
  /** In words, for a report. */
  readonly description: string;
  /** Leading blanks were stripped from each line (mail, web pages). */
  readonly leftTrimmed: boolean;
}

const HOW_TO_GET_READABLE =
  "save the kernel's own text in its default layout: echo nolatency-format > trace_options (likewise nofields, noraw, nohex, nobin, context-info), then cat /sys/kernel/tracing/trace > trace.txt";

/** What the first lines of a text are. */
export interface LayoutSurvey {
  /** Lines in the default layout. */
  readonly events: number;
  readonly eventsLeftTrimmed: number;
  /** The layout that the lines are in instead, if one was recognised. */
  readonly foreign: ForeignLayout | undefined;
  readonly hasFtraceHeader: boolean;
  readonly flagLetters: number;
  readonly hasTgid: boolean;
  readonly isTicks: boolean;
}

/** Of each line; the rest says nothing about the layout. */
const SURVEYED_BYTES = 400;

/** Looks at the first lines of a text (whole lines only, where there are several). */
export function surveyLayout(head: Uint8Array): LayoutSurvey {
  const context = new LineContext();
  const survey = {
    events: 0,
    eventsLeftTrimmed: 0,
    hasFtraceHeader: false,
    flagLetters: 0,
    hasTgid: false,
    isTicks: false,
  };
  const lines: string[] = [];
  for (const [start, end] of wholeLines(head)) {
    const line = textOf(head, start, Math.min(end, start + SURVEYED_BYTES));
    lines.push(line);
    if (line.startsWith("#")) {
      if (/^# (?:tracer: |entries-in-buffer)/.test(line)) survey.hasFtraceHeader = true;
      continue;
    }
    const atColumn = context.read(head, start + PID_DASH_COLUMN, end);
    const dash = atColumn ? start + PID_DASH_COLUMN : findPidDash(context, head, start, end);
    if (dash < 0) continue;
    if (!atColumn) context.read(head, dash, end);
    if (survey.events + survey.eventsLeftTrimmed === 0) {
      survey.flagLetters = context.flagLetters;
      survey.hasTgid = context.hasTgid;
      survey.isTicks = context.isTicks;
    }
    if (atColumn) survey.events += 1;
    else survey.eventsLeftTrimmed += 1;
  }
  return { ...survey, foreign: foreignLayoutOf(lines) };
}

/**
 * The layout of a text that is ftrace's.
 * @throws TraceError UNSUPPORTED_LAYOUT for one that is not read, naming it.
 */
export function requireDefaultLayout(survey: LayoutSurvey, path: string): TextLayout {
  if (survey.foreign !== undefined) {
    const { name, hint } = survey.foreign;
    throw new TraceError(
      "UNSUPPORTED_LAYOUT",
      `this is ${name}, which is not read`,
      path,
      hint ?? HOW_TO_GET_READABLE,
    );
  }
  const leftTrimmed = survey.events === 0 && survey.eventsLeftTrimmed > 0;
  const known = survey.events + survey.eventsLeftTrimmed > 0;
  const irqInfo =
    survey.flagLetters === 0 ? "no irq-info" : `irq-info on (${survey.flagLetters} letters)`;
  const parts = [
    survey.hasFtraceHeader ? "default layout" : "default layout without header",
    ...(known ? [irqInfo, survey.hasTgid ? "TGID column" : "no TGID column"] : ["no event seen"]),
    ...(survey.isTicks ? ["clock in ticks (1 tick taken for 1 ns)"] : []),
    ...(leftTrimmed ? ["leading blanks stripped"] : []),
  ];
  return { description: parts.join(", "), leftTrimmed };
}
