import { type FileHandle, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ByteSource } from "./open-bytes.ts";
import { openFile, unreadable } from "./stored-bytes.ts";

/** Content that can be read at any place. */
export interface RandomBytes {
  readonly sizeBytes: number;
  /** Fills `target` with the bytes at `offset`; gives how many there were, fewer only at the end. */
  readInto(target: Uint8Array, offset: number): Promise<number>;
  /** A copy of the bytes at `offset`; shorter only at the end. */
  read(offset: number, lengthBytes: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * The content of a source for reading at any place: the file itself where it is a plain one, otherwise
 * a copy in a temporary file. The source is read to its end, so that its size and digest are known.
 * @throws TraceError UNREADABLE.
 */
export async function randomBytesOf(source: ByteSource): Promise<RandomBytes> {
  const { path } = source;
  if (source.compression === "none" && path !== "-" && (await isPlainFile(path))) {
    let unread = 0;
    for await (const chunk of source.chunks) unread += chunk.length;
    return new FileBytes(await openFile(path), path, unread);
  }
  return spool(source);
}

/**
 * The temporary file loses its name as soon as it is open: whatever ends the run, a signal or a crash
 * too, the system frees it.
 */
async function spool(source: ByteSource): Promise<RandomBytes> {
  const directory = await mkdtemp(join(tmpdir(), "tlbi-replay-"));
  let file: FileHandle;
  try {
    file = await open(join(directory, "trace.dat"), "wx+", 0o600);
  } finally {
    await rm(directory, { recursive: true });
  }
  let written = 0;
  try {
    for await (const chunk of source.chunks) {
      let at = 0;
      while (at < chunk.length) {
        const { bytesWritten } = await file.write(chunk, at, chunk.length - at, written);
        at += bytesWritten;
        written += bytesWritten;
      }
    }
  } catch (error) {
    await file.close();
    throw unreadable(source.path, error);
  }
  return new FileBytes(file, source.path, written);
}

async function isPlainFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

class FileBytes implements RandomBytes {
  readonly sizeBytes: number;
  readonly #file: FileHandle;
  readonly #path: string;

  constructor(file: FileHandle, path: string, sizeBytes: number) {
    this.#file = file;
    this.#path = path;
    this.sizeBytes = sizeBytes;
  }

  async readInto(target: Uint8Array, offset: number): Promise<number> {
    const wanted = Math.min(target.length, Math.max(0, this.sizeBytes - offset));
    let filled = 0;
    try {
      while (filled < wanted) {
        const { bytesRead } = await this.#file.read(
          target,
          filled,
          wanted - filled,
          offset + filled,
        );
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
    } catch (error) {
      throw unreadable(this.#path, error);
    }
    return filled;
  }

  async read(offset: number, lengthBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(lengthBytes, this.sizeBytes - offset)));
    return bytes.subarray(0, await this.readInto(bytes, offset));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
