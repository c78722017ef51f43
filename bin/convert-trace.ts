import { reportPerCpuLosses } from "../ingest/beside/per-cpu-stats.ts";
import { readHostFacts } from "../ingest/beside/read-host-facts.ts";
import { recordedTrace } from "../ingest/events/event-table-metadata.ts";
import { openTrace, type OpenTraceOptions } from "../ingest/open-trace.ts";
import type { TraceInfo, TraceReader } from "../ingest/reader.ts";
import { ArrowEventWriter } from "../reports/event-table/arrow-writer.ts";
import { CsvEventWriter } from "../reports/event-table/csv-writer.ts";
import { type ByteSink, type EventTableWriter, GapRows } from "../reports/event-table/writer.ts";

export const EVENT_FILE_FORMATS = ["arrow", "csv"] as const;
export type EventFileFormat = (typeof EVENT_FILE_FORMATS)[number];

export interface Converted {
  readonly info: TraceInfo;
  readonly reader: TraceReader;
  /** Rows written: events, and places where events were lost. */
  readonly rows: number;
  /** What stands beside the trace and could not be used, as sentences. */
  readonly notes: readonly string[];
}

/**
 * Writes the events of a trace (a file, or `-`) as an event table. What statistics beside the trace
 * count as lost is kept in the table; other facts about the host are not.
 */
export async function convertTrace(
  file: string,
  format: EventFileFormat,
  sink: ByteSink,
  options: OpenTraceOptions = {},
): Promise<Converted> {
  const { facts, notes } = await readHostFacts(file);
  const reader = await openTrace(file, options);
  const writer = await writerOf(format, sink, reader);
  const { diagnostics } = reader;
  const rows = new GapRows(writer, diagnostics);
  for await (const batch of reader.batches()) await rows.append(batch, reader.baseNs);
  const info = reader.info();
  const { perCpuLosses } = facts;
  const isCounted = info.statisticsCounted === true;
  if (perCpuLosses !== undefined && !isCounted) {
    reportPerCpuLosses(perCpuLosses.value, perCpuLosses.origin, info, diagnostics);
  }
  const statisticsCounted = isCounted || perCpuLosses !== undefined;
  await writer.finish(recordedTrace({ info, diagnostics, rows: writer.rows, statisticsCounted }));
  return { info, reader, rows: writer.rows, notes };
}

async function writerOf(
  format: EventFileFormat,
  sink: ByteSink,
  { pointers, names }: TraceReader,
): Promise<EventTableWriter> {
  if (format === "csv") return new CsvEventWriter(sink, pointers, names);
  return new ArrowEventWriter(await import("apache-arrow"), sink, pointers, names);
}
