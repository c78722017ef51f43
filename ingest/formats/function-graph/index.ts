import { TraceError } from "../../errors.ts";
import type { TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import type { Sniff, TraceFormat } from "../format.ts";
import { TextReader } from "../text/text-reader.ts";
import type { GraphLayout } from "./graph-columns.ts";
import { GraphLines } from "./graph-lines.ts";
import { describeGraph, surveyGraph } from "./graph-survey.ts";

const HOW_TO_RECORD =
  "record with the default columns, arguments and times: echo funcgraph-cpu > trace_options, likewise funcgraph-proc, funcgraph-abstime, funcgraph-retval and (6.15 and later) funcgraph-args";

/** The text of the kernel's function_graph tracer. */
export const functionGraph: TraceFormat = {
  id: "function-graph",

  sniff(head: Uint8Array): Sniff {
    const { hasHeader, layout, calls, lines } = surveyGraph(head);
    if (hasHeader) return { applies: true, reason: "a header of the function_graph tracer" };
    const isPlain = calls * 2 > lines && layout.hasDuration && (layout.hasCpu || layout.hasProc);
    return isPlain
      ? { applies: true, reason: "lines with calls as function_graph prints them" }
      : { applies: false, reason: "no lines with calls as function_graph prints them" };
  },

  read(source: ByteSource): TraceReader {
    const { layout, calls, lines } = surveyGraph(source.head);
    refuseUnreadable(layout, calls, lines, source.path);
    return new TextReader(source, {
      id: "function-graph",
      layout: describeGraph(layout),
      assumed: assumptionsOf(layout),
      lines: (tables, problems) => new GraphLines(tables, problems, layout),
    });
  },
};

function refuseUnreadable(layout: GraphLayout, calls: number, lines: number, path: string): void {
  let why: string | undefined;
  if (!layout.hasCpu && !layout.hasProc) {
    why = "its lines name neither a CPU nor a task, so that calls cannot be told apart";
  } else if (calls === 0 && lines > 0) {
    why = "none of its first lines has a call at the columns of its header";
  }
  if (why === undefined) return;
  const sentence = `this is the text of the function_graph tracer, which is not read: ${why}`;
  throw new TraceError("UNSUPPORTED_LAYOUT", sentence, path, HOW_TO_RECORD);
}

function assumptionsOf({ time, hasProc, hasCpu }: GraphLayout): readonly string[] {
  return [
    ...(time === "none"
      ? ["the lines have no times (option funcgraph-abstime): only their order is used"]
      : []),
    ...(hasProc
      ? []
      : [
          "the lines name no tasks (option funcgraph-proc): calls are told apart by CPU and by the switches that are printed",
        ]),
    ...(hasCpu ? [] : ["no line names its CPU: calls are told apart by their thread only"]),
  ];
}
