import { TraceError } from "../ingest/errors.ts";
import { ACCESS_FORMAT_IDS } from "../ingest/accesses/registry.ts";
import { type OpenedAccesses, openAccesses } from "../ingest/accesses/open-accesses.ts";
import type { Placing } from "../replay/accesses/page-placing.ts";
import { type RecordedSequence, SequenceRecorder } from "../replay/accesses/recorded-sequence.ts";
import type { RecordedAccesses } from "../replay/tlb/refills/streams.ts";
import type { StreamReport } from "../reports/stream-entry.ts";
import type { SharedValues } from "./options.ts";
import type { StreamTime } from "./stream-values.ts";
import { badOption } from "./values.ts";

export const STREAM_OPTIONS = [
  "stream",
  "stream-map",
  "stream-time",
  "stream-address",
  "stream-damon",
] as const;
export type StreamOptions = Pick<SharedValues, (typeof STREAM_OPTIONS)[number]>;

/** A file of guest accesses in memory. */
export interface StreamFile {
  /**
   * @param baseNs what the times of the trace count from; called once it is being read.
   * @param isPaceGiven the user set `visitsPerUs`: it goes before absolute rates.
   */
  readonly accesses: (baseNs: () => bigint, isPaceGiven: boolean) => RecordedAccesses;
  readonly report: StreamReport;
  readonly hasDataLoss: boolean;
}

/**
 * Reads the file that `--stream` names; undefined where it names none.
 * @throws TraceError as `openAccesses`, EMPTY where it holds no access, BAD_OPTION where options do not
 * fit it.
 */
export async function readStream(options: StreamOptions): Promise<StreamFile | undefined> {
  const choice = options.stream;
  if (choice?.kind !== "file") {
    for (const name of STREAM_OPTIONS.slice(1)) {
      if (options[name] !== undefined) {
        throw badOption(name, "says how a file of accesses is read, and there is none");
      }
    }
    return undefined;
  }
  const { path, format } = choice;
  const damon = options["stream-damon"];
  const opened = await openAccesses(path, {
    format,
    ...(options["stream-address"] === undefined
      ? {}
      : { sampledAddress: options["stream-address"] }),
    ...(damon === undefined
      ? {}
      : { damonSampleNs: damon.sampleNs, damonAggregationNs: damon.aggregationNs }),
  }).catch((error: unknown) => {
    throw withHint(error);
  });
  return opened.streamClass === "sequence"
    ? readSequence(path, opened, options)
    : readStatistics(path, opened, options);
}

/** A file that is not found may have been meant as one of the names. */
function withHint(error: unknown): unknown {
  if (!(error instanceof TraceError) || error.code !== "UNREADABLE") return error;
  const hint = `--stream takes generated, proven, or a file (${ACCESS_FORMAT_IDS.join(", ")})`;
  return new TraceError(error.code, error.message, error.where, hint);
}

async function readSequence(
  path: string,
  { reader, bias }: Extract<OpenedAccesses, { streamClass: "sequence" }>,
  options: StreamOptions,
): Promise<StreamFile> {
  const time = options["stream-time"] ?? "pace";
  const recorder = new SequenceRecorder(time === "clock");
  for await (const batch of reader.batches()) recorder.add(batch);
  const sequence = recorder.finish();
  const info = reader.info();
  if (sequence.visits === 0) {
    const { fetches } = info.counts;
    const unread = [...reader.diagnostics.counts().values()].reduce((sum, one) => sum + one, 0);
    throw new TraceError(
      "EMPTY",
      `none of its ${info.records} records is an access to data (${fetches} fetches, ${unread} could not be read)`,
      path,
    );
  }
  const offset = time === "clock" ? clockOffset(path, info.baseNs, sequence) : undefined;
  const placing = placingOf(options, info.address);
  return {
    hasDataLoss: reader.diagnostics.hasDataLoss,
    accesses: (baseNs) =>
      offset === undefined
        ? { kind: "sequence", sequence, placing }
        : { kind: "timed", sequence, placing, offsetNs: () => offset(baseNs()) },
    report: {
      name: `sequence:${info.format}`,
      info,
      bias,
      diagnostics: reader.diagnostics,
      isSequence: true,
      threads: sequence.threads.length,
      pages: sequence.pageKeys.length,
      visits: sequence.visits,
      leftOut: sequence.leftOut,
      placing: placingText(placing, options),
      timing: timingText(time, sequence),
      notes: [],
    },
  };
}

async function readStatistics(
  path: string,
  { reader, bias }: Extract<OpenedAccesses, { streamClass: "statistics" }>,
  options: StreamOptions,
): Promise<StreamFile> {
  if (options["stream-time"] !== undefined) {
    throw badOption("stream-time", `orders a sequence, and ${path} is statistics`);
  }
  const table = await reader.read();
  const info = reader.info();
  if (table.ratePerPage.length === 0) {
    const text = `none of its ${info.records} lines tells that a page was accessed`;
    throw new TraceError("EMPTY", text, path);
  }
  const placing = placingOf(options, table.address);
  const isRate = table.unit === "accesses/s";
  return {
    hasDataLoss: reader.diagnostics.hasDataLoss,
    accesses: (_baseNs, isPaceGiven) => {
      const isPaced = !isRate || isPaceGiven;
      return { kind: "statistics", table, placing, isPaced };
    },
    report: {
      name: `statistics-not-a-sequence:${info.format}`,
      info: { ...info, address: table.address },
      bias,
      diagnostics: reader.diagnostics,
      isSequence: false,
      threads: table.spaces.length,
      pages: table.lenPages.reduce((sum, length) => sum + length, 0),
      visits: 0,
      leftOut: 0,
      placing: placingText(placing, options),
      timing: isRate
        ? "drawn independently by page at the rates of the file, which the vCPUs share (--tlb-knob visitsPerUs sets another pace)"
        : "drawn independently by page, as popular as the samples say, at visitsPerUs: the samples tell no absolute rate",
      notes: table.notes,
    },
  };
}

/** A file that holds IPAs says where they lie; VAs are packed unless one is told better. */
function placingOf(options: StreamOptions, address: "va" | "ipa"): Placing {
  const given = options["stream-map"];
  if (given !== undefined) return given;
  return address === "ipa" ? { mode: "offset", offsetPages: 0 } : { mode: "packed" };
}

function placingText(placing: Placing, options: StreamOptions): string {
  const origin = options["stream-map"] === undefined ? "assumed" : "--stream-map";
  if (placing.mode === "packed") {
    return `the file's pages, by address, stand for the VM's pages in the order in which the trace maps them (${origin})`;
  }
  const bytes = BigInt(placing.offsetPages) * 4096n;
  const sign = bytes < 0n ? "-" : "+";
  const size = (bytes < 0n ? -bytes : bytes).toString(16);
  return `an IPA is the file's address ${sign} 0x${size} (${origin})`;
}

function timingText(time: StreamTime, { threads }: RecordedSequence): string {
  const who = `vCPU i of each VM, by first entry, plays thread i modulo ${threads.length}`;
  return time === "clock"
    ? `${who}; times of the file are those of the trace's clock, and what falls into no time of its vCPU in the guest is not made (--stream-time)`
    : `${who}; spread evenly at visitsPerUs over the time in the guest, whatever the file's own times, and from the beginning again at its end; seed k of n begins at (k − 1)/n of it`;
}

/** From the file's times to those of the trace, which may count from another point. */
function clockOffset(
  path: string,
  baseNs: bigint | undefined,
  { withoutTime }: RecordedSequence,
): (traceBaseNs: bigint) => number {
  if (baseNs === undefined || withoutTime > 0) {
    const text = `clock needs a time for every access, and ${path} does not tell it`;
    throw badOption("stream-time", text, "use --stream-time pace");
  }
  return (traceBaseNs) => Number(baseNs - traceBaseNs);
}
