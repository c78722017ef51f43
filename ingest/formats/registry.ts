import { quoteForMessage } from "../diagnostics.ts";
import { TraceError } from "../errors.ts";
import { arrowEvents } from "./arrow-events/index.ts";
import { bpftrace } from "./bpftrace/index.ts";
import { csv } from "./csv/index.ts";
import type { FormatId, TraceFormat } from "./format.ts";
import { ftraceText } from "./ftrace-text/index.ts";
import { functionGraph } from "./function-graph/index.ts";
import { perfScript } from "./perf-script/index.ts";
import { traceCmdReport } from "./trace-cmd-report/index.ts";
import { traceDat } from "./trace-dat/index.ts";
import { knownText } from "./unknown-text.ts";

/** Every format that is read, in the order in which they are tried. */
export const TRACE_FORMATS: readonly TraceFormat[] = [
  traceDat,
  arrowEvents,
  traceCmdReport,
  perfScript,
  bpftrace,
  functionGraph,
  ftraceText,
  csv,
];

export interface ChosenFormat {
  readonly format: TraceFormat;
  /** Why, in words. */
  readonly reason: string;
}

/**
 * The format of a content, by its first bytes or as the user says.
 * @throws TraceError WRONG_FORMAT, quoting the first line, where no format applies.
 */
export function chooseFormat(
  head: Uint8Array,
  path: string,
  wanted: FormatId | "auto" = "auto",
): ChosenFormat {
  if (wanted !== "auto") {
    const format = TRACE_FORMATS.find(({ id }) => id === wanted)!;
    return { format, reason: "as given by the user" };
  }
  const reasons: string[] = [];
  for (const format of TRACE_FORMATS) {
    const { applies, reason } = format.sniff(head);
    if (applies) return { format, reason };
    reasons.push(`${format.id}: ${reason}`);
  }
  const firstLine = Buffer.from(head).toString("latin1").split("\n", 1)[0]!;
  const known = knownText(firstLine.trimEnd());
  if (known !== undefined) throw new TraceError("WRONG_FORMAT", known.sentence, path, known.hint);
  throw new TraceError(
    "WRONG_FORMAT",
    `this is no trace that can be read; it begins with: ${quoteForMessage(firstLine.trimEnd(), 80)}`,
    path,
    reasons.join("; "),
  );
}
