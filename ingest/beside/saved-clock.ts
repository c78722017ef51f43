import { readdir } from "node:fs/promises";
import { dirname } from "node:path";

import type { Fact } from "./host-facts.ts";
import { readSideFile } from "./side-file.ts";

const CLOCK_NAMES = ["trace_clock.txt", "trace_clock"];

/** The trace clock that `trace_clock`, saved beside a trace, has in brackets; undefined where none is. */
export async function readSavedClock(tracePath: string): Promise<Fact<string> | undefined> {
  if (tracePath === "-") return undefined;
  const directory = dirname(tracePath);
  const names = await readdir(directory).catch((): string[] => []);
  for (const name of CLOCK_NAMES) {
    const text = await readSideFile(directory, name, names, []);
    const clock = /\[([\w-]+)\]/.exec(text ?? "")?.[1];
    if (clock !== undefined) return { value: clock, origin: name };
  }
  return undefined;
}
