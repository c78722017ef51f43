import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { TraceError } from "../../../ingest/errors.ts";
import { documentPlace } from "./document-place.ts";
import { DOCUMENT_KINDS, type DocumentKind, MAX_DOCUMENT_BYTES } from "./result-store.ts";
import type { ResultStore } from "./result-store.ts";

/** A temporary file of that age has nobody who will finish it. */
const STALE_MS = 3600 * 1000;

/**
 * Results in a folder, which several processes and machines may share. A document is written under a
 * temporary name beside its own, synced and renamed. Below the folder, links are refused: they would lead
 * writes elsewhere.
 */
export class FolderStore implements ResultStore {
  readonly description: string;
  readonly #root: string;

  constructor(folder: string) {
    this.#root = path.resolve(folder);
    this.description = folder;
  }

  async has(kind: DocumentKind, key: string): Promise<boolean> {
    const stat = fs.lstatSync(this.#file(kind, key), { throwIfNoEntry: false });
    return Promise.resolve(stat?.isFile() === true);
  }

  async read(kind: DocumentKind, key: string): Promise<string | undefined> {
    const file = this.#file(kind, key);
    const stat = fs.lstatSync(file, { throwIfNoEntry: false });
    if (stat?.isFile() !== true || stat.size > MAX_DOCUMENT_BYTES) return undefined;
    return fs.promises.readFile(file, "utf8");
  }

  async write(kind: DocumentKind, key: string, text: string): Promise<void> {
    const file = this.#file(kind, key);
    const folder = path.dirname(file);
    const name = `.${key}.${process.pid}.${randomBytes(6).toString("hex")}.tmp`;
    const temporary = path.join(folder, name);
    try {
      this.#makeFolders(folder);
      writeSynced(temporary, text);
      fs.renameSync(temporary, file);
      syncFolder(folder);
    } catch (error) {
      fs.rmSync(temporary, { force: true });
      throw unwritable(this.#root, error);
    }
    return Promise.resolve();
  }

  async remove(kind: DocumentKind, key: string): Promise<void> {
    fs.rmSync(this.#file(kind, key), { force: true });
    return Promise.resolve();
  }

  place(kind: DocumentKind, key: string): string {
    return documentPlace(kind, key);
  }

  close(): void {}

  /** Removes what killed processes left behind; gives how many files that were. */
  sweep(nowMs: number): number {
    let removed = 0;
    for (const kind of DOCUMENT_KINDS) {
      for (const part of namesIn(path.join(this.#root, kind))) {
        const folder = path.join(this.#root, kind, part);
        for (const name of namesIn(folder)) {
          if (!/^\.[0-9a-f]{64}\..*\.tmp$/.test(name)) continue;
          const file = path.join(folder, name);
          const stat = fs.lstatSync(file, { throwIfNoEntry: false });
          if (stat === undefined || nowMs - stat.mtimeMs < STALE_MS) continue;
          fs.rmSync(file, { force: true });
          removed += 1;
        }
      }
    }
    return removed;
  }

  #file(kind: DocumentKind, key: string): string {
    return path.join(this.#root, documentPlace(kind, key));
  }

  /** The root may be what the user likes; below it only folders of our own. */
  #makeFolders(folder: string): void {
    fs.mkdirSync(this.#root, { recursive: true });
    let at = this.#root;
    for (const part of path.relative(this.#root, folder).split(path.sep)) {
      at = path.join(at, part);
      try {
        fs.mkdirSync(at);
      } catch (error) {
        if (codeOf(error) !== "EEXIST") throw error;
        if (!fs.lstatSync(at).isDirectory()) throw Object.assign(new Error(at), { code: "ELINK" });
      }
    }
  }
}

function writeSynced(name: string, text: string): void {
  const fd = fs.openSync(name, "wx");
  try {
    fs.writeFileSync(fd, text);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function syncFolder(folder: string): void {
  const fd = fs.openSync(folder, "r");
  try {
    fs.fsyncSync(fd);
  } catch (error) {
    // Some network file systems cannot sync a folder.
    if (!["EINVAL", "ENOTSUP", "EISDIR"].includes(codeOf(error))) throw error;
  } finally {
    fs.closeSync(fd);
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

const SENTENCES: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on the disk",
  EDQUOT: "the disk quota is used up",
  EFBIG: "a result is larger than the limit on file sizes",
  EROFS: "the file system is read-only",
  EACCES: "no permission to write there",
  ELINK: "a link or a file stands in the place of a folder of results",
  ENOTDIR: "a part of this path is a file, not a folder",
};

function unwritable(folder: string, error: unknown): unknown {
  const code = codeOf(error);
  if (code === "") return error;
  const reason = SENTENCES[code] ?? "the file system refuses";
  return new TraceError("UNWRITABLE", `cannot write the results: ${reason} (${code})`, folder);
}
