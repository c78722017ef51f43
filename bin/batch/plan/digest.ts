import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { TraceError } from "../../../ingest/errors.ts";
import { openFile, unreadable } from "../../../ingest/source/stored-bytes.ts";

export interface FileDigest {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** @throws TraceError UNREADABLE, EMPTY. */
export async function digestOfFile(path: string): Promise<FileDigest> {
  // Before it is opened: a pipe would wait for a writer, a device may never end.
  const stats = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!stats.isFile()) throw new TraceError("UNREADABLE", "this is not a regular file", path);
  const file = await openFile(path);
  try {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of file.createReadStream({ autoClose: false })) {
      const part: Uint8Array = chunk;
      hash.update(part);
      bytes += part.length;
    }
    if (bytes === 0) throw new TraceError("EMPTY", "the file is empty", path);
    return { bytes, sha256: hash.digest("hex") };
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await file.close();
  }
}
