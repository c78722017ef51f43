import type { CpuStatistics } from "./cpu-statistics.ts";
import type { TimeOptions } from "./time-options.ts";

/** Where the pages of one CPU stand. */
export interface CpuRegion {
  readonly cpu: number;
  readonly offset: number;
  readonly lengthBytes: number;
}

/** One ring buffer: the top one, or that of an instance. */
export interface BufferTable {
  /** Empty for the top buffer. */
  readonly name: string;
  readonly clock: string | undefined;
  readonly pageBytes: number;
  readonly regions: readonly CpuRegion[];
}

/** What the metadata of a trace.dat file says, whichever version it is of. */
export interface DatContents {
  /** Text of `header_page`; undefined where it is lost. */
  headerPage: string | undefined;
  /** Bytes that hold the texts of event formats. */
  readonly formatBytes: Uint8Array[];
  /** The lines of `/proc/kallsyms`. */
  kallsyms: Uint8Array | undefined;
  /** The text of `trace_clock`: the clock in brackets. */
  traceClock: string | undefined;
  /** Number of CPUs of the recorded machine; 0 where it is not known. */
  cpuCount: number;
  readonly buffers: BufferTable[];
  /** By buffer name, then by CPU. */
  readonly statistics: Map<string, Map<number, CpuStatistics>>;
  readonly times: TimeOptions;
  /** Options that would change times and are not applied, in words. */
  readonly unapplied: string[];
}

export function emptyContents(): DatContents {
  return {
    headerPage: undefined,
    formatBytes: [],
    kallsyms: undefined,
    traceClock: undefined,
    cpuCount: 0,
    buffers: [],
    statistics: new Map(),
    times: { shift: undefined, ticks: undefined, offsetNs: 0n },
    unapplied: [],
  };
}

/** The clock in brackets of a `trace_clock` text; a text without brackets is the clock itself. */
export function clockOf(text: string): string | undefined {
  const name = (/\[([^\]]+)\]/.exec(text)?.[1] ?? text).trim();
  return name === "" ? undefined : name;
}
