import { quoteForMessage } from "../diagnostics.ts";
import { TraceError } from "../errors.ts";
import type { AccessFormat, AccessFormatId } from "./access-format.ts";
import { accessArrow } from "./formats/access-arrow.ts";
import { accessCsv } from "./formats/access-csv.ts";
import { champsim } from "./formats/champsim.ts";
import { din } from "./formats/din.ts";
import { drmemtraceView } from "./formats/drmemtrace-view.ts";
import { lackey } from "./formats/lackey.ts";
import { damon } from "./statistics/damon.ts";
import { perfMem } from "./statistics/perf-mem.ts";

/** Every format of accesses, in the order in which they are tried. */
export const ACCESS_FORMATS: readonly AccessFormat[] = [
  accessArrow,
  drmemtraceView,
  lackey,
  damon,
  perfMem,
  accessCsv,
  din,
  champsim,
];

/** The names that `--stream FORMAT:FILE` takes. */
export const ACCESS_FORMAT_IDS: readonly AccessFormatId[] = ACCESS_FORMATS.map(({ id }) => id);

/**
 * The format of a content, by its first bytes or as the user says.
 * @throws TraceError WRONG_FORMAT, quoting the first line, where no format applies.
 */
export function chooseAccessFormat(
  head: Uint8Array,
  path: string,
  wanted: AccessFormatId | "auto" = "auto",
): AccessFormat {
  if (wanted !== "auto") return ACCESS_FORMATS.find(({ id }) => id === wanted)!;
  const reasons: string[] = [];
  for (const format of ACCESS_FORMATS) {
    const { applies, reason } = format.sniff(head);
    if (applies) return format;
    reasons.push(`${format.id}: ${reason}`);
  }
  const [firstLine = ""] = Buffer.from(head.subarray(0, 200)).toString("latin1").split("\n", 1);
  throw new TraceError(
    "WRONG_FORMAT",
    `these are no accesses that can be read; the file begins with: ${quoteForMessage(firstLine.trimEnd(), 80)}`,
    path,
    `name the format in front of the file (${ACCESS_FORMAT_IDS.join(", ")}); ${reasons.join("; ")}`,
  );
}

/** The format and the path of a `--stream` value: `FORMAT:FILE`, or `FILE` alone. */
export function splitStreamName(value: string): {
  readonly format: AccessFormatId | "auto";
  readonly path: string;
} {
  const colon = value.indexOf(":");
  const format = ACCESS_FORMAT_IDS.find((id) => id === value.slice(0, Math.max(colon, 0)));
  return format === undefined
    ? { format: "auto", path: value }
    : { format, path: value.slice(colon + 1) };
}
