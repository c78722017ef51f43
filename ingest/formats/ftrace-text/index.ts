import { NO_SYMBOLS, readProbeSymbols } from "../../beside/probe-symbols.ts";
import type { TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import type { Sniff, TraceFormat } from "../format.ts";
import { FtraceTextReader } from "./driver.ts";
import { requireReadableLayout } from "./layout.ts";
import { surveyLayout } from "./layout-survey.ts";

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

  async read(source: ByteSource): Promise<TraceReader> {
    const survey = surveyLayout(source.head);
    const symbols = survey.fields.isFields ? await readProbeSymbols(source.path) : NO_SYMBOLS;
    return new FtraceTextReader(source, requireReadableLayout(survey, source.path, symbols));
  },
};
