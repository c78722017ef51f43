import type { Diagnostics } from "./diagnostics.ts";
import type { DurationSummary } from "./durations.ts";
import type { EventBatch } from "./events/columns.ts";
import type { NameTable } from "./events/names.ts";
import type { PointerTable } from "./events/pointers.ts";

/** What is known of a trace once it has been read to its end. */
export interface TraceInfo {
  /** As the user gave it (`-` for stdin). */
  readonly path: string;
  /** Format id, such as `ftrace-text` or `csv`. */
  readonly format: string;
  /** What was detected inside the format, in words: `irq-info on, TGID column`. */
  readonly layout: string;
  /** `none`, `gzip`, `zstd`, `xz` or `lz4`. */
  readonly compression: string;
  /** Bytes as stored (compressed where compressed) and their digest. */
  readonly bytes: number;
  readonly sha256: string;
  /** Lines (or records) read. */
  readonly lines: number;
  readonly events: number;
  /** Trace clock that the file itself names (`boot`); undefined where it names none. */
  readonly clock?: string | undefined;
  /** The times are no ns but ticks of a clock whose rate nothing states; default false. */
  readonly isTicks?: boolean | undefined;
  /** Clock value, in ns, that `tsNs` counts from. */
  readonly baseNs: bigint;
  /** Of the first and last event, relative to `baseNs`; NaN where there is none. */
  readonly firstTsNs: number;
  readonly lastTsNs: number;
  /** Events by the name that the trace gives them, sorted by name. */
  readonly eventsByName: ReadonlyMap<string, number>;
  /** `entries-in-buffer` and `entries-written` of an ftrace header; undefined where there is none. */
  readonly entriesInBuffer: number | undefined;
  readonly entriesWritten: number | undefined;
  /** How long calls took, by function: of traces that record it. */
  readonly durations?: ReadonlyMap<string, DurationSummary>;
  /** Whether the losses that the ring buffers' own statistics count are among the diagnostics. */
  readonly statisticsCounted?: boolean;
}

/**
 * A trace being read. `batches` yields the same batch object again and again (see EventBatch); `info`
 * is complete only after the last batch. `diagnostics` grows while reading.
 */
export interface TraceReader {
  readonly pointers: PointerTable;
  readonly names: NameTable;
  readonly diagnostics: Diagnostics;
  /** Clock value, in ns, that `tsNs` counts from; known with the first event. */
  readonly baseNs: bigint;
  batches(): AsyncIterable<EventBatch>;
  info(): TraceInfo;
}
