import fs from "node:fs";
import path from "node:path";
import { TraceError } from "../ingest/errors.ts";

/** Most buffers that one system call takes. */
const MAX_BUFFERS = 1024;

/**
 * A file that gets its name only when it is whole: it is written under a temporary one in the same
 * folder (a dot, the name, the process id), synced and then renamed. A device or a pipe is written to
 * as it is. Throws TraceError UNWRITABLE where the file system refuses.
 */
export class WholeFile {
  readonly #name: string;
  readonly #temporary: string | undefined;
  #fd: number | undefined;

  constructor(name: string) {
    this.#name = name;
    const stat = fs.statSync(name, { throwIfNoEntry: false });
    const isSpecial = stat !== undefined && !stat.isFile();
    this.#temporary = isSpecial
      ? undefined
      : path.join(path.dirname(name), `.${path.basename(name)}.${process.pid}.tmp`);
    try {
      if (this.#temporary !== undefined) fs.rmSync(this.#temporary, { force: true });
      this.#fd = fs.openSync(this.#temporary ?? name, isSpecial ? "w" : "wx");
    } catch (error) {
      throw unwritable(error, name);
    }
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    try {
      for (let at = 0; at < chunks.length; at += MAX_BUFFERS) {
        this.#writeAll(chunks.slice(at, at + MAX_BUFFERS));
      }
    } catch (error) {
      throw unwritable(error, this.#name);
    }
    return Promise.resolve();
  }

  /** Gives the file its name. */
  commit(): void {
    try {
      const fd = this.#fd!;
      if (this.#temporary !== undefined) fs.fsyncSync(fd);
      this.#close();
      if (this.#temporary !== undefined) fs.renameSync(this.#temporary, this.#name);
    } catch (error) {
      this.discard();
      throw unwritable(error, this.#name);
    }
  }

  /** Leaves nothing behind; does nothing after `commit`. */
  discard(): void {
    if (this.#fd !== undefined) this.#close();
    if (this.#temporary !== undefined) fs.rmSync(this.#temporary, { force: true });
  }

  #close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) fs.closeSync(fd);
  }

  #writeAll(chunks: readonly Uint8Array[]): void {
    const total = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    if (total === 0) return;
    let done = fs.writevSync(this.#fd!, chunks);
    if (done === total) return;
    // A pipe, or a disk that is nearly full, took a part.
    const rest = Buffer.concat(chunks);
    while (done < total) done += fs.writeSync(this.#fd!, rest, done);
  }
}

function unwritable(error: unknown, name: string): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (!/^E[A-Z]+$/.test(code)) return error;
  const reason =
    code === "ENOSPC" || code === "EDQUOT"
      ? "no space is left on the disk"
      : code === "ENOENT"
        ? "there is no such folder"
        : "the file system refuses";
  return new TraceError("UNWRITABLE", `cannot write the events: ${reason} (${code})`, name);
}
