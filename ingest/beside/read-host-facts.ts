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
  /** Where the files disagree, as sentences; the first one named is used. */
  readonly contradictions: readonly string[];
}

type MutableFacts = { -readonly [K in keyof HostFacts]: HostFacts[K] };

/** Facts that several files may state. */
type StatedFact = "kernelRelease" | "kernelVersionText" | "hypMode" | "cpuFeatures";

const FACT_NAMES: Readonly<Record<StatedFact, string>> = {
  kernelRelease: "the kernel",
  kernelVersionText: "the kernel's version text",
  hypMode: "the mode of KVM",
  cpuFeatures: "the CPU's features",
};

/** Takes a fact unless it is known already, and says where the two disagree. */
function state<Name extends StatedFact>(
  facts: MutableFacts,
  contradictions: string[],
  name: Name,
  stated: NonNullable<MutableFacts[Name]>,
): void {
  const known = facts[name];
  if (known === undefined) {
    facts[name] = stated;
    return;
  }
  // One file words the version as uname does, another as the boot messages do.
  if (name === "kernelVersionText" || textOf(known.value) === textOf(stated.value)) return;
  contradictions.push(
    `${FACT_NAMES[name]}: ${known.origin} says ${textOf(known.value)}, ${stated.origin} ${textOf(stated.value)}`,
  );
}

function textOf(value: string | readonly string[]): string {
  if (typeof value === "string") return value;
  return value.length === 0 ? "none" : [...value].sort().join(", ");
}

/**
 * Facts about the recording machine from the files saved in a trace's own directory: capture.json,
 * dmesg*.txt, uname.txt, kprobes.txt, kprobe_events, per_cpu_stats.txt. capture.json wins over the others. A file that is
 * damaged or unreadable is a note, never an error; beside standard input there is nothing.
 */
export async function readHostFacts(tracePath: string): Promise<HostFactsFound> {
  const notes: string[] = [];
  const contradictions: string[] = [];
  if (tracePath === "-") return { facts: {}, notes, contradictions };
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
    if (text !== undefined) addDmesg(facts, contradictions, text, name);
  }
  const uname = await readSideFile(directory, "uname.txt", names, notes);
  if (uname !== undefined) addUname(facts, contradictions, uname.trim(), notes);
  for (const name of ["kprobes.txt", "kprobe_events"]) {
    const text = await readSideFile(directory, name, names, notes);
    if (text === undefined || facts.probedFunctions !== undefined) continue;
    facts.probedFunctions = fact(probedFunctionsOf(text.split("\n")), name);
  }
  await addPerCpuStats(facts, directory, names, notes);
  return { facts, notes, contradictions };
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

function addDmesg(facts: MutableFacts, contradictions: string[], text: string, name: string): void {
  const { features, featuresLine, mode, modeLine, release, versionText, releaseLine } =
    readDmesg(text);
  if (features !== undefined) {
    state(facts, contradictions, "cpuFeatures", fact(features, `${name}:${featuresLine}`));
  }
  if (mode !== undefined) {
    state(facts, contradictions, "hypMode", fact(mode, `${name}:${modeLine}`));
  }
  const origin = `${name}:${releaseLine}`;
  if (release !== undefined) {
    state(facts, contradictions, "kernelRelease", fact(release, origin));
  }
  if (versionText !== undefined) {
    state(facts, contradictions, "kernelVersionText", fact(versionText, origin));
  }
}

/** `Linux HOST RELEASE VERSION…`, the text of uname -a; or of /proc/version. */
function addUname(
  facts: MutableFacts,
  contradictions: string[],
  text: string,
  notes: string[],
): void {
  const release = /^Linux (?:version )?(?:\S+ )??(\d+\.\d+\S*)/.exec(text)?.[1];
  if (release === undefined) {
    notes.push("uname.txt is not the output of uname -a and was not used");
    return;
  }
  state(facts, contradictions, "kernelVersionText", fact(text, "uname.txt"));
  state(facts, contradictions, "kernelRelease", fact(release, "uname.txt"));
}

function fact<T>(value: T, origin: string): Fact<T> {
  return { value, origin };
}
