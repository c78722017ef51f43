import { readdir } from "node:fs/promises";
import { dirname } from "node:path";

import { meaningOfSymbol } from "../vocabulary/functions.ts";
import { type ListedProbe, probesByEvent } from "./probe-list.ts";
import { readSideFile } from "./side-file.ts";

/** A place in a kernel function. */
export interface KernelPlace {
  readonly symbol: string;
  readonly offset: number;
}

/** Where the function behind an address, or behind an event's name, was looked up. */
export interface ProbeSymbols {
  /** By address, as lowercase hexadecimal digits without leading zeros; from a saved kallsyms. */
  readonly symbols: ReadonlyMap<string, string>;
  /** By event name; from a saved probe list. */
  readonly probes: ReadonlyMap<string, ListedProbe>;
}

/** Where nothing was saved. */
export const NO_SYMBOLS: ProbeSymbols = { symbols: new Map(), probes: new Map() };

/**
 * A probe at a function's entry stands at most this far behind its first byte (a landing pad, an ftrace
 * slot). A saved kallsyms may hold some functions only, so that what stands farther behind a symbol may
 * belong to a function that is not in it.
 */
const MAX_ENTRY_OFFSET = 16n;

const KALLSYMS_NAMES = ["kallsyms.txt", "kallsyms"] as const;
const LIST_NAMES = [
  "kprobes.txt",
  "kprobe_events.txt",
  "kprobe_events",
  "dynamic_events.txt",
  "dynamic_events",
] as const;

/** Reads what was saved beside a trace that says which function a probe's address is. */
export async function readProbeSymbols(tracePath: string): Promise<ProbeSymbols> {
  if (tracePath === "-") return NO_SYMBOLS;
  const directory = dirname(tracePath);
  const names = await readdir(directory).catch((): string[] => []);
  const firstOf = async (candidates: readonly string[]): Promise<string> => {
    for (const name of candidates) {
      const text = await readSideFile(directory, name, names, []);
      if (text !== undefined) return text;
    }
    return "";
  };
  return {
    symbols: readKallsyms(await firstOf(KALLSYMS_NAMES)),
    probes: probesByEvent((await firstOf(LIST_NAMES)).split("\n")),
  };
}

/** Functions of a kallsyms text by address; without the zeros that an ordinary user is shown. */
export function readKallsyms(text: string): ReadonlyMap<string, string> {
  const symbols = new Map<string, string>();
  for (const [, digits, symbol] of text.matchAll(/^([0-9a-f]{8,16}) [tTwW] (\S+)/gm)) {
    const address = digits!.replace(/^0+/, "");
    if (address === "") continue;
    // Of several names of one address, one that the replay knows.
    if (symbols.has(address) && meaningOfSymbol(symbol!) === undefined) continue;
    symbols.set(address, symbol!);
  }
  return symbols;
}

/** The function at whose entry an address (hexadecimal digits) stands; undefined: no symbol says. */
export function functionAt(
  symbols: ReadonlyMap<string, string>,
  digits: string,
): KernelPlace | undefined {
  const address = BigInt(`0x${digits}`);
  for (let offset = 0n; offset <= MAX_ENTRY_OFFSET && offset < address; offset += 1n) {
    const symbol = symbols.get((address - offset).toString(16));
    if (symbol !== undefined) return { symbol, offset: Number(offset) };
  }
  return undefined;
}
