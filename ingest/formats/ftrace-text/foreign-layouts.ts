import { HEX_LAYOUT, RAW_LAYOUT, type RawLayout } from "./raw-lines.ts";

/**
 * Layouts that look like an ftrace text and are not the default one. They are recognised by their first
 * lines so that they are refused by name instead of being read wrongly.
 */
export interface ForeignLayout {
  /** Events stand there as numbers; it is read where other files tell their names. */
  readonly raw?: RawLayout;
  /** For `this is …`: with its article. */
  readonly name: string;
  /** Why it is not read, where that is not plain: a sentence's rest. */
  readonly why?: string;
  /** How to get a readable text, where it is not the general way. */
  readonly hint?: string;
  /** So plain that other texts look the same: it needs an ftrace header to be believed. */
  readonly needsHeader?: boolean;
}

const NUMBERS_WHY =
  "it holds only the numbers of the event types, which differ from boot to boot, and no arguments";
const NUMBERS_HINT =
  "save the kernel's own text: echo noraw > trace_options (likewise nohex), then cat /sys/kernel/tracing/trace > trace.txt; or, to read at least names and times, save the formats of the same boot beside it as format/ (cp -r /sys/kernel/tracing/events/kvm format), or a trace.dat of the same boot";
const SAVE_TRACE = "save the kernel's own text instead: cat /sys/kernel/tracing/trace > trace.txt";

const CALLS_WHY = "it holds calls of functions without their arguments";
const NOP_HINT = "record events with the nop tracer: echo nop > current_tracer";

interface LinePattern extends ForeignLayout {
  /** Also of lines that have the default layout's columns. */
  readonly isInColumns?: boolean;
  readonly pattern: RegExp;
}

/** Decisive wherever they stand in the first lines. */
const DECISIVE: readonly LinePattern[] = [
  {
    name: "the text of trace-cmd report",
    hint: SAVE_TRACE,
    pattern: /^(?:version = \d+|cpus=\d+)$/,
  },
];

/** Of lines that are neither comments nor in the default layout. */
const LINES: readonly LinePattern[] = [
  {
    name: "a raw trace (trace option raw)",
    why: NUMBERS_WHY,
    hint: NUMBERS_HINT,
    raw: RAW_LAYOUT,
    pattern: /^\d+ \d+ \d+ (?:type: \d+|# [0-9a-f]+ )/,
  },
  {
    name: "a hexadecimal trace (trace option hex)",
    why: NUMBERS_WHY,
    hint: NUMBERS_HINT,
    raw: HEX_LAYOUT,
    pattern: /^[0-9a-f]{8} [0-9a-f]{8} [0-9a-f]{16}\b/,
  },
  {
    name: "the text of perf script",
    hint: SAVE_TRACE,
    pattern: /^\s*\S.*? +\d+(?:\/\d+)? +\[\d{3,}\] +(?:\S{4,8} +)?\d+\.\d{6,9}: +[\w-]+:[\w-]+: /,
  },
  {
    name: "the text of the function_graph tracer",
    why: CALLS_WHY,
    hint: NOP_HINT,
    pattern: /^ *(?:\d+\.\d+ +\|? *)?\d+\) .*[|{;}]/,
  },
  {
    name: "the text of the function_graph tracer",
    why: CALLS_WHY,
    hint: NOP_HINT,
    pattern: /^ *[+!#*@$]? *(?:\d+\.\d+ us)? +\|  .*[{;}]/,
  },
  {
    name: "the text of the function tracer",
    why: CALLS_WHY,
    hint: NOP_HINT,
    pattern: /: [^\s:]+(?: \[[^\]]+\])? <-\S+(?: \[[^\]]+\])?$/,
    isInColumns: true,
  },
];

/** Context-less lines are so plain that they only count where nothing else was recognised. */
const NO_CONTEXT: LinePattern = {
  needsHeader: true,
  name: "a trace without context (trace option nocontext-info)",
  why: "its lines have no time, no CPU and no pid",
  pattern: /^[a-z_]\w*: \S/,
};

/** `# tracer: nop` is event tracing; any other tracer writes lines of its own. */
const TRACER = /^# tracer: (\S+)/;

/** Lines in the default columns whose text shows another printer. */
const IN_COLUMNS: readonly LinePattern[] = [
  {
    name: "the text of trace-cmd report -R",
    hint: SAVE_TRACE,
    pattern: /: +__probe_(?:ip|func)=[0-9a-f]{8,16} /,
  },
  {
    name: "the text of trace-cmd report",
    hint: SAVE_TRACE,
    pattern: /^.{16}-\d+ +\[\d+\].*?: \w+: +\([0-9a-f]{8,16}(?: <- [0-9a-f]{8,16})?\)/,
  },
];

const EVENT_TEXT = /^.{16}-\d+ +(?:\([ \d-]+\) )?\[\d+\] (?:\S{4,8})? *\d+(?:\.\d+)?: (\w+): (.*)$/;
/** trace-cmd pads each event's name, so that texts begin at one column. */
const PADDED_NAME = /^.{16}-\d+ +\[\d+\].*?\d: (\w+: {2,})\S/;
const PADDED_COLUMNS = 22;

/** The foreign layout that a text's first lines are in; undefined: none that is known. */
export function foreignLayoutOf(lines: readonly string[]): ForeignLayout | undefined {
  const decisive = DECISIVE.find(({ pattern }) => lines.some((line) => pattern.test(line)));
  if (decisive !== undefined) return decisive;
  // Farther down it would be text that a marker printed.
  const first = lines.findIndex((line) => !/^(?:#|$)/.test(line));
  const header = first < 0 ? lines : lines.slice(0, first);
  const tracer = header.map((line) => TRACER.exec(line)?.[1]).find((name) => name !== undefined);
  if (tracer !== undefined && tracer !== "nop") {
    return {
      name: `a trace of the ${tracer} tracer`,
      ...(tracer.startsWith("function") ? { why: CALLS_WHY } : {}),
      hint: NOP_HINT,
    };
  }
  const texts = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const found = mostly(texts, LINES) ?? inColumns(texts);
  if (found !== undefined || texts.some((line) => EVENT_TEXT.test(line))) return found;
  return mostly(texts, [NO_CONTEXT]);
}

/** A layout that more than half of the lines are in: text in a marker may imitate any one line. */
function mostly(
  texts: readonly string[],
  patterns: readonly LinePattern[],
): ForeignLayout | undefined {
  return patterns.find(({ pattern, isInColumns }) => {
    const matching = texts.filter(
      (line) => pattern.test(line) && (isInColumns === true || !EVENT_TEXT.test(line)),
    );
    return matching.length * 2 > texts.length;
  });
}

function inColumns(texts: readonly string[]): ForeignLayout | undefined {
  const events = texts.filter((line) => !line.includes(": tracing_mark_write: "));
  const decisive = IN_COLUMNS.find(({ pattern }) => events.some((line) => pattern.test(line)));
  if (decisive !== undefined) return decisive;
  const padded = events.filter((line) => PADDED_NAME.exec(line)?.[1]?.length === PADDED_COLUMNS);
  return padded.length * 2 > events.length ? IN_COLUMNS[1] : undefined;
}
