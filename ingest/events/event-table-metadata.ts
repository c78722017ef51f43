import * as v from "valibot";

import {
  DIAGNOSTIC_CODES,
  type DiagnosticCode,
  type DiagnosticExample,
  type Diagnostics,
} from "../diagnostics.ts";
import type { TraceInfo } from "../reader.ts";

/**
 * What an event table keeps beside its rows, as texts under these keys of the Arrow schema. `VERSION`
 * and `BASE_NS` stand in front of the rows; `TRACE` is only known behind the last one, and stands in
 * the footer alone. What was saved beside the trace about its host is not copied.
 */
export const EVENT_TABLE_KEYS = {
  VERSION: "tlbi-replay.event_table",
  BASE_NS: "tlbi-replay.base_ns",
  TRACE: "tlbi-replay.trace",
} as const;

/** Key in the metadata of each batch: CRC-32 of its body and then of `layoutText`, 8 hexadecimal digits. */
export const CHECKSUM_KEY = "tlbi-replay.crc32";

/** Which bytes of a batch's body are what, as the checksum covers it. */
export function layoutText(
  rows: number,
  nullCounts: readonly number[],
  buffers: readonly (readonly [offset: number, length: number])[],
): Uint8Array {
  return Buffer.from(`${rows};${nullCounts.join()};${buffers.join()}`);
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const whole = v.pipe(v.string(), v.regex(/^-?\d{1,20}$/));
const code = v.picklist(Object.keys(DIAGNOSTIC_CODES));

const RecordedTraceSchema = v.object({
  source: v.object({
    path: v.string(),
    format: v.string(),
    layout: v.string(),
    compression: v.string(),
    bytes: count,
    sha256: v.string(),
    lines: count,
  }),
  clock: v.object({
    base_ns: whole,
    first_ts_ns: v.nullable(whole),
    last_ts_ns: v.nullable(whole),
  }),
  rows: count,
  events: count,
  entries_in_buffer: v.nullable(count),
  entries_written: v.nullable(count),
  statistics_counted: v.boolean(),
  diagnostics: v.array(v.tuple([code, count])),
  examples: v.array(
    v.object({ code, path: v.string(), line: count, byte_offset: count, detail: v.string() }),
  ),
});

/** What is known of the trace that an event table was made from. */
export interface RecordedTrace {
  readonly source: {
    readonly path: string;
    readonly format: string;
    readonly layout: string;
    readonly compression: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly lines: number;
  };
  /** Whole numbers as texts: they may be beyond 2^53. */
  readonly clock: {
    readonly base_ns: string;
    readonly first_ts_ns: string | null;
    readonly last_ts_ns: string | null;
  };
  readonly rows: number;
  readonly events: number;
  readonly entries_in_buffer: number | null;
  readonly entries_written: number | null;
  readonly statistics_counted: boolean;
  /** Of every severity, so that a loss stays a loss. */
  readonly diagnostics: readonly (readonly [string, number])[];
  readonly examples: readonly {
    readonly code: string;
    readonly path: string;
    readonly line: number;
    readonly byte_offset: number;
    readonly detail: string;
  }[];
}

export interface RecordedTraceInput {
  readonly info: TraceInfo;
  readonly diagnostics: Diagnostics;
  readonly rows: number;
  readonly statisticsCounted: boolean;
}

export function recordedTrace(input: RecordedTraceInput): RecordedTrace {
  const { info, diagnostics, rows, statisticsCounted } = input;
  const { path, format, layout, compression, bytes, sha256, lines } = info;
  const absolute = (tsNs: number): string | null =>
    Number.isNaN(tsNs) ? null : String(info.baseNs + BigInt(tsNs));
  return {
    source: { path, format, layout, compression, bytes, sha256, lines },
    clock: {
      base_ns: String(info.baseNs),
      first_ts_ns: absolute(info.firstTsNs),
      last_ts_ns: absolute(info.lastTsNs),
    },
    rows,
    events: info.events,
    entries_in_buffer: info.entriesInBuffer ?? null,
    entries_written: info.entriesWritten ?? null,
    statistics_counted: statisticsCounted,
    diagnostics: [...diagnostics.counts()],
    examples: diagnostics.examples.map((example) => ({
      code: example.code,
      path: example.path,
      line: example.line,
      byte_offset: example.byteOffset,
      detail: example.detail,
    })),
  };
}

/** The text under `TRACE`; undefined where it is not one. */
export function parseRecordedTrace(text: string): RecordedTrace | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(RecordedTraceSchema, json);
  return parsed.success ? parsed.output : undefined;
}

/** Makes the diagnostics of the trace those of whoever reads its event table. */
export function recallDiagnostics(trace: RecordedTrace, diagnostics: Diagnostics): void {
  const examples = trace.examples.map(
    (example): DiagnosticExample => ({
      code: codeOf(example.code),
      path: example.path,
      line: example.line,
      byteOffset: example.byte_offset,
      detail: example.detail,
    }),
  );
  diagnostics.recall(
    trace.diagnostics.map(([name, times]) => [codeOf(name), times] as const),
    examples,
  );
}

function codeOf(name: string): DiagnosticCode {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema takes no other
  return name as DiagnosticCode;
}
