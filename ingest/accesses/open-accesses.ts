import { refuseBinary } from "../source/content-check.ts";
import { type OpenBytesOptions, openBytes } from "../source/open-bytes.ts";
import type {
  AccessFormatId,
  AccessReader,
  RateReader,
  ReadAccessesOptions,
} from "./access-format.ts";
import { chooseAccessFormat } from "./registry.ts";

export interface OpenAccessesOptions extends OpenBytesOptions, ReadAccessesOptions {
  /** `auto` (the default): by content. */
  readonly format?: AccessFormatId | "auto";
}

/** An opened file of accesses: their sequence, or how often pages were accessed. */
export type OpenedAccesses =
  | { readonly streamClass: "sequence"; readonly bias: string; readonly reader: AccessReader }
  | { readonly streamClass: "statistics"; readonly bias: string; readonly reader: RateReader };

/**
 * Opens a file of accesses; format and compression are told from the content.
 * @param path a file, or `-` for standard input.
 * @throws TraceError UNREADABLE, EMPTY, BINARY, UNSUPPORTED_COMPRESSION, WRONG_FORMAT. After it has
 * returned, losses are diagnostics; a wrong header or schema still throws from the reader.
 */
export async function openAccesses(
  path: string,
  options: OpenAccessesOptions = {},
): Promise<OpenedAccesses> {
  const source = await openBytes(path, options);
  try {
    const format = chooseAccessFormat(source.head, path, options.format);
    if (!format.isBinary) refuseBinary(source.head, path);
    const { bias } = format;
    return format.streamClass === "sequence"
      ? { streamClass: "sequence", bias, reader: format.read(source, options) }
      : { streamClass: "statistics", bias, reader: format.read(source, options) };
  } catch (error) {
    await source.close();
    throw error;
  }
}
