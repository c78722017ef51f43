import { readEventIds } from "./beside/event-ids.ts";
import { readProbeNames } from "./beside/probe-names.ts";
import { quoteForMessage } from "./diagnostics.ts";
import { TraceError } from "./errors.ts";
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
  /** Name of the tracing instance to read, where a file holds several; default: the top buffer. */
  readonly instance?: string;
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
    const mayBeBinary = wanted === "auto" || wanted === "trace-dat";
    if (!mayBeBinary || !isTraceDat(source.head)) refuseBinary(source.head, path);
    const { format } = chooseFormat(source.head, path, wanted);
    if (options.instance !== undefined && format.hasInstances !== true) {
      throw new TraceError(
        "BAD_OPTION",
        `an instance is named (${quoteForMessage(options.instance)}), but ${format.id} has none`,
        path,
        "only trace.dat files hold the buffers of several instances",
      );
    }
    const wantsNames =
      options.probes !== undefined || format.usesProbeNames?.(source.head) === true;
    const names = wantsNames ? await readProbeNames(path, options.probes) : undefined;
    const ids = format.usesEventIds?.(source.head) === true ? await readEventIds(path) : undefined;
    return format.read(source, { names, ids, instance: options.instance });
  } catch (error) {
    await source.close();
    throw error;
  }
}
