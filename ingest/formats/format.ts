import type { ProbeNames } from "../beside/probe-names.ts";
import type { TraceReader } from "../reader.ts";
import type { ByteSource } from "../source/open-bytes.ts";

/** Ids of the formats, as `--input-format` takes them. */
export type FormatId =
  | "trace-dat"
  | "ftrace-text"
  | "trace-cmd-report"
  | "perf-script"
  | "arrow"
  | "csv";

/** Whether a format is that of a content, judged by its first bytes. */
export interface Sniff {
  readonly applies: boolean;
  /** In words, either way: `a header line with ts_ns and event`. */
  readonly reason: string;
}

/** A trace format: how to recognise it and how to read it. */
export interface TraceFormat {
  readonly id: FormatId;
  /** @param head the first bytes of the content, 64 KiB or all there is. */
  sniff(head: Uint8Array): Sniff;
  /** Whether probes may stand there without their functions, so that it takes other files to tell them. */
  usesProbeNames?(head: Uint8Array): boolean;
  /** @throws TraceError UNSUPPORTED_LAYOUT, WRONG_FORMAT for what the format cannot read. */
  read(source: ByteSource, names?: ProbeNames): TraceReader;
}
