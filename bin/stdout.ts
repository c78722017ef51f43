import { once } from "node:events";
import { TraceError } from "../ingest/errors.ts";

/**
 * Writes a part of a result to stdout and waits while the reader is slower. Bytes that are not text are
 * refused on a terminal, which they would only garble.
 */
export async function printResult(
  chunk: string | Uint8Array,
  stream: NodeJS.WritableStream & { readonly isTTY?: boolean } = process.stdout,
): Promise<void> {
  if (typeof chunk !== "string" && stream.isTTY === true) {
    throw new TraceError(
      "BAD_OPTION",
      "binary output does not go to a terminal",
      undefined,
      "redirect stdout to a file, or use --format table, csv or json",
    );
  }
  if (!stream.write(chunk)) await once(stream, "drain");
}
