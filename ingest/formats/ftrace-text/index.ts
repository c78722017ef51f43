import { NO_PROBE_NAMES } from "../../beside/probe-names.ts";
import type { TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import type { ProbeNamesUse, ReadOptions, Sniff, TraceFormat } from "../format.ts";
import { TextReader } from "../text/text-reader.ts";
import { requireReadableLayout } from "./layout.ts";
import { surveyLayout } from "./layout-survey.ts";
import { LineReader } from "./line-reader.ts";
import { RawLines } from "./raw-lines.ts";

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

  usesEventIds(head: Uint8Array): boolean {
    return surveyLayout(head).foreign?.raw !== undefined;
  },

  read(source: ByteSource, { names = NO_PROBE_NAMES, ids }: ReadOptions = {}): TraceReader {
    const survey = surveyLayout(source.head);
    const raw = survey.foreign?.raw;
    if (raw !== undefined && ids !== undefined) {
      return new TextReader(source, {
        id: "ftrace-text",
        layout: `${raw.name} option: no arguments, event types by ${ids.origin}`,
        assumed: [
          `the event types have the numbers of ${ids.origin}: they are of the same boot`,
          "the trace clock counts ns",
        ],
        lines: (tables, problems) => new RawLines(tables, problems, raw, ids),
      });
    }
    const layout = requireReadableLayout(survey, source.path, names);
    return new TextReader(source, {
      id: "ftrace-text",
      layout: layout.description,
      lines: (tables, problems) => new LineReader(tables, problems, layout),
    });
  },
};
