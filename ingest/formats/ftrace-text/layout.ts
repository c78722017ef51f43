import type { ProbeNames } from "../../beside/probe-names.ts";
import { TraceError } from "../../errors.ts";
import type { ProbeDefinitions } from "../../vocabulary/probe-definitions.ts";
import { textOf } from "../bytes.ts";
import type { LayoutSurvey } from "./layout-survey.ts";
import type { LineColumns } from "./line-columns.ts";

/** How the lines of a text are to be read. */
export interface TextLayout {
  /** In words, for a report. */
  readonly description: string;
  readonly columns: LineColumns;
  /** Leading blanks were stripped from each line (mail, web pages). */
  readonly leftTrimmed: boolean;
  /** What a mail program put before each line; empty where nothing. */
  readonly quote: Uint8Array;
  /** In the layout of the option `fields`: what is known of the probes' addresses. */
  readonly fields: ProbeNames | undefined;
  /** The list that defined the trace's probes; empty where there is none. */
  readonly definitions: ProbeDefinitions;
}

const HOW_TO_GET_READABLE =
  "save the kernel's own text in its default layout: echo nolatency-format > trace_options (likewise nofields, noraw, nohex, nobin, context-info), then cat /sys/kernel/tracing/trace > trace.txt";
const HOW_TO_NAME_PROBES =
  "save beside the trace, of the same boot, /proc/kallsyms as kallsyms.txt (read by root), or /sys/kernel/tracing/kprobe_events as kprobes.txt (or name that with --probes); or save the trace after echo nofields > trace_options";

/**
 * The layout of a text that is ftrace's.
 * @param names what was saved beside it about its probes; only used in the `fields` layout.
 * @throws TraceError UNSUPPORTED_LAYOUT for one that is not read, naming it.
 */
export function requireReadableLayout(
  survey: LayoutSurvey,
  path: string,
  names: ProbeNames,
): TextLayout {
  if (survey.foreign !== undefined) {
    const { name, why, hint } = survey.foreign;
    const sentence = `this is ${name}, which is not read${why === undefined ? "" : `: ${why}`}`;
    throw new TraceError("UNSUPPORTED_LAYOUT", sentence, path, hint ?? HOW_TO_GET_READABLE);
  }
  const { isFields, hasProbes } = survey.fields;
  if (hasProbes && names.origin === undefined) {
    const sentence =
      "this is a trace in field layout (trace option fields): its probes print an address in place of their function, and no file beside it says which function that is";
    throw new TraceError("UNSUPPORTED_LAYOUT", sentence, path, HOW_TO_NAME_PROBES);
  }
  return {
    description: describe(survey, names).join(", "),
    columns: survey.columns,
    leftTrimmed: survey.events === 0 && survey.eventsLeftTrimmed > 0,
    quote: survey.quote,
    fields: isFields ? names : undefined,
    definitions: names.definitions,
  };
}

function describe(survey: LayoutSurvey, names: ProbeNames): readonly string[] {
  const { columnsName, fields, quote } = survey;
  const mark = textOf(quote, 0, quote.length).trimEnd();
  return [
    survey.hasFtraceHeader ? columnsName : `${columnsName} without header`,
    ...describeContext(survey),
    ...(fields.isFields ? [`fields option${fields.hasProbes ? ` (${namedBy(names)})` : ""}`] : []),
    ...(survey.isTicks ? ["clock in ticks (1 tick taken for 1 ns)"] : []),
    ...(survey.events === 0 && survey.eventsLeftTrimmed > 0 ? ["leading blanks stripped"] : []),
    ...(quote.length > 0 ? [`each line quoted with ${mark}`] : []),
  ];
}

function describeContext(survey: LayoutSurvey): readonly string[] {
  const { columnsName, events, eventsLeftTrimmed, flagLetters, hasTgid } = survey;
  if (events + eventsLeftTrimmed === 0) return ["no event seen"];
  if (columnsName === "verbose latency format") return [];
  // The latency format prints flags whatever irq-info says.
  if (columnsName === "latency format") {
    return [`${flagLetters} flag letters`, "times count from the buffer's start"];
  }
  return [
    flagLetters === 0 ? "no irq-info" : `irq-info on (${flagLetters} letters)`,
    hasTgid ? "TGID column" : "no TGID column",
  ];
}

function namedBy({ symbols, definitions }: ProbeNames): string {
  const origins = [
    ...(symbols.count > 0 ? ["kallsyms"] : []),
    ...(definitions.count > 0 ? ["probe list"] : []),
  ];
  return `functions by the saved ${origins.join(" and ")}`;
}
