import { TraceError } from "../../errors.ts";
import type { TraceReader } from "../../reader.ts";
import type { ByteSource } from "../../source/open-bytes.ts";
import { textOf } from "../bytes.ts";
import type { Sniff, TraceFormat } from "../format.ts";
import { wholeLines } from "../text/head-lines.ts";
import { TextReader } from "../text/text-reader.ts";
import { readJsonRecord } from "./json-record.ts";
import { type LineTemplate, parseLineTemplate } from "./line-template.ts";
import { PrintedLines } from "./printed-lines.ts";
import { TimeOrder } from "./time-order.ts";
import { TemplateLine } from "./template-line.ts";

/** What our bpftrace program prints (`fixtures/bpftrace/stage2.bt`); the name stands last, as it may hold anything. */
export const OWN_TEMPLATE = "s2| {ts_ns} {cpu} {pid} {event} {args} | {comm}";

const OWN_LINE = /^s2\| \d+ \d+ \d+ [\w:%.]+ /;
const ATTACHED = /^Attach(?:ing|ed) \d+ probes?/;
const HOW_TO_NAME =
  "record with our own program (fixtures/bpftrace/stage2.bt), or say where the values stand: --line-template '{ts_ns} {cpu} {pid} {event} {args}'";

interface PrintedSurvey {
  readonly isJson: boolean;
  readonly isBpftrace: boolean;
  /** Lines that are neither empty nor about the recording itself. */
  readonly lines: readonly string[];
}

/** The output of bpftrace, in the layout of our program or in one that a template describes. */
export const bpftrace: TraceFormat = {
  id: "bpftrace",

  sniff(head: Uint8Array): Sniff {
    const { isBpftrace, isJson, lines } = surveyPrinted(head);
    if (isBpftrace) {
      return {
        applies: true,
        reason: isJson ? "records of bpftrace -f json" : "Attaching … probes",
      };
    }
    return lines.filter((line) => OWN_LINE.test(line)).length * 2 > lines.length
      ? { applies: true, reason: "lines of our bpftrace program" }
      : { applies: false, reason: "no line of bpftrace" };
  },

  read(source: ByteSource): TraceReader {
    return readPrinted(source, undefined);
  },
};

/**
 * Reads a text whose lines were printed by a user's own program.
 * @param template as the user gives it; undefined: that of our own program.
 * @throws TraceError BAD_OPTION for a wrong template, UNSUPPORTED_LAYOUT where no line is of the template.
 */
export function readPrinted(source: ByteSource, template: string | undefined): TraceReader {
  const parsed = parseLineTemplate(template ?? OWN_TEMPLATE);
  const { isJson, lines } = surveyPrinted(source.head);
  refuseOtherLayout(parsed, template, lines, source.path);
  const layout = template === undefined ? "lines of our program" : `lines by template ${template}`;
  const reader = new TextReader(source, {
    id: "bpftrace",
    layout: isJson ? `${layout}, as JSON` : layout,
    assumed: parsed.hasCpu
      ? []
      : ["no line names its CPU: calls are told apart by their thread only"],
    lines: (tables, problems) => new PrintedLines(tables, problems, { template: parsed, isJson }),
  });
  // bpftrace empties the buffers of the CPUs one behind the other.
  return new TimeOrder(reader);
}

function refuseOtherLayout(
  template: LineTemplate,
  given: string | undefined,
  lines: readonly string[],
  path: string,
): void {
  const line = new TemplateLine(template);
  const fits = lines.some((text) => {
    const bytes = Uint8Array.from(Buffer.from(`${text}\n`, "latin1"));
    return line.read(bytes, 0, bytes.length - 1);
  });
  if (lines.length === 0 || fits) return;
  const sentence =
    given === undefined
      ? "this is the output of bpftrace, whose layout is that of the program that printed it, and not ours"
      : `none of its first lines is of the line template '${given}'`;
  throw new TraceError("UNSUPPORTED_LAYOUT", sentence, path, HOW_TO_NAME);
}

function surveyPrinted(head: Uint8Array): PrintedSurvey {
  const texts = [...wholeLines(head)]
    .map(([start, end]) => textOf(head, start, end))
    .filter((text) => text !== "" && !text.startsWith("#"));
  const records = texts.map((text) => (text.startsWith("{") ? readJsonRecord(text) : undefined));
  const isJson = records[0] !== undefined;
  return {
    isJson,
    isBpftrace: isJson || ATTACHED.test(texts[0] ?? ""),
    lines: isJson
      ? records.flatMap((record) => (record?.kind === "printed" ? [record.text] : []))
      : texts.filter((text) => !ATTACHED.test(text)),
  };
}
