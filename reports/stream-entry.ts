import type { AccessInfo } from "../ingest/accesses/access-format.ts";
import type { Diagnostics } from "../ingest/diagnostics.ts";
import type { RefillResult } from "../replay/tlb/refills/refill-result.ts";
import { formatCount } from "./terminal.ts";
import {
  type DiagnosticEntry,
  diagnosticEntries,
  type ExampleEntry,
} from "./diagnostic-entries.ts";

/** A file of guest accesses, as it was read and as it is used. */
export interface StreamReport {
  /** The column `stream`. */
  readonly name: string;
  readonly info: AccessInfo;
  /** What its records cannot tell. */
  readonly bias: string;
  readonly diagnostics: Diagnostics;
  /** False: statistics, whose order is lost. */
  readonly isSequence: boolean;
  /** Threads of a sequence; tasks or targets of statistics. */
  readonly threads: number;
  readonly pages: number;
  /** Runs of accesses to one page, of a sequence. */
  readonly visits: number;
  readonly leftOut: number;
  readonly placing: string;
  readonly timing: string;
  readonly notes: readonly string[];
}

/** `stream_file` of summary.json. */
export interface StreamEntry {
  readonly path: string;
  readonly format: string;
  readonly compression: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly records: number;
  readonly class: "sequence" | "statistics, not a sequence";
  readonly address: "va" | "ipa";
  readonly reads: number;
  readonly writes: number;
  /** Counted and not used: the modelled L1 is the data side. */
  readonly fetches_not_used: number;
  readonly split_accesses: number;
  readonly others: number;
  readonly threads: number;
  readonly pages: number;
  readonly visits: number | null;
  readonly rows_left_out: number;
  readonly bias: string;
  readonly placing: string;
  readonly timing: string;
  readonly notes: readonly string[];
  readonly losses: readonly DiagnosticEntry[];
  readonly notices: readonly DiagnosticEntry[];
  readonly examples: readonly ExampleEntry[];
}

export function streamEntry(report: StreamReport): StreamEntry {
  const { info, diagnostics } = report;
  const { counts } = info;
  return {
    path: info.path,
    format: info.format,
    compression: info.compression,
    bytes: info.bytes,
    sha256: info.sha256,
    records: info.records,
    class: report.isSequence ? "sequence" : "statistics, not a sequence",
    address: info.address,
    reads: counts.reads,
    writes: counts.writes,
    fetches_not_used: counts.fetches,
    split_accesses: counts.splitAccesses,
    others: counts.others,
    threads: report.threads,
    pages: report.pages,
    visits: report.isSequence ? report.visits : null,
    rows_left_out: report.leftOut,
    bias: report.bias,
    placing: report.placing,
    timing: report.timing,
    notes: [...report.notes],
    ...diagnosticEntries(diagnostics),
  };
}

/** The file in lines: what it is, how it is used, what was lost and what of it found no place. */
export function streamLines(
  report: StreamReport,
  { counts, streamKind }: RefillResult,
): readonly string[] {
  const entry = streamEntry(report);
  const met = counts.visits + counts.visitsOutside + counts.visitsUnmapped;
  const read = report.isSequence
    ? `${formatCount(entry.reads)} reads and ${formatCount(entry.writes)} writes of ${formatCount(entry.threads)} threads, in ${formatCount(report.visits)} visits of ${formatCount(entry.pages)} pages`
    : `statistics, not a sequence: ${formatCount(entry.reads + entry.writes)} samples or regions of ${formatCount(entry.pages)} pages; their order is lost, so each access is taken to be independent of all before it`;
  return [
    `${entry.path}: ${entry.format}, ${formatCount(entry.bytes)} bytes, sha256 ${entry.sha256}`,
    read,
    `not used: ${formatCount(entry.fetches_not_used)} fetches, ${formatCount(entry.others)} records that are no access`,
    ...(report.leftOut > 0 ? [`${formatCount(report.leftOut)} rows do not fit: left out`] : []),
    `bias: ${entry.bias}`,
    ...entry.notes,
    `place: ${entry.placing}`,
    `time: ${entry.timing}`,
    ...(streamKind === "timed"
      ? [
          `${formatCount(Math.max(0, report.visits - met))} visits of the file fall into no time of their vCPU in a guest, or behind what is simulated of an episode (capVisits): not made`,
        ]
      : []),
    `covered: of ${formatCount(met)} visits of the first seed ${formatCount(counts.visits)} were made; ${formatCount(counts.visitsOutside)} lie outside what the trace has mapped so far, ${formatCount(counts.visitsUnmapped)} were not mapped at that moment`,
    ...[...entry.losses, ...entry.notices].map(({ code, count, sentence }) => {
      const example = entry.examples.find((one) => one.code === code);
      const where = example === undefined ? "" : ` — line ${example.line}: ${example.detail}`;
      return `${formatCount(count)} × ${sentence}${where}`;
    }),
  ];
}
