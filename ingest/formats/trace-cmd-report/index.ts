import { NO_PROBE_NAMES } from "../../beside/probe-names.ts";
import { TraceError } from "../../errors.ts";
import type { TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import type { ReadOptions, Sniff, TraceFormat } from "../format.ts";
import { requireProbeNames } from "../text/bare-probes.ts";
import { NamedProbes } from "../text/named-probes.ts";
import { TextReader } from "../text/text-reader.ts";
import { describeReport, surveyReport } from "./layout.ts";
import { ReportLines } from "./report-lines.ts";

/** The text that `trace-cmd report` prints. */
export const traceCmdReport: TraceFormat = {
  id: "trace-cmd-report",
  usesProbeNames: () => "all",

  sniff(head: Uint8Array): Sniff {
    const survey = surveyReport(head);
    if (survey.hasFtraceHeader) return { applies: false, reason: "it has an ftrace header" };
    if (survey.declared) return { applies: true, reason: "it begins with the number of CPUs" };
    return survey.likeReport * 2 > survey.lines
      ? { applies: true, reason: "lines with texts aligned as trace-cmd report does" }
      : { applies: false, reason: "no cpus= in front, no lines aligned as trace-cmd report does" };
  },

  read(source: ByteSource, { names = NO_PROBE_NAMES }: ReadOptions = {}): TraceReader {
    const survey = surveyReport(source.head);
    if (survey.events === 0 && (survey.lines > 0 || !survey.declared)) {
      throw new TraceError(
        "UNSUPPORTED_LAYOUT",
        "this is not the text of trace-cmd report: no line has comm-pid, CPU and time at its columns",
        source.path,
        "save it with: trace-cmd report -i trace.dat > report.txt",
      );
    }
    if (survey.hasBareProbes) requireProbeNames(names, "trace-cmd report", source.path);
    const places = new NamedProbes(names);
    return new TextReader(source, {
      id: "trace-cmd-report",
      layout: describeReport(survey, names),
      assumed:
        survey.prefixes.length > 1
          ? [`the lines of ${survey.prefixes.join(" ")} are of one machine`]
          : [],
      lines: (tables, problems) => new ReportLines(tables, problems, places, survey),
    });
  },
};
