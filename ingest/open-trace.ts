import { readEventIds } from "./beside/event-ids.ts";
import { readProbeNames } from "./beside/probe-names.ts";
import { quoteForMessage } from "./diagnostics.ts";
import { TraceError } from "./errors.ts";
import { readPrinted } from "./formats/bpftrace/index.ts";
import type { FormatId } from "./formats/format.ts";
import { isArrowFile } from "./formats/arrow-events/index.ts";
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
  readonly probes?: string | undefined;
  /** Name of the tracing instance to read, where a file holds several; default: the top buffer. */
  readonly instance?: string | undefined;
  /** Where the values stand in lines that a user's own program printed: see `LineTemplate`. */
  readonly lineTemplate?: string | undefined;
}

/**
 * Opens a trace for reading; format, layout and compression are told from the content.
 * @param path a file, or `-` for standard input.
 * @throws TraceError UNREADABLE, EMPTY, BINARY, UNSUPPORTED_COMPRESSION, WRONG_FORMAT,
 * UNSUPPORTED_LAYOUT, BAD_OPTION. After it has returned, losses are diagnostics; only a file that stops being
 * readable, a wrong CSV header, or an instance that the file does not have, still throws from `batches`.
 */
export async function openTrace(
  path: string,
  options: OpenTraceOptions = {},
): Promise<TraceReader> {
  const source = await openBytes(path, options);
  const wanted = options.inputFormat ?? "auto";
  try {
    if (!isBinaryFormat(source.head, wanted)) refuseBinary(source.head, path);
    if (options.lineTemplate !== undefined) {
      if (wanted !== "auto" && wanted !== "bpftrace") throw templateForOther(wanted);
      return readPrinted(source, options.lineTemplate);
    }
    const { format } = chooseFormat(source.head, path, wanted);
    if (options.instance !== undefined && format.hasInstances !== true) {
      throw new TraceError(
        "BAD_OPTION",
        `an instance is named (${quoteForMessage(options.instance)}), but ${format.id} has none`,
        path,
        "only trace.dat files hold the buffers of several instances",
      );
    }
    const use =
      format.usesProbeNames?.(source.head) ??
      (options.probes === undefined ? undefined : "definitions");
    const names =
      use === undefined ? undefined : await readProbeNames(path, options.probes, use === "all");
    const ids = format.usesEventIds?.(source.head) === true ? await readEventIds(path) : undefined;
    return format.read(source, { names, ids, instance: options.instance });
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

/** Whether it is one of the formats that are not text. */
function isBinaryFormat(head: Uint8Array, wanted: FormatId | "auto"): boolean {
  if (wanted === "arrow") return true;
  if (wanted !== "auto" && wanted !== "trace-dat") return false;
  return isTraceDat(head) || (wanted === "auto" && isArrowFile(head));
}
