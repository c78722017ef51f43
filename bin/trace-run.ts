import type { Fact, HostFacts } from "../ingest/beside/host-facts.ts";
import { reportPerCpuLosses } from "../ingest/beside/per-cpu-stats.ts";
import { readHostFacts } from "../ingest/beside/read-host-facts.ts";
import {
  readSavedProbes,
  reportMissedHits,
  type SavedProbes,
} from "../ingest/beside/saved-probes.ts";
import { resolveTracePath } from "../ingest/beside/resolve-trace-path.ts";
import type { EventBatch } from "../ingest/events/columns.ts";
import { TraceError } from "../ingest/errors.ts";
import { openTrace } from "../ingest/open-trace.ts";
import type { TraceInfo, TraceReader } from "../ingest/reader.ts";
import { architectureOf } from "./architecture.ts";
import { type Configuration, replayConfig, resolveConfiguration } from "../replay/configuration.ts";
import type { Policy } from "../replay/policies/flags.ts";
import { readPolicyFile } from "../replay/policies/policy-file.ts";
import {
  Replay,
  type ReplayConfig,
  type ReplayObserver,
  type ReplayResult,
} from "../replay/replay.ts";
import type { InferenceResult } from "../replay/inference/inferred-replay.ts";
import { createLog, type Log } from "./log.ts";
import type { TraceProgress } from "./trace-progress.ts";
import { refuseNested, startInference, withInferred } from "./stock-inference.ts";
import { FlushTimeline } from "../replay/timeline/flush-timeline.ts";
import { type TimelineResult, timelineResult } from "../replay/timeline/timeline-rows.ts";
import { observersOf } from "../replay/observers.ts";
import { type MachineOptions, openOptionsOf, type TraceOptions } from "./trace-options.ts";

/** One trace, replayed to its end. */
export interface TraceRun {
  /** As the user named it. */
  readonly trace: string;
  /** The file that it stands for. */
  readonly path: string;
  readonly info: TraceInfo;
  readonly reader: TraceReader;
  readonly configuration: Configuration;
  readonly policies: readonly Policy[];
  readonly result: ReplayResult;
  /** Present where the result was inferred from stock tracepoints: it is bounds. */
  readonly inference: InferenceResult | undefined;
  /** When and where invalidations were issued: where it was asked for, and the trace has probes. */
  readonly timeline: TimelineResult | undefined;
  readonly facts: HostFacts;
  /** The probe list saved beside the trace; undefined where there is none. */
  readonly probes: Fact<SavedProbes> | undefined;
}

export interface RunRequest {
  readonly operationsOnly: boolean;
  readonly compare: boolean;
  /** Answer a trace without probes with bounds inferred from its stock tracepoints. */
  readonly infers: boolean;
  /** Which policies, once the recorded kernel is known. */
  readonly choose: (
    configuration: Configuration,
    userPolicies: readonly Policy[],
  ) => readonly Policy[];
  /** What follows this replay: modelled TLBs, or a migration's phases; times count from a base known once events are read. */
  readonly model?: (config: ReplayConfig, baseNs: () => bigint) => ReplayObserver | undefined;
  /** Follow when and where invalidations are issued. */
  readonly timeline?: boolean;
  /** Told how far the reading is. */
  readonly progress?: TraceProgress | undefined;
  /** Sees each batch before the replay does. */
  readonly observe?: (batch: EventBatch) => void;
  /** Where the run says what it does; stderr where it is not given. */
  readonly log?: Log;
  /** Most content that is unpacked from the file; no limit where it is not given. */
  readonly maxContentBytes?: number | undefined;
}

/** Reads the policy files named on the command line. */
export async function userPoliciesOf(options: TraceOptions): Promise<readonly Policy[]> {
  const files = options["policy-file"] ?? [];
  const policies = await Promise.all(files.map((file) => readPolicyFile(file)));
  return policies.flat();
}

export function logOf(options: Pick<TraceOptions, "quiet" | "debug">): Log {
  return createLog({ quiet: options.quiet, debug: options.debug });
}

/**
 * Replays one trace under the policies that `choose` names. Throws TraceError where the trace cannot
 * be read or holds nothing to replay; losses are in the reader's diagnostics.
 */
export async function runTrace(
  path: string,
  options: TraceOptions,
  userPolicies: readonly Policy[],
  request: RunRequest,
): Promise<TraceRun> {
  const log = request.log ?? logOf(options);
  const file = await resolveTracePath(path);
  const { facts, notes } = await readHostFacts(file);
  for (const note of notes) log.warn(note);
  const configuration = configure(options, facts, request.operationsOnly);
  const policies = request.choose(configuration, userPolicies);
  request.progress?.begin(file);
  const reader = await openTrace(file, {
    ...openOptionsOf(options),
    maxContentBytes: request.maxContentBytes,
    onStored:
      request.progress === undefined ? undefined : (bytes) => request.progress?.stored(bytes),
  });
  const config = replayConfig(configuration, policies, request.compare);
  const timeline = request.timeline === true ? new FlushTimeline(config) : undefined;
  const observer = observersOf([request.model?.(config, () => reader.baseNs), timeline]);
  const replay = new Replay(config, reader.pointers, reader.diagnostics, undefined, observer);
  const inference = request.infers
    ? await startInference(file, options.memslots, config, reader, log)
    : undefined;
  for await (const batch of reader.batches()) {
    // First: the replay passes the gaps that the inference has to see too.
    inference?.consume(batch);
    request.observe?.(batch);
    replay.consume(batch);
    request.progress?.events(batch.length);
  }
  const result = replay.finish();
  const inferred = inference?.finish(log);
  const info = reader.info();
  const { perCpuLosses } = facts;
  // A trace.dat holds these statistics itself; what was converted had them counted already.
  if (perCpuLosses !== undefined && info.statisticsCounted !== true) {
    reportPerCpuLosses(perCpuLosses.value, perCpuLosses.origin, info, reader.diagnostics);
  }
  const probes = await readSavedProbes(file, options.probes);
  reportMissedHits(probes, reader.diagnostics);
  if (inferred === undefined) refuseUnusable(file, info, result, facts);
  else {
    refuseX86(file, info, facts);
    refuseNested(file, info);
    log.warn(
      `${file} has no stage-2 probes: what follows is INFERRED FROM STOCK TRACEPOINTS and is bounds`,
    );
  }
  log.info(
    `${file}: ${info.format} (${info.layout}), ${info.events} events in ${info.lines} lines`,
  );
  return {
    trace: path,
    path: file,
    info,
    reader,
    configuration,
    policies,
    result: inferred === undefined ? result : withInferred(result, inferred),
    inference: inferred,
    timeline:
      timeline === undefined || inferred !== undefined
        ? undefined
        : timelineResult(timeline, reader.names, result.primitivesRecorded),
    facts,
    probes,
  };
}

/** The machine as options and files beside the trace tell it. */
export function configure(
  options: MachineOptions,
  facts: HostFacts,
  operationsOnly: boolean,
): Configuration {
  return resolveConfiguration(
    {
      kernel: options.kernel,
      cpu: options.cpu,
      pageSizeBytes: options["page-size"],
      ipaBits: options["ipa-bits"],
      start: options.start,
      operationsOnly,
    },
    facts,
  );
}

/** Requests for flushes look alike on both architectures: an x86 trace must not be answered as if it were arm64. */
function refuseX86(path: string, info: TraceInfo, facts: HostFacts): void {
  const { architecture, because } = architectureOf(info.eventsByName.keys(), facts);
  if (architecture !== "x86") return;
  throw new TraceError(
    "WRONG_ARCHITECTURE",
    `this is a trace of x86 KVM (${because}); only arm64 stage-2 traces are replayed`,
    path,
  );
}

/** A trace without one stage-2 operation has no answer to give: say what it is instead of zeros. */
function refuseUnusable(
  path: string,
  info: TraceInfo,
  result: ReplayResult,
  facts: HostFacts,
): void {
  const { map, mapAgain, unmap, wrprotect, relax, relaxAgain, split } = result.counts;
  if (map + mapAgain + unmap + wrprotect + relax + relaxAgain + split > 0) return;
  refuseX86(path, info, facts);
  if (result.flushes.length > 0) return;
  const names = [...info.eventsByName.keys()];
  const shown = names.slice(0, 6).join(", ");
  throw new TraceError(
    "NO_EVENTS",
    `none of its ${info.events} events is a stage-2 operation${shown === "" ? "" : ` (it has ${shown}${names.length > 6 ? ", …" : ""})`}`,
    path,
    hasStockEvents(names)
      ? "it has stock tracepoints only: `analyze` infers bounds from them, and nothing can be verified"
      : "record kprobes on kvm_pgtable_stage2_map, _unmap, _wrprotect and _relax_perms with their returns",
  );
}

function hasStockEvents(names: readonly string[]): boolean {
  return names.includes("kvm_guest_fault") || names.includes("kvm_unmap_hva_range");
}
