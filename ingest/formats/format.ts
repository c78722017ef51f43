import type { EventIds } from "../beside/event-ids.ts";
import type { ProbeNames } from "../beside/probe-names.ts";
import type { TraceReader } from "../reader.ts";
import type { ByteSource } from "../source/open-bytes.ts";

/** Ids of the formats, as `--input-format` takes them. */
export type FormatId =
  | "trace-dat"
  | "ftrace-text"
  | "trace-cmd-report"
  | "perf-script"
  | "bpftrace"
  | "function-graph"
  | "arrow"
  | "csv";

export type ProbeNamesUse = "all" | "definitions";

/** Whether a format is that of a content, judged by its first bytes. */
export interface Sniff {
  readonly applies: boolean;
  /** In words, either way: `a header line with ts_ns and event`. */
  readonly reason: string;
}

/** What helps to read a trace, beside its own content. */
export interface ReadOptions {
  /** What tells probes' functions and arguments. */
  readonly names?: ProbeNames | undefined;
  /** Names of events that stand there as numbers. */
  readonly ids?: EventIds | undefined;
  /** Of a format that has them: name of the tracing instance whose buffer is read. */
  readonly instance?: string | undefined;
}

/** A trace format: how to recognise it and how to read it. */
export interface TraceFormat {
  readonly id: FormatId;
  /** @param head the first bytes of the content, 64 KiB or all there is. */
  sniff(head: Uint8Array): Sniff;
  /**
   * What is to be read of the files beside the trace: probes may stand there without their functions
   * (`all`), or with arguments that only their definitions explain (`definitions`).
   */
  usesProbeNames?(head: Uint8Array): ProbeNamesUse;
  /** Whether events stand there as numbers, so that it takes other files to tell their names. */
  usesEventIds?(head: Uint8Array): boolean;
  /** A file may hold the ring buffers of several tracing instances. */
  readonly hasInstances?: true;
  /** @throws TraceError UNSUPPORTED_LAYOUT, WRONG_FORMAT for what the format cannot read. */
  read(source: ByteSource, options?: ReadOptions): TraceReader;
}
