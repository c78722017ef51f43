import { readProbeNames } from "./beside/probe-names.ts";
import { TraceError } from "./errors.ts";
import { readPrinted } from "./formats/bpftrace/index.ts";
import type { FormatId } from "./formats/format.ts";
import { chooseFormat } from "./formats/registry.ts";
import { isTraceDat } from "./formats/trace-dat/index.ts";
import type { TraceReader } from "./reader.ts";
import { refuseBinary } from "./source/content-check.ts";
import { type OpenBytesOptions, openBytes } from "./source/open-bytes.ts";

export interface OpenTraceOptions extends OpenBytesOptions {
  /** `auto` (the default): by content. */
  readonly inputFormat?: FormatId | "auto";
  /**
   * A saved probe list (the text of `kprobe_events`), for formats that print a probe's name without its
   * function; default: the one that stands beside the trace.
   */
  readonly probes?: string;
  /** Where the values stand in lines that a user's own program printed: see `LineTemplate`. */
  readonly lineTemplate?: string;
}

/**
 * Opens a trace for reading; format, layout and compression are told from the content.
 * @param path a file, or `-` for standard input.
 * @throws TraceError UNREADABLE, EMPTY, BINARY, UNSUPPORTED_COMPRESSION, WRONG_FORMAT,
 * UNSUPPORTED_LAYOUT, BAD_OPTION. After it has returned, losses are diagnostics; only a file that stops being
 * readable, or a wrong CSV header, still throws from `batches`.
 */
export async function openTrace(
  path: string,
  options: OpenTraceOptions = {},
): Promise<TraceReader> {
  const source = await openBytes(path, options);
  const wanted = options.inputFormat ?? "auto";
  try {
    const mayBeBinary = wanted === "auto" || wanted === "trace-dat";
    if (!mayBeBinary || !isTraceDat(source.head)) refuseBinary(source.head, path);
    if (options.lineTemplate !== undefined) {
      if (wanted !== "auto" && wanted !== "bpftrace") throw templateForOther(wanted);
      return readPrinted(source, options.lineTemplate);
    }
    const { format } = chooseFormat(source.head, path, wanted);
    const use =
      format.usesProbeNames?.(source.head) ??
      (options.probes === undefined ? undefined : "definitions");
    const names =
      use === undefined ? undefined : await readProbeNames(path, options.probes, use === "all");
    return format.read(source, names);
  } catch (error) {
    await source.close();
    throw error;
  }
}

function templateForOther(format: FormatId): TraceError {
  return new TraceError(
    "BAD_OPTION",
    `a line template says how lines of one's own are read; it does not go with --input-format ${format}`,
  );
}
