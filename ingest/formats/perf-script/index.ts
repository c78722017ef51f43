import { NO_PROBE_NAMES } from "../../beside/probe-names.ts";
import { TraceError } from "../../errors.ts";
import type { TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import type { ReadOptions, Sniff, TraceFormat } from "../format.ts";
import { requireProbeNames } from "../text/bare-probes.ts";
import { NamedProbes } from "../text/named-probes.ts";
import { TextReader } from "../text/text-reader.ts";
import { describePerfScript, type PerfSurvey, surveyPerfScript } from "./layout.ts";
import { PerfLines } from "./perf-lines.ts";

/** The text that `perf script` prints, by default or with fields chosen by `-F`. */
export const perfScript: TraceFormat = {
  id: "perf-script",
  usesProbeNames: () => "all",

  sniff(head: Uint8Array): Sniff {
    const { events, lines } = surveyPerfScript(head);
    return events * 2 > lines
      ? {
          applies: true,
          reason: "lines with task, time and group:event: as perf script prints them",
        }
      : { applies: false, reason: "no lines with task, time and group:event:" };
  },

  read(source: ByteSource, { names = NO_PROBE_NAMES }: ReadOptions = {}): TraceReader {
    const survey = surveyPerfScript(source.head);
    if (survey.events === 0) {
      throw new TraceError(
        "UNSUPPORTED_LAYOUT",
        "no line of this text has a task, a time and an event of perf script",
        source.path,
        "save it with: perf script --ns --guest-code -F comm,pid,tid,cpu,time,event,trace",
      );
    }
    if (survey.hasBareProbes) requireProbeNames(names, "perf script", source.path);
    const places = new NamedProbes(names);
    return new TextReader(source, {
      id: "perf-script",
      layout: describePerfScript(survey, names),
      assumed: assumptionsOf(survey),
      lines: (tables, problems) => new PerfLines(tables, problems, places, survey.column),
    });
  },
};

function assumptionsOf({ hasOneId, hasCpu }: PerfSurvey): readonly string[] {
  return [
    ...(hasOneId ? ["each line has one number for its task: it is taken for the thread's"] : []),
    ...(hasCpu ? [] : ["no line names its CPU: calls are told apart by their thread only"]),
  ];
}
