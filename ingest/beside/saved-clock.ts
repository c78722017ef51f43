import { readdir } from "node:fs/promises";
import { dirname } from "node:path";

import type { Fact } from "./host-facts.ts";
import { readSideFile } from "./side-file.ts";

const CLOCK_NAMES = ["trace_clock.txt", "trace_clock"];

/**
 * The trace clock that `trace_clock`, saved beside a trace, has in brackets, or that capture.json names;
 * undefined where none does.
 */
export async function readSavedClock(tracePath: string): Promise<Fact<string> | undefined> {
  if (tracePath === "-") return undefined;
  const directory = dirname(tracePath);
  const names = await readdir(directory).catch((): string[] => []);
  for (const name of CLOCK_NAMES) {
    const text = await readSideFile(directory, name, names, []);
    const clock = /\[([\w-]+)\]/.exec(text ?? "")?.[1];
    if (clock !== undefined) return { value: clock, origin: name };
  }
  const capture = await readSideFile(directory, "capture.json", names, []);
  const value = capture === undefined ? undefined : clockOfCapture(capture);
  return value === undefined ? undefined : { value, origin: "capture.json" };
}

/** One that is damaged is noted by who reads its facts. */
function clockOfCapture(text: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || !("trace_clock" in parsed))
      return undefined;
    const clock = parsed.trace_clock;
    return typeof clock === "string" && /^[\w-]+$/.test(clock) ? clock : undefined;
  } catch {
    return undefined;
  }
}
