import { readdir } from "node:fs/promises";
import { dirname } from "node:path";

import { factsOfCaptureJson } from "./capture-json.ts";
import { readDmesg } from "./dmesg.ts";
import type { Fact, HostFacts } from "./host-facts.ts";
import { type PerCpuLoss, perCpuLossesOf } from "./per-cpu-stats.ts";
import { probedFunctionsOf } from "./probe-list.ts";
import { readSideFile } from "./side-file.ts";

export interface HostFactsFound {
  readonly facts: HostFacts;
  /** What was there and could not be used, as sentences. */
  readonly notes: readonly string[];
}

type MutableFacts = { -readonly [K in keyof HostFacts]: HostFacts[K] };

/**
 * Facts about the recording machine from the files saved in a trace's own directory: capture.json,
 * dmesg*.txt, uname.txt, kprobes.txt, kprobe_events, per_cpu_stats.txt. capture.json wins over the others. A file that is
 * damaged or unreadable is a note, never an error; beside standard input there is nothing.
 */
export async function readHostFacts(tracePath: string): Promise<HostFactsFound> {
  const notes: string[] = [];
  if (tracePath === "-") return { facts: {}, notes };
  const directory = dirname(tracePath);
  const names = (await readdir(directory).catch((): string[] => [])).sort();
  const facts: MutableFacts = {};

  const capture = await readSideFile(directory, "capture.json", names, notes);
  if (capture !== undefined) {
    const found = factsOfCaptureJson(capture);
    Object.assign(facts, found.facts);
    notes.push(...found.notes);
  }
  for (const name of names.filter((candidate) => /^dmesg.*\.txt$/.test(candidate))) {
    const text = await readSideFile(directory, name, names, notes);
    if (text !== undefined) addDmesg(facts, text, name);
  }
  const uname = await readSideFile(directory, "uname.txt", names, notes);
  if (uname !== undefined) addUname(facts, uname.trim(), notes);
  for (const name of ["kprobes.txt", "kprobe_events"]) {
    const text = await readSideFile(directory, name, names, notes);
    if (text === undefined || facts.probedFunctions !== undefined) continue;
    facts.probedFunctions = fact(probedFunctionsOf(text.split("\n")), name);
  }
  await addPerCpuStats(facts, directory, names, notes);
  return { facts, notes };
}

/** `per_cpu_stats.txt`, `stats`, or of one CPU `stats.cpu0` and `stats-cpu0.txt`. */
const STATS_NAME = /^(?:per_cpu_)?stats(?:[._-]cpu(\d+))?(?:\.txt)?$/;

async function addPerCpuStats(
  facts: MutableFacts,
  directory: string,
  names: readonly string[],
  notes: string[],
): Promise<void> {
  const losses: PerCpuLoss[] = [];
  const origins: string[] = [];
  for (const name of names) {
    const named = STATS_NAME.exec(name);
    if (named === null) continue;
    const text = await readSideFile(directory, name, names, notes);
    if (text === undefined) continue;
    const found = perCpuLossesOf(text, named[1] === undefined ? undefined : Number(named[1]));
    if (found === undefined) {
      notes.push(`${name} is not the statistics of a ring buffer and was not used`);
      continue;
    }
    losses.push(...found);
    origins.push(name);
  }
  if (origins.length > 0) facts.perCpuLosses = fact(losses, origins.join(", "));
}

function addDmesg(facts: MutableFacts, text: string, name: string): void {
  const found = readDmesg(text);
  if (found.features !== undefined) {
    facts.cpuFeatures ??= fact(found.features, `${name}:${found.featuresLine}`);
  }
  if (found.mode !== undefined) facts.hypMode ??= fact(found.mode, `${name}:${found.modeLine}`);
  if (found.release !== undefined) {
    facts.kernelRelease ??= fact(found.release, `${name}:${found.releaseLine}`);
  }
  if (found.versionText !== undefined) {
    facts.kernelVersionText ??= fact(found.versionText, `${name}:${found.releaseLine}`);
  }
}

/** `Linux HOST RELEASE VERSION…`, the text of uname -a; or of /proc/version. */
function addUname(facts: MutableFacts, text: string, notes: string[]): void {
  const release = /^Linux (?:version )?(?:\S+ )??(\d+\.\d+\S*)/.exec(text)?.[1];
  if (release === undefined) {
    notes.push("uname.txt is not the output of uname -a and was not used");
    return;
  }
  facts.kernelVersionText ??= fact(text, "uname.txt");
  facts.kernelRelease ??= fact(release, "uname.txt");
}

function fact<T>(value: T, origin: string): Fact<T> {
  return { value, origin };
}
