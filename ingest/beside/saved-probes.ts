import { readdir } from "node:fs/promises";
import { dirname } from "node:path";

import type { Diagnostics } from "../diagnostics.ts";
import { meaningOfSymbol, withoutCompilerSuffix } from "../vocabulary/functions.ts";
import { readProbeDefinition } from "../vocabulary/probe-definitions.ts";
import type { Fact } from "./host-facts.ts";
import { LIST_NAMES, probeLinesOf } from "./probe-names.ts";
import { readSideFile } from "./side-file.ts";

/** What a probe list says of each function, by symbol without a compiler's suffix. */
export interface SavedProbes {
  /** Entry probes that were set. */
  readonly entries: ReadonlySet<string>;
  /** Return probes that were set. */
  readonly returns: ReadonlySet<string>;
  /** `SKIPPED …`: the kernel has the function and refused the probe. */
  readonly refused: ReadonlySet<string>;
  /** `ABSENT …`: the kernel has no such symbol (another version, or the compiler put it into its callers). */
  readonly absent: ReadonlySet<string>;
  /**
   * Hits that the kernel could not record (`kprobe_profile`; a probe inside another's handler, or no free
   * return instance), by probe name; only of functions that the replay uses.
   */
  readonly missedHits: ReadonlyMap<string, number>;
}

/** `SKIPPED name function …` or `SKIPPED p:group/name function …`. */
const REFUSED = /^SKIPPED\s+(\S+)\s+(\S+)/;
const ABSENT = /^ABSENT\s+(\S+)/;
/** `  name   hits   misses`. */
const PROFILE = /^\s*(\S+)\s+(\d+)\s+(\d+)\s*$/;

/** Reads a probe list as `kprobe_events` prints it, with the marks of a recording script. */
export function savedProbesOf(lines: readonly string[], profile = ""): SavedProbes {
  const entries = new Set<string>();
  const returns = new Set<string>();
  const refused = new Set<string>();
  const absent = new Set<string>();
  const used = new Set<string>();
  for (const line of lines) {
    const text = line.trim();
    const definition = readProbeDefinition(text);
    if (definition?.symbol !== undefined) {
      if (meaningOfSymbol(definition.symbol) !== undefined) used.add(definition.name);
      (definition.isReturn ? returns : entries).add(withoutCompilerSuffix(definition.symbol));
      continue;
    }
    const [, mark = "", skipped] = REFUSED.exec(text) ?? [];
    // A return probe that was refused says nothing of its function's entry.
    if (skipped !== undefined && !/^r\d*(?::|$)/.test(mark)) {
      refused.add(withoutCompilerSuffix(skipped));
    }
    const missing = ABSENT.exec(text)?.[1];
    if (missing !== undefined) absent.add(withoutCompilerSuffix(missing));
  }
  const missedHits = new Map<string, number>();
  for (const line of profile.split("\n")) {
    const [, name, , missed] = PROFILE.exec(line) ?? [];
    if (name !== undefined && used.has(name) && Number(missed) > 0)
      missedHits.set(name, Number(missed));
  }
  for (const symbol of entries) refused.delete(symbol);
  return { entries, returns, refused, absent, missedHits };
}

/** Makes hits that probes missed a loss: neither the trace nor the buffers' statistics count them. */
export function reportMissedHits(
  probes: Fact<SavedProbes> | undefined,
  diagnostics: Diagnostics,
): void {
  for (const [name, missed] of probes?.value.missedHits ?? []) {
    const detail = `probe ${name} missed ${missed} hits (kprobe_profile.txt)`;
    diagnostics.add("EVENTS_LOST", detail, 0, 0, missed);
  }
}

/**
 * The probe list saved beside a trace, or the one that the user names; undefined where there is none.
 * @param notes gets what was there and could not be used.
 */
export async function readSavedProbes(
  tracePath: string,
  listPath: string | undefined,
  notes: string[] = [],
): Promise<Fact<SavedProbes> | undefined> {
  const at = listPath ?? tracePath;
  if (at === "-") return undefined;
  const directory = dirname(at);
  const names = await readdir(directory).catch((): string[] => []);
  const profile = await readSideFile(directory, "kprobe_profile.txt", names, notes);
  const wanted =
    listPath === undefined ? [...LIST_NAMES, "capture.json"] : [at.slice(directory.length + 1)];
  for (const name of wanted) {
    const text = await readSideFile(directory, name, names, notes);
    if (text === undefined) continue;
    const lines = name === "capture.json" ? probeLinesOf(text) : text.split("\n");
    const value = savedProbesOf(lines, profile);
    if (value.entries.size + value.refused.size + value.absent.size > 0) {
      return { value, origin: name };
    }
  }
  return undefined;
}
