import { type Dirent, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { glob } from "tinyglobby";
import { isCompanionName } from "../../../ingest/beside/companions.ts";
import { resolveTracePath } from "../../../ingest/beside/resolve-trace-path.ts";
import { TraceError } from "../../../ingest/errors.ts";
import type { RefusedTrace } from "../manifest.ts";

export interface FoundTraces {
  /** Files, absolute, each once, by code unit. */
  readonly traces: readonly string[];
  readonly refused: readonly RefusedTrace[];
  /** Files in folders whose names are not those of traces. */
  readonly leftOut: number;
}

const TRACE_NAME = /\.(?:txt|csv|dat|arrow|log|trace)(?:\.(?:gz|zst|xz|lz4))?$/;
/** Such a folder is one capture, and not a heap of traces. */
const CAPTURE_MARK =
  /^(?:capture\.json|trace\.(?:txt|csv)(?:\.(?:gz|zst|xz|lz4))?|trace\.(?:arrow|dat))$/;
const GLOB = /[*?[\]{}!]/;

/**
 * The traces behind files, folders and globs. A folder of a capture stands for its one trace, any other
 * for all files below it that are named like traces. Links in folders are not followed: a link could lead
 * anywhere. Nothing is opened yet.
 */
export async function findTraces(inputs: readonly string[]): Promise<FoundTraces> {
  const search = new Search();
  for (const input of inputs) await search.add(input);
  return search.result();
}

class Search {
  readonly #traces = new Set<string>();
  readonly #refused: RefusedTrace[] = [];
  #leftOut = 0;

  async add(input: string): Promise<void> {
    const stat = statSync(input, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) await this.#addFolder(path.resolve(input));
    else if (stat !== undefined) this.#traces.add(path.resolve(input));
    else if (GLOB.test(input)) await this.#addGlob(input);
    else this.#refuse(input, new TraceError("UNREADABLE", "there is no such file", input));
  }

  result(): FoundTraces {
    return { traces: [...this.#traces].sort(), refused: this.#refused, leftOut: this.#leftOut };
  }

  async #addGlob(pattern: string): Promise<void> {
    const found = await glob(pattern, { absolute: true, followSymbolicLinks: false, dot: false });
    if (found.length === 0) {
      this.#refuse(pattern, new TraceError("UNREADABLE", "no file matches this pattern", pattern));
    }
    for (const file of found) {
      if (isCompanionName(path.basename(file))) this.#leftOut += 1;
      else this.#traces.add(path.resolve(file));
    }
  }

  async #addFolder(folder: string): Promise<void> {
    let entries: Dirent[];
    try {
      entries = await readdir(folder, { withFileTypes: true });
    } catch {
      this.#refuse(folder, new TraceError("UNREADABLE", "this folder cannot be read", folder));
      return;
    }
    const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    if (files.some((name) => CAPTURE_MARK.test(name))) await this.#addCapture(folder);
    else {
      const traces = files.filter((name) => TRACE_NAME.test(name) && !isCompanionName(name));
      for (const name of traces) this.#traces.add(path.join(folder, name));
      this.#leftOut += files.length - traces.length;
    }
    this.#leftOut += entries.filter((entry) => entry.isSymbolicLink()).length;
    for (const entry of entries) {
      if (entry.isDirectory()) await this.#addFolder(path.join(folder, entry.name));
    }
  }

  async #addCapture(folder: string): Promise<void> {
    try {
      this.#traces.add(await resolveTracePath(folder));
    } catch (error) {
      this.#refuse(folder, error);
    }
  }

  #refuse(trace: string, error: unknown): void {
    this.#refused.push(refusal(trace, error));
  }
}

/** Why a trace is not planned, for the manifest. Anything but a TraceError is a fault of ours. */
export function refusal(trace: string, error: unknown): RefusedTrace {
  if (!(error instanceof TraceError)) throw error;
  return { trace, code: error.code, message: error.message };
}
