import { readProbeNames } from "./beside/probe-names.ts";
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
  readonly probes?: string;
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
    if (!isBinaryFormat(source.head, wanted)) refuseBinary(source.head, path);
    const { format } = chooseFormat(source.head, path, wanted);
    const wantsNames =
      options.probes !== undefined || format.usesProbeNames?.(source.head) === true;
    const names = wantsNames ? await readProbeNames(path, options.probes) : undefined;
    return format.read(source, names);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Whether it is one of the formats that are not text. */
function isBinaryFormat(head: Uint8Array, wanted: FormatId | "auto"): boolean {
  if (wanted === "arrow") return true;
  if (wanted !== "auto" && wanted !== "trace-dat") return false;
  return isTraceDat(head) || (wanted === "auto" && isArrowFile(head));
}
