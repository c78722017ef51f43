import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { Diagnostics } from "../diagnostics.ts";
import { DatProblems } from "../formats/trace-dat/dat-problems.ts";
import { type EventFormat, FormatTexts } from "../formats/trace-dat/format-texts.ts";
import { openDat } from "../formats/trace-dat/open-dat.ts";
import { readPreamble } from "../formats/trace-dat/preamble.ts";
import { packingOf } from "../formats/trace-dat/unpack.ts";
import { openBytes } from "../source/open-bytes.ts";
import { randomBytesOf } from "../source/random-bytes.ts";

/** Where the kernel's event formats are looked for beside a trace: copies of `events/…/format`. */
const FORMAT_FOLDERS = ["format", "formats", "events"];
const DAT_NAME = /\.dat(?:\.(?:gz|zst|xz|lz4))?$/;
/** Files in such a folder that are read; a machine has some thousand events. */
const MAX_FORMAT_FILES = 20_000;

/** Which event a number in a trace stands for; the numbers differ from boot to boot. */
export interface EventIds {
  get(id: number): EventFormat | undefined;
  /** Where they come from, in words. */
  readonly origin: string;
}

/** Reads the event formats that stand beside a trace; undefined where there are none. */
export async function readEventIds(tracePath: string): Promise<EventIds | undefined> {
  if (tracePath === "-") return undefined;
  const directory = dirname(tracePath);
  const names = (await readdir(directory).catch((): string[] => [])).sort();
  for (const name of FORMAT_FOLDERS.filter((folder) => names.includes(folder))) {
    const formats = await formatsInFolder(join(directory, name));
    if (formats.count > 0) return idsOf(formats, `${name}/`);
  }
  for (const name of names.filter((candidate) => DAT_NAME.test(candidate))) {
    const formats = await formatsInDat(join(directory, name)).catch(() => undefined);
    if (formats !== undefined && formats.count > 0) return idsOf(formats, name);
  }
  return undefined;
}

function idsOf(formats: FormatTexts, origin: string): EventIds {
  return { get: (id) => formats.get(id), origin };
}

async function formatsInFolder(folder: string): Promise<FormatTexts> {
  const formats = new FormatTexts();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).slice(0, MAX_FORMAT_FILES);
  for (const file of files) {
    const bytes = await readFile(join(file.parentPath, file.name)).catch(() => undefined);
    if (bytes !== undefined) formats.addAll(bytes);
  }
  return formats;
}

/** The formats that a trace.dat file holds. @throws TraceError where it is none that can be read. */
async function formatsInDat(path: string): Promise<FormatTexts> {
  const source = await openBytes(path);
  try {
    const preamble = readPreamble(source.head, path);
    const packing = packingOf(preamble.compression, path);
    const file = await randomBytesOf(source);
    try {
      const problems = new DatProblems(new Diagnostics(path));
      return (await openDat(file, preamble, packing, problems, path)).formats;
    } finally {
      await file.close();
    }
  } finally {
    await source.close();
  }
}
