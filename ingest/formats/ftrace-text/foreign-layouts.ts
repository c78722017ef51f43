/**
 * Layouts that look like an ftrace text and are not the default one. They are recognised by their first
 * lines so that they are refused by name instead of being read wrongly.
 */
export interface ForeignLayout {
  /** For `this is …`: with its article. */
  readonly name: string;
  /** How to get a readable text, where it is not the general way. */
  readonly hint?: string;
  /** So plain that other texts look the same: it needs an ftrace header to be believed. */
  readonly needsHeader?: boolean;
}

const SAVE_TRACE = "save the kernel's own text instead: cat /sys/kernel/tracing/trace > trace.txt";

interface LinePattern extends ForeignLayout {
  readonly pattern: RegExp;
}

/** Decisive wherever they stand in the first lines. */
const DECISIVE: readonly LinePattern[] = [
  {
    name: "a latency-format trace (trace option latency-format)",
    pattern: /^# \S+ latency trace v/,
  },
  {
    name: "the text of trace-cmd report",
    hint: SAVE_TRACE,
    pattern: /^(?:version = \d+|cpus=\d+)$/,
  },
];

/** Of lines that are neither comments nor in the default layout. */
const LINES: readonly LinePattern[] = [
  { name: "a raw trace (trace option raw)", pattern: /^\d+ \d+ \d+ type: \d+/ },
  {
    name: "a hexadecimal trace (trace option hex)",
    pattern: /^[0-9a-f]{8} [0-9a-f]{8} [0-9a-f]{16}\b/,
  },
  {
    name: "a latency-format trace (trace option latency-format)",
    pattern: /^.{1,8}-\d+ +\d+[dDbX.]\S{3,7} +\d+(?:us)?[ +!#*@$]?: /,
  },
  {
    name: "a verbose latency-format trace (trace options latency-format and verbose)",
    pattern: /^.{1,16} +\d+ +\d+ \d+ [0-9a-f]{8} [0-9a-f]{8} \[[0-9a-f]+\] /,
  },
  {
    name: "the text of perf script",
    hint: SAVE_TRACE,
    pattern: /^\s*\S.*? +\d+(?:\/\d+)? +\[\d{3,}\] +(?:\S{4,8} +)?\d+\.\d{6,9}: +[\w-]+:[\w-]+: /,
  },
  { name: "the text of the function_graph tracer", pattern: /^ *(?:\d+\.\d+ +)?\d+\) .*[|{;}]/ },
];

/** Context-less lines are so plain that they only count where nothing else was recognised. */
const NO_CONTEXT: LinePattern = {
  needsHeader: true,
  name: "a trace without context (trace option nocontext-info)",
  pattern: /^[a-z_]\w*: \S/,
};

/** `# tracer: nop` is event tracing; any other tracer writes lines of its own. */
const TRACER = /^# tracer: (\S+)/;

/** Lines in the default columns whose text shows another printer. */
const IN_COLUMNS: readonly LinePattern[] = [
  {
    name: "a trace in field layout (trace option fields)",
    pattern: /: __probe_(?:ip|func)=0x[0-9a-f]+ \(-?\d+\)/,
  },
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
const FIELD_TEXT = /^\w+=\(-?\d+\)|(?:^| )\w+=0x[0-9a-f]+ \(-?\d+\)/;
/** trace-cmd pads each event's name, so that texts begin at one column. */
const PADDED_NAME = /^.{16}-\d+ +\[\d+\].*?\d: (\w+: {2,})\S/;
const PADDED_COLUMNS = 22;

/** The foreign layout that a text's first lines are in; undefined: none that is known. */
export function foreignLayoutOf(lines: readonly string[]): ForeignLayout | undefined {
  for (const line of lines) {
    const decisive = DECISIVE.find(({ pattern }) => pattern.test(line));
    if (decisive !== undefined) return decisive;
    const tracer = TRACER.exec(line)?.[1];
    if (tracer !== undefined && tracer !== "nop") {
      return {
        name: `a trace of the ${tracer} tracer`,
        hint: `record events with the nop tracer: echo nop > current_tracer`,
      };
    }
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
  return patterns.find(({ pattern }) => {
    const matching = texts.filter((line) => pattern.test(line) && !EVENT_TEXT.test(line));
    return matching.length * 2 > texts.length;
  });
}

function inColumns(texts: readonly string[]): ForeignLayout | undefined {
  const events = texts.filter((line) => !line.includes(": tracing_mark_write: "));
  const decisive = IN_COLUMNS.find(({ pattern }) => events.some((line) => pattern.test(line)));
  if (decisive !== undefined) return decisive;
  const plain = events
    .map((line) => EVENT_TEXT.exec(line)?.[2])
    .filter((text) => text !== undefined && !text.startsWith("("));
  const fields = plain.filter((text) => FIELD_TEXT.test(text!));
  if (fields.length * 2 > plain.length) return IN_COLUMNS[0];
  const padded = events.filter((line) => PADDED_NAME.exec(line)?.[1]?.length === PADDED_COLUMNS);
  return padded.length * 2 > events.length ? IN_COLUMNS[2] : undefined;
}
