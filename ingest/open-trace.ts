import type { FormatId } from "./formats/format.ts";
import { chooseFormat } from "./formats/registry.ts";
import type { TraceReader } from "./reader.ts";
import { refuseBinary } from "./source/content-check.ts";
import { type OpenBytesOptions, openBytes } from "./source/open-bytes.ts";

export interface OpenTraceOptions extends OpenBytesOptions {
  /** `auto` (the default): by content. */
  readonly inputFormat?: FormatId | "auto";
}

/**
 * Opens a trace for reading; format, layout and compression are told from the content.
 * @param path a file, or `-` for standard input.
 * @throws TraceError UNREADABLE, EMPTY, BINARY, UNSUPPORTED_COMPRESSION, WRONG_FORMAT,
 * UNSUPPORTED_LAYOUT. After it has returned, losses are diagnostics; only a file that stops being
 * readable, or a wrong CSV header, still throws from `batches`.
 */
export async function openTrace(
  path: string,
  options: OpenTraceOptions = {},
): Promise<TraceReader> {
  const source = await openBytes(path, options);
  try {
    refuseBinary(source.head, path);
    return await chooseFormat(source.head, path, options.inputFormat).format.read(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}
