import { readdir, readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";

import { TraceError } from "../errors.ts";
import { type ProbeDefinitions, readProbeDefinitions } from "../vocabulary/probe-definitions.ts";
import { type KernelSymbols, readKernelSymbols } from "./kernel-symbols.ts";
import { readSideFile } from "./side-file.ts";

/** Where a saved probe list is looked for, the first one that defines a probe being used. */
export const LIST_NAMES: readonly string[] = [
  "kprobes.txt",
  "kprobe_events",
  "kprobe_events.txt",
  "dynamic_events",
  "dynamic_events.txt",
];
/** Holds the list under `kprobes`. */
const CAPTURE_JSON = "capture.json";
const SYMBOL_NAMES = ["kallsyms.txt", "kallsyms"];

/** What tells the function of a probe that a trace prints without it. */
export interface ProbeNames {
  readonly definitions: ProbeDefinitions;
  readonly symbols: KernelSymbols;
  /** Where they come from, in words: `kprobes.txt and kallsyms.txt`; undefined where there is nothing. */
  readonly origin: string | undefined;
  /** What was there and could not be used, as sentences. */
  readonly notes: readonly string[];
}

/** Nothing is known of the probes. */
export const NO_PROBE_NAMES: ProbeNames = {
  definitions: readProbeDefinitions([]),
  symbols: readKernelSymbols(""),
  origin: undefined,
  notes: [],
};

/**
 * Reads the probe list and the kernel's symbols that stand beside a trace.
 * @param listPath the probe list that the user names; it takes the place of one beside the trace.
 * @param wantsSymbols whether the kernel's symbols, a large file, are read too.
 * @throws TraceError UNREADABLE, BAD_OPTION for a list that the user names and that cannot be used.
 */
export async function readProbeNames(
  tracePath: string,
  listPath?: string,
  wantsSymbols = true,
): Promise<ProbeNames> {
  const notes: string[] = [];
  const origins: string[] = [];
  const directory = dirname(tracePath);
  const names = tracePath === "-" ? [] : await readdir(directory).catch((): string[] => []);
  let { definitions, symbols } = NO_PROBE_NAMES;
  if (listPath !== undefined) {
    definitions = await readNamedList(listPath);
    origins.push(basename(listPath));
  } else {
    for (const name of [...LIST_NAMES, CAPTURE_JSON]) {
      const text = await readSideFile(directory, name, names, notes);
      if (text === undefined) continue;
      definitions = readProbeDefinitions(
        name === CAPTURE_JSON ? probeLinesOf(text) : text.split("\n"),
      );
      if (definitions.count === 0) continue;
      origins.push(name);
      break;
    }
  }
  for (const name of wantsSymbols ? SYMBOL_NAMES : []) {
    const text = await readSideFile(directory, name, names, notes);
    if (text === undefined) continue;
    symbols = readKernelSymbols(text);
    if (symbols.count === 0) continue;
    origins.push(name);
    break;
  }
  const origin = origins.length === 0 ? undefined : origins.join(" and ");
  return { definitions, symbols, origin, notes };
}

/** The probe list in a capture.json; one that is damaged is noted by who reads its facts. */
export function probeLinesOf(captureJson: string): readonly string[] {
  try {
    const parsed: unknown = JSON.parse(captureJson);
    if (typeof parsed !== "object" || parsed === null || !("kprobes" in parsed)) return [];
    const lines: unknown = parsed.kprobes;
    return Array.isArray(lines) ? lines.filter((line) => typeof line === "string") : [];
  } catch {
    return [];
  }
}

async function readNamedList(path: string): Promise<ProbeDefinitions> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined)
    throw new TraceError("UNREADABLE", "this probe list cannot be read", path);
  const definitions = readProbeDefinitions(text.split("\n"));
  if (definitions.count > 0) return definitions;
  throw new TraceError(
    "BAD_OPTION",
    "this probe list defines no probe",
    path,
    "save it with: cat /sys/kernel/tracing/kprobe_events > kprobes.txt",
  );
}
