import type { ProbeNames } from "../../beside/probe-names.ts";
import { textOf } from "../bytes.ts";
import { hasBareProbe } from "../text/bare-probes.ts";
import { wholeLines } from "../text/head-lines.ts";
import { LATENCY_DASH_COLUMN, REPORT_DASH_COLUMN, ReportContext } from "./report-context.ts";

/** Where the lines of one report have their fields. */
export interface ReportColumns {
  /** Of the `-` before the pid, from the beginning of the line. */
  readonly dash: number;
  /** Width of the name of an instance or a file in front of each line; 0 where there is none. */
  readonly prefix: number;
}

/** What the first lines of a text are, taken for a report. */
export interface ReportSurvey extends ReportColumns {
  /** Lines that have a context at these columns. */
  readonly events: number;
  /** Of these, lines whose text begins where trace-cmd aligns it, or holds an address for a probe. */
  readonly likeReport: number;
  /** Lines that are not empty and no declaration. */
  readonly lines: number;
  /** The text begins as a report does, with the number of CPUs. */
  readonly declared: boolean;
  readonly hasFtraceHeader: boolean;
  readonly hasBareProbes: boolean;
  /** Each line ends in the place of its record, as `--debug` prints it. */
  readonly hasPlaces: boolean;
  /** Names of instances or files that stand before the lines. */
  readonly prefixes: readonly string[];
  /** In words. */
  readonly description: string;
}

const DECLARATION = /^(?:.*: +)?(?:cpus=\d+|version = \d+)$/;
const FTRACE_HEADER = /^# (?:tracer: |entries-in-buffer)/;
const PREFIX = /^(?: +|.*\S: )$/;
/** Names of instances and files are at most this wide. */
const MAX_PREFIX = 128;
/** A text is aligned behind a name in 20 columns and a colon; one column farther with `-R`. */
const ALIGNED = /^(\w+:) +/;
const ALIGNED_COLUMNS: ReadonlySet<number> = new Set([22, 23]);
const RAW_FIELDS = /^\w+=\S+(?: \w+=\S+)*$/;
/** Delta of the time, offset in the page and size of the record. */
export const RECORD_PLACE: RegExp = / \[-?\d+:0x[0-9a-f]+:\d+\]$/;
/** Of each line; the rest says nothing about the layout. */
const SURVEYED_BYTES = 400;

/** Looks at the first lines of a text. */
export function surveyReport(head: Uint8Array): ReportSurvey {
  const places = [...wholeLines(head)].filter(([start, end]) => end > start);
  const texts = places.map(([start, end]) =>
    textOf(head, start, Math.min(end, start + SURVEYED_BYTES)),
  );
  const columns = columnsOf(head, places, texts);
  const context = new ReportContext();
  const bodies: string[] = [];
  const prefixes = new Set<string>();
  let first: string[] | undefined;
  let hasDifference = false;
  for (const [start, end] of places) {
    if (!context.read(head, start + columns.dash, end)) continue;
    if (columns.prefix > 0) prefixes.add(textOf(head, start, start + columns.prefix).trim());
    first ??= contextInWords(context);
    hasDifference ||= context.hasDifference;
    bodies.push(textOf(head, context.bodyStart, Math.min(end, context.bodyStart + SURVEYED_BYTES)));
  }
  const withPlace = bodies.filter((body) => RECORD_PLACE.test(body));
  const hasPlaces = withPlace.length > 0 && withPlace.length * 2 > bodies.length;
  const parts = [
    ...(first ?? ["no event seen"]),
    ...(hasDifference ? ["time differences (--ts-diff)"] : []),
    ...(hasPlaces ? ["places of the records (--debug)"] : []),
    ...(isRaw(bodies) ? ["fields one by one (-R)"] : []),
    ...(columns.prefix > 0 ? ["a name of an instance or a file before each line"] : []),
  ];
  return {
    ...columns,
    events: bodies.length,
    likeReport: bodies.filter(isLikeReport).length,
    lines: texts.filter((text) => !DECLARATION.test(text.trim())).length,
    declared: DECLARATION.test(texts[0]?.trim() ?? ""),
    hasFtraceHeader: texts.some((text) => FTRACE_HEADER.test(text)),
    prefixes: [...prefixes].filter((name) => name !== ""),
    hasBareProbes: bodies.some(hasBareProbe),
    hasPlaces,
    description: parts.join(", "),
  };
}

/** In words, for the report: what was detected, and where the functions of probes come from. */
export function describeReport(survey: ReportSurvey, names: ProbeNames): string {
  const origin = names.origin === undefined ? [] : [`functions of probes by ${names.origin}`];
  return [survey.description, ...origin, ...names.notes].join(", ");
}

/** The columns at which most lines can be read. */
function columnsOf(
  head: Uint8Array,
  places: readonly (readonly [number, number])[],
  texts: readonly string[],
): ReportColumns {
  const votes = new Map<string, { columns: ReportColumns; count: number }>();
  const context = new ReportContext();
  for (const [i, [start, end]] of places.entries()) {
    const columns = columnsOfLine(context, head, start, end, texts[i]!);
    if (columns === undefined) continue;
    const key = `${columns.dash} ${columns.prefix}`;
    const vote = votes.get(key) ?? { columns, count: 0 };
    vote.count += 1;
    votes.set(key, vote);
  }
  const [best] = [...votes.values()].sort((a, b) => b.count - a.count);
  return best?.columns ?? { dash: REPORT_DASH_COLUMN, prefix: 0 };
}

function columnsOfLine(
  context: ReportContext,
  head: Uint8Array,
  start: number,
  end: number,
  text: string,
): ReportColumns | undefined {
  for (let prefix = 0; prefix <= MAX_PREFIX && start + prefix < end; prefix += 1) {
    if (prefix > 0 && (text[prefix - 1] !== " " || !PREFIX.test(text.slice(0, prefix)))) continue;
    for (const column of [REPORT_DASH_COLUMN, LATENCY_DASH_COLUMN]) {
      const dash = prefix + column;
      if (!context.read(head, start + dash, end)) continue;
      if (context.isLatency === (column === LATENCY_DASH_COLUMN)) return { dash, prefix };
    }
  }
  return undefined;
}

function contextInWords(context: ReportContext): string[] {
  const { flagLetters, hasNumericFlags, isLatency, isTicks, decimals } = context;
  const flags =
    flagLetters > 0
      ? `flags column (${flagLetters} letters)`
      : hasNumericFlags
        ? "flags as numbers"
        : "no flags column";
  const times = isTicks
    ? "times as integers (1 taken for 1 ns)"
    : decimals === 9
      ? "times in nanoseconds (-t)"
      : "times in microseconds";
  return [...(isLatency ? ["short columns (-l)"] : []), flags, times];
}

function isLikeReport(body: string): boolean {
  if (hasBareProbe(body)) return true;
  const aligned = ALIGNED.exec(body);
  return (
    aligned !== null && ALIGNED_COLUMNS.has(aligned[0].length) && aligned[0] !== `${aligned[1]} `
  );
}

function isRaw(bodies: readonly string[]): boolean {
  const texts = bodies.map((body) => body.replace(/^[^:]*: */, "")).filter((text) => text !== "");
  return texts.filter((text) => RAW_FIELDS.test(text)).length * 2 > texts.length;
}
