import fs from "node:fs";
import path from "node:path";
import { TraceError } from "../ingest/errors.ts";

/** A file to be written; a string is written as UTF-8. */
export interface OutputFile {
  /** Without a folder. */
  readonly name: string;
  readonly bytes: Uint8Array | string;
}

/** The file whose presence says that the set is complete. */
export const SET_MARKER = "summary.json";

/**
 * Writes a set of files into `dir` (made where it does not exist) so that, whenever the program or the
 * machine dies, a file under its final name is whole and the marker stands only beside a complete set:
 *
 * 1. every file goes to a temporary name in `dir` (a dot, the name, the process id) and is synced;
 * 2. an older marker is removed, so that a mixture of two sets is never taken for one, and then what an
 *    older set had and this one has not (`obsolete`);
 * 3. the files get their final names, the marker last, each step synced.
 *
 * It runs synchronously: a signal is seen before or after a set, not in the middle. On an error the
 * temporary files are removed; after a SIGKILL they stay and can be deleted. Files of other names in
 * `dir` are not touched, and two processes must not write to the same `dir` at once.
 *
 * Throws a TraceError UNWRITABLE where the file system refuses.
 */
export function writeOutputSet(
  dir: string,
  files: readonly OutputFile[],
  marker: string = SET_MARKER,
  obsolete: readonly string[] = [],
): void {
  checkNames(files, marker);
  const names = new Set(files.map(({ name }) => name));
  const temporaryName = (name: string): string => path.join(dir, `.${name}.${process.pid}.tmp`);
  const moveIntoPlace = (name: string): void =>
    fs.renameSync(temporaryName(name), path.join(dir, name));
  try {
    makeFolder(path.resolve(dir));
    for (const { name, bytes } of files) writeSynced(temporaryName(name), bytes);
    fs.rmSync(path.join(dir, marker), { force: true });
    for (const name of obsolete) {
      const file = path.join(dir, path.basename(name));
      if (!names.has(name) && fs.existsSync(file)) fs.rmSync(file, { force: true });
    }
    syncFolder(dir);
    for (const { name } of files) if (name !== marker) moveIntoPlace(name);
    syncFolder(dir);
    moveIntoPlace(marker);
    syncFolder(dir);
  } catch (error) {
    removeAll(files.map(({ name }) => temporaryName(name)));
    throw unwritable(dir, error);
  }
}

/** Like `mkdir -p`. Not `mkdirSync(…, { recursive: true })`: on Node 20 that never returns below /proc. */
function makeFolder(dir: string): void {
  if (fs.existsSync(dir)) {
    if (fs.statSync(dir).isDirectory()) return;
    throw Object.assign(new Error(dir), { code: "EEXIST" });
  }
  makeFolder(path.dirname(dir));
  try {
    fs.mkdirSync(dir);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

function checkNames(files: readonly OutputFile[], marker: string): void {
  const names = new Set<string>();
  for (const { name } of files) {
    if (name === "" || name.startsWith(".") || path.basename(name) !== name) {
      throw new Error(`not a plain file name: '${name}'`);
    }
    if (names.has(name)) throw new Error(`two files of one set are called '${name}'`);
    names.add(name);
  }
  if (!names.has(marker)) throw new Error(`the set lacks its marker '${marker}'`);
}

function writeSynced(name: string, bytes: Uint8Array | string): void {
  // What an earlier process of the same id left behind, or a link somebody laid there, is not written through.
  fs.rmSync(name, { force: true });
  const fd = fs.openSync(name, "wx");
  try {
    fs.writeFileSync(fd, bytes);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Makes renames and removals in a folder survive a power cut. */
function syncFolder(dir: string): void {
  const fd = fs.openSync(dir, "r");
  try {
    fs.fsyncSync(fd);
  } catch (error) {
    // Some network file systems cannot sync a folder; the order of the steps still holds there.
    if (!["EINVAL", "ENOTSUP", "EISDIR"].includes(errorCode(error))) throw error;
  } finally {
    fs.closeSync(fd);
  }
}

function removeAll(names: Iterable<string>): void {
  for (const name of names) {
    try {
      fs.rmSync(name, { force: true });
    } catch {
      // The first error is the one to report.
    }
  }
}

const SENTENCES: Readonly<Record<string, string>> = {
  EACCES: "no permission to write there",
  EPERM: "no permission to write there",
  EROFS: "the file system is read-only",
  ENOTDIR: "a part of this path is a file, not a folder",
  EEXIST: "this path, or a part of it, is a file, not a folder",
  EISDIR: "a folder has the name of a result file",
  ERR_FS_EISDIR: "a folder has the name of a result file",
  ENOSPC: "no space is left on the disk",
  EDQUOT: "the disk quota is used up",
  EFBIG: "a result file is larger than the limit on file sizes",
  ENOENT: "the folder cannot be made there",
  ENAMETOOLONG: "the path is too long",
};

function unwritable(dir: string, error: unknown): unknown {
  const code = errorCode(error);
  if (code === "") return error;
  const reason = SENTENCES[code] ?? "the file system refuses";
  return new TraceError(
    "UNWRITABLE",
    `cannot write the results: ${reason} (${code})`,
    dir,
    "give another folder with --out DIR",
  );
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}
