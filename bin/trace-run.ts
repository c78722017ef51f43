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
import { Replay, type ReplayResult } from "../replay/replay.ts";
import { createLog, type Log } from "./log.ts";
import type { MachineOptions, TraceOptions } from "./trace-options.ts";

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
  readonly facts: HostFacts;
  /** The probe list saved beside the trace; undefined where there is none. */
  readonly probes: Fact<SavedProbes> | undefined;
}

export interface RunRequest {
  readonly operationsOnly: boolean;
  readonly compare: boolean;
  /** Which policies, once the recorded kernel is known. */
  readonly choose: (
    configuration: Configuration,
    userPolicies: readonly Policy[],
  ) => readonly Policy[];
  /** Sees each batch before the replay does. */
  readonly observe?: (batch: EventBatch) => void;
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
  const log = logOf(options);
  const file = await resolveTracePath(path);
  const { facts, notes } = await readHostFacts(file);
  for (const note of notes) log.warn(note);
  const configuration = configure(options, facts, request.operationsOnly);
  const policies = request.choose(configuration, userPolicies);
  const reader = await openTrace(file, {
    inputFormat: options["input-format"] ?? "auto",
    ...(options.probes === undefined ? {} : { probes: options.probes }),
  });
  const config = replayConfig(configuration, policies, request.compare);
  const replay = new Replay(config, reader.pointers, reader.diagnostics);
  for await (const batch of reader.batches()) {
    request.observe?.(batch);
    replay.consume(batch);
  }
  const result = replay.finish();
  const info = reader.info();
  const { perCpuLosses } = facts;
  // A trace.dat holds these statistics itself, and its reader has counted them.
  if (perCpuLosses !== undefined && info.format !== "trace-dat") {
    reportPerCpuLosses(perCpuLosses.value, perCpuLosses.origin, info, reader.diagnostics);
  }
  const probes = await readSavedProbes(file, options.probes);
  reportMissedHits(probes, reader.diagnostics);
  refuseUnusable(file, info, result, facts);
  log.info(
    `${file}: ${info.format} (${info.layout}), ${info.events} events in ${info.lines} lines`,
  );
  return { trace: path, path: file, info, reader, configuration, policies, result, facts, probes };
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
    "record kprobes on kvm_pgtable_stage2_map, _unmap, _wrprotect and _relax_perms with their returns",
  );
}
