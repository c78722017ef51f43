import type { Diagnostics } from "../diagnostics.ts";
import type { Sniff } from "../formats/format.ts";
import type { ByteSource } from "../source/open-bytes.ts";
import type { AccessBatch } from "./access-batch.ts";
import type { AccessCounts } from "./access-rows.ts";
import type { PageBytes } from "./page-numbers.ts";
import type { RateTable } from "./statistics/rate-table.ts";

/** Names of the formats, as `--stream FORMAT:FILE` takes them. */
export type AccessFormatId =
  | "lackey"
  | "drmemtrace"
  | "champsim"
  | "din"
  | "access-csv"
  | "access-arrow"
  | "perf-mem"
  | "damon";

export interface ReadAccessesOptions {
  /** Size of the pages that are counted; default 4 KiB. */
  readonly pageBytes?: PageBytes;
  /** Whether instruction fetches become rows; they are counted anyway. Default: no. */
  readonly withFetches?: boolean;
  /** Which address of a sample counts, where perf printed both; default: the virtual one. */
  readonly sampledAddress?: "va" | "ipa";
  /** DAMON's intervals, which its trace does not tell: sampling and aggregation; default 5 and 100 ms. */
  readonly damonSampleNs?: number;
  readonly damonAggregationNs?: number;
}

/** What is known of a file of accesses once it has been read. */
export interface AccessInfo {
  readonly path: string;
  readonly format: AccessFormatId;
  readonly compression: string;
  /** Bytes as stored, and their digest. */
  readonly bytes: number;
  readonly sha256: string;
  /** Lines or records. */
  readonly records: number;
  readonly counts: AccessCounts;
  /** What `page` is a page of; a file that does not say holds VAs. */
  readonly address: "va" | "ipa";
  /** Clock value, in ns, that `tsNs` counts from; undefined where the file tells no time. */
  readonly baseNs: bigint | undefined;
  readonly pageBytes: PageBytes;
}

/** A recorded sequence being read; `info` is complete after the last batch. */
export interface AccessReader {
  readonly diagnostics: Diagnostics;
  batches(): AsyncGenerator<AccessBatch, void, undefined>;
  info(): AccessInfo;
}

/** Samples or counts without their order, being read. */
export interface RateReader {
  readonly diagnostics: Diagnostics;
  read(): Promise<RateTable>;
  /** Complete after `read`; its counts are those of the samples. */
  info(): AccessInfo;
}

interface FormatBase {
  readonly id: AccessFormatId;
  /** What the records cannot tell: to be printed with every result made from them. */
  readonly bias: string;
  /** @param head the first bytes of the content, 64 KiB or all there is. */
  sniff(head: Uint8Array): Sniff;
}

/** A format whose records are the accesses, in their order. */
export interface SequenceFormat extends FormatBase {
  readonly streamClass: "sequence";
  readonly isBinary: boolean;
  read(source: ByteSource, options: ReadAccessesOptions): AccessReader;
}

/** A format that tells how often pages are accessed, not in what order. */
export interface StatisticsFormat extends FormatBase {
  readonly streamClass: "statistics";
  readonly isBinary: false;
  read(source: ByteSource, options: ReadAccessesOptions): RateReader;
}

export type AccessFormat = SequenceFormat | StatisticsFormat;
