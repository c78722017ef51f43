import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { TraceError } from "../../errors.ts";
import type { MemslotFact, MemslotTable } from "./memslot.ts";
import { readMemslotCsv } from "./memslots-csv.ts";
import { readMemslotsOfQemu } from "./memslots-qemu.ts";

/** Looked for beside a trace. */
const NAMES = ["memslots.csv", "memslots.txt"];

/** Text of QEMU's monitor, or a CSV: told from the content. */
export function readMemslotText(text: string, path: string, pageBytes: number): MemslotTable {
  const isQemu = /^\s*Block Name\s|\(prio -?\d+, /m.test(text);
  return isQemu ? readMemslotsOfQemu(text, path, pageBytes) : readMemslotCsv(text, path, pageBytes);
}

export interface FoundMemslots {
  readonly slots: readonly MemslotFact[];
  /** Names of the files. */
  readonly origin: string;
  readonly notes: readonly string[];
}

/**
 * Memslots of the files that the user names; without any, of one that stands beside the trace. Undefined:
 * there is none.
 * @throws TraceError UNREADABLE, BAD_OPTION for a file that cannot be used as a whole.
 */
export async function readMemslots(
  tracePath: string,
  named: readonly string[] | undefined,
  pageBytes: number,
): Promise<FoundMemslots | undefined> {
  const paths = named ?? (await pathsBeside(tracePath));
  if (paths.length === 0) return undefined;
  const tables = await Promise.all(paths.map((path) => readOne(path, pageBytes)));
  const slots = tables.flatMap((table, i) =>
    // One VM a file of QEMU's: two of them are two VMs.
    tables.length === 1 || table.form === "csv"
      ? table.slots
      : table.slots.map((slot) => ({ ...slot, vm: `${slot.vm} ${i}` })),
  );
  return {
    slots,
    origin: paths.map((path) => basename(path)).join(", "),
    notes: tables.flatMap((table) => table.notes),
  };
}

async function pathsBeside(tracePath: string): Promise<readonly string[]> {
  if (tracePath === "-") return [];
  const directory = dirname(tracePath);
  const names = await readdir(directory).catch((): string[] => []);
  const found = NAMES.find((name) => names.includes(name));
  return found === undefined ? [] : [join(directory, found)];
}

async function readOne(path: string, pageBytes: number): Promise<MemslotTable> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : "unknown reason";
    throw new TraceError("UNREADABLE", `the memslot table cannot be read: ${why}`, path);
  }
  const table = readMemslotText(text, path, pageBytes);
  if (table.slots.length === 0) throw new TraceError("BAD_OPTION", "it holds no memslot", path);
  return table;
}
