import { NO_PROBE_NAMES, type ProbeNames } from "../../beside/probe-names.ts";
import type { TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import type { ProbeNamesUse, Sniff, TraceFormat } from "../format.ts";
import { TextReader } from "../text/text-reader.ts";
import { requireReadableLayout } from "./layout.ts";
import { surveyLayout } from "./layout-survey.ts";
import { LineReader } from "./line-reader.ts";

/** The text of the kernel's `trace` and `trace_pipe` files. */
export const ftraceText: TraceFormat = {
  id: "ftrace-text",

  sniff(head: Uint8Array): Sniff {
    const survey = surveyLayout(head);
    if (survey.hasFtraceHeader) return { applies: true, reason: "an ftrace header" };
    if (survey.foreign !== undefined && survey.foreign.needsHeader !== true)
      return { applies: true, reason: survey.foreign.name };
    const events = survey.events + survey.eventsLeftTrimmed;
    return events > 0
      ? { applies: true, reason: "lines with pid, CPU and time in ftrace's order" }
      : { applies: false, reason: "no line with pid, CPU and time in ftrace's order" };
  },

  usesProbeNames(head: Uint8Array): ProbeNamesUse {
    return surveyLayout(head).fields.isFields ? "all" : "definitions";
  },

  read(source: ByteSource, names: ProbeNames = NO_PROBE_NAMES): TraceReader {
    const layout = requireReadableLayout(surveyLayout(source.head), source.path, names);
    return new TextReader(source, {
      id: "ftrace-text",
      layout: layout.description,
      lines: (tables, problems) => new LineReader(tables, problems, layout),
    });
  },
};
