import { createHash } from "node:crypto";
import { createReadStream, type Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A file beside a trace that the reading of the trace may use. */
export interface Companion {
  /** Below the trace's folder, with `/`. */
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal, of the first MAX_COMPANION_BYTES. */
  readonly sha256: string;
}

/** No reader uses more of a companion; of a neighbouring trace.dat only the formats at its beginning count. */
export const MAX_COMPANION_BYTES: number = 64 * 1024 * 1024;
/** Of a folder of event formats. */
const MAX_FILES = 20_000;

/** Every name that a reader of this room looks for beside a trace: a rerun with other files is another run. */
const COMPANION_NAME =
  /^(?:capture\.json|dmesg.*\.txt|uname\.txt|kprobe_events(?:\.txt)?|kprobes\.txt|kprobe_profile\.txt|dynamic_events(?:\.txt)?|kallsyms(?:\.txt)?|trace_clock(?:\.txt)?|memslots\.(?:csv|txt)|(?:per_cpu_)?stats(?:[._-]cpu\d+)?(?:\.txt)?)$/;
const FORMAT_FOLDER = /^(?:formats?|events)$/;
const DAT_NAME = /\.dat(?:\.(?:gz|zst|xz|lz4))?$/;

/** Whether a file of this name stands beside traces and is none itself. */
export function isCompanionName(name: string): boolean {
  return COMPANION_NAME.test(name);
}

/**
 * What stands beside a trace and may change how it is read, by name. Files that cannot be read are left
 * out: no reader can use them either.
 */
export async function readCompanions(tracePath: string): Promise<readonly Companion[]> {
  const directory = dirname(tracePath);
  const entries = await readdir(directory, { withFileTypes: true }).catch((): Dirent[] => []);
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.name === basename(tracePath)) continue;
    if (isCompanionName(entry.name)) names.push(entry.name);
    else if (FORMAT_FOLDER.test(entry.name)) {
      names.push(...(await filesBelow(directory, entry.name)));
    } else if (DAT_NAME.test(entry.name) && !DAT_NAME.test(tracePath)) names.push(entry.name);
  }
  const companions: Companion[] = [];
  for (const name of names.sort()) {
    const companion = await digestOf(directory, name).catch(() => undefined);
    if (companion !== undefined) companions.push(companion);
  }
  return companions;
}

async function filesBelow(directory: string, folder: string): Promise<readonly string[]> {
  const found = await readdir(join(directory, folder), {
    recursive: true,
    withFileTypes: true,
  }).catch((): Dirent[] => []);
  return found
    .filter((entry) => entry.isFile())
    .slice(0, MAX_FILES)
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}

async function digestOf(directory: string, name: string): Promise<Companion> {
  const hash = createHash("sha256");
  let bytes = 0;
  const stream = createReadStream(join(directory, name), { end: MAX_COMPANION_BYTES - 1 });
  for await (const chunk of stream) {
    const part: Uint8Array = chunk;
    hash.update(part);
    bytes += part.length;
  }
  return { name, bytes, sha256: hash.digest("hex") };
}
