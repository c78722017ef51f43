import { open, type FileHandle } from "node:fs/promises";

import { TraceError } from "../errors.ts";
import type { StoredDigest } from "./stored-digest.ts";

/** A chunk is only valid until the next one is asked for: its memory is used again. */
export type ByteChunks = AsyncIterable<Uint8Array>;

/** Size of the reads from a file; a pipe gives what it has. */
export const READ_BYTES: number = 1024 * 1024;

/**
 * Opens a regular file (or a pipe given by path) for reading.
 * @throws TraceError UNREADABLE for a missing or unreadable file or a directory.
 */
export async function openFile(path: string): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    throw unreadable(path, error);
  }
  const stat = await file.stat();
  if (!stat.isDirectory()) return file;
  await file.close();
  throw new TraceError("UNREADABLE", "this is a directory, not a trace file", path);
}

/** Chunks of a file, the next one being read while the consumer works on this one. */
export async function* fileChunks(
  file: FileHandle,
  path: string,
  digest: StoredDigest,
  readBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const buffers = [new Uint8Array(readBytes), new Uint8Array(readBytes)];
  let turn = 0;
  let isWhole = false;
  try {
    digest.expect((await file.stat()).size);
    let pending = file.read(buffers[turn]!, 0, readBytes);
    for (;;) {
      const { bytesRead, buffer } = await pending;
      if (bytesRead === 0) {
        digest.finish();
        isWhole = true;
        return;
      }
      turn = 1 - turn;
      pending = file.read(buffers[turn]!, 0, readBytes);
      // A failure shows when it is awaited; until then it must not count as unhandled.
      pending.catch(() => undefined);
      const chunk = buffer.subarray(0, bytesRead);
      digest.add(chunk);
      yield chunk;
    }
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    if (!isWhole) await digest.abandon();
    await file.close();
  }
}

/** Chunks of an already open stream such as standard input. */
export async function* streamChunks(
  stream: AsyncIterable<Uint8Array>,
  digest: StoredDigest,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of stream) {
      digest.add(chunk);
      yield chunk;
    }
  } catch (error) {
    throw unreadable("-", error);
  }
}

/** What a failed read says to the user; an error that already says it is passed on. */
export function unreadable(path: string, error: unknown): TraceError {
  if (error instanceof TraceError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const sentence =
    code === "ENOENT"
      ? "there is no such file"
      : code === "EACCES" || code === "EPERM"
        ? "this file may not be read by this user"
        : code === "EISDIR"
          ? "this is a directory, not a trace file"
          : `this file cannot be read${code === "" ? "" : ` (${code})`}`;
  return new TraceError("UNREADABLE", sentence, path);
}
