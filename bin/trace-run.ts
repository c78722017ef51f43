import type { HostFacts } from "../ingest/beside/host-facts.ts";
import { readHostFacts } from "../ingest/beside/read-host-facts.ts";
import { resolveTracePath } from "../ingest/beside/resolve-trace-path.ts";
import { TraceError } from "../ingest/errors.ts";
import { openTrace } from "../ingest/open-trace.ts";
import type { TraceInfo } from "../ingest/reader.ts";
import type { Architecture } from "../replay/architectures/architecture.ts";
import { ARCHITECTURES } from "../replay/architectures/registry.ts";
import { type Configuration, replayConfig, resolveConfiguration } from "../replay/configuration.ts";
import { RANGE_6_9 } from "../replay/policies/families/range.ts";
import type { Policy } from "../replay/policies/flags.ts";
import { readPolicyFile } from "../replay/policies/policy-file.ts";
import { Replay, type ReplayResult } from "../replay/replay.ts";
import { explain } from "../reports/explanations.ts";
import { refuseOthers, refusePoliciesOf, reportMixture } from "./architecture-notes.ts";
import { recogniseTrace } from "./recognise-trace.ts";
import { runArchitecture } from "./architecture-run.ts";
import {
  addSavedLosses,
  type OpenedTrace,
  type RunRequest,
  type TraceRun,
} from "./opened-trace.ts";
import { nestedConfig } from "../replay/nested/configure-nested.ts";
import { withNestedFlushes } from "../replay/nested/merge-flushes.ts";
import { findNestedPolicy } from "../replay/nested/nested-policy.ts";
import { NestedReplay } from "../replay/nested/nested-replay.ts";
import { createLog, type Log } from "./log.ts";
import { refuseNested, startInference, withInferred } from "./stock-inference.ts";
import { FlushTimeline } from "../replay/timeline/flush-timeline.ts";
import { createPhaseRecorder } from "../replay/phases/create.ts";
import { phaseRows } from "../replay/timeline/phase-rows.ts";
import { stallEstimates } from "../replay/timeline/stall-estimate.ts";
import { RECORDED } from "../reports/totals.ts";
import { timelineResult } from "../replay/timeline/timeline-rows.ts";
import { observersOf } from "../replay/observers.ts";
import { type MachineOptions, openOptionsOf, type TraceOptions } from "./trace-options.ts";

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
  architectures: readonly Architecture[] = ARCHITECTURES,
): Promise<TraceRun> {
  const log = request.log ?? logOf(options);
  const file = await resolveTracePath(path);
  const { facts, notes } = await readHostFacts(file);
  for (const note of notes) log.warn(note);
  request.progress?.begin(file);
  const reader = await openTrace(file, {
    ...openOptionsOf(options),
    maxContentBytes: request.maxContentBytes,
    onStored:
      request.progress === undefined ? undefined : (bytes) => request.progress?.stored(bytes),
  });
  const recognised = await recogniseTrace(reader, architectures, facts, options.policy ?? []);
  if (request.stage2Only === true) refuseOthers(recognised.found, file);
  refusePoliciesOf(architectures, recognised.found, options.policy ?? [], file);
  const opened: OpenedTrace = { path, file, reader, facts, recognised, log };
  const run =
    recognised.found.architecture?.start === undefined
      ? await runStage2(opened, options, userPolicies, request)
      : await runArchitecture(opened, options, userPolicies, request);
  reportMixture(architectures, run, log);
  return run;
}

/** The replay of stage 2, or what can be inferred in its place. */
async function runStage2(
  { path, file, reader, facts, recognised, log }: OpenedTrace,
  options: TraceOptions,
  userPolicies: readonly Policy[],
  request: RunRequest,
): Promise<TraceRun> {
  const configuration = configure(options, facts, request.operationsOnly);
  const policies = request.choose(configuration, userPolicies);
  const config = replayConfig(configuration, policies, request.compare);
  const timeline = request.timeline === true ? new FlushTimeline(config) : undefined;
  const phases =
    timeline === undefined
      ? undefined
      : createPhaseRecorder(config, { kernel: configuration.kernel });
  const observer = observersOf([request.model?.(config, reader), timeline, phases]);
  const replay = new Replay(config, reader.pointers, reader.diagnostics, undefined, observer);
  const nestedReplay = new NestedReplay(
    nestedConfig(
      configuration,
      policies,
      options["nested-pa-bits"],
      request.compare ? findNestedPolicy(policies[0]?.nested ?? "") : undefined,
    ),
    reader.pointers,
    reader.diagnostics,
  );
  const inference = request.infers
    ? await startInference(file, options.memslots, config, reader, log)
    : undefined;
  for await (const batch of recognised.batches()) {
    // First: the replay passes the gaps that the inference has to see too.
    inference?.consume(batch);
    nestedReplay.consume(batch);
    request.observe?.(batch);
    replay.consume(batch);
    request.progress?.events(batch.length);
  }
  const replayed = replay.finish();
  const nested = nestedReplay.finish();
  if (nested === undefined) refuseNestedPolicies(policies);
  const asked = policies.map(({ id }) => id);
  const result = nested === undefined ? replayed : withNestedFlushes(replayed, nested, asked);
  const inferred = inference?.finish(log);
  const shown = inferred === undefined ? result : withInferred(result, inferred);
  const info = reader.info();
  const probes = await addSavedLosses(file, facts, options, reader);
  if (inferred === undefined) refuseUnusable(file, info, result);
  else {
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
    architecture: recognised.found,
    recogniseAll: () => recognised.finish(),
    configuration: { ...configuration, recordedPolicy: configuration.recordedPolicy?.id },
    policies,
    result: shown,
    explanations: (ids) =>
      explain({
        counts: result.counts,
        policies: ids,
        recordedPolicy: configuration.recordedPolicy?.id,
        tlbirange: configuration.features.tlbirange,
        fwb: configuration.features.fwb,
        primitivesRecorded: result.primitivesRecorded,
        hasDataLoss: reader.diagnostics.hasDataLoss,
      }),
    inference: inferred,
    nested,
    timeline:
      timeline === undefined || inferred !== undefined
        ? undefined
        : timelineResult(timeline, reader.names, result.primitivesRecorded),
    phases:
      phases === undefined || inferred !== undefined
        ? undefined
        : phaseRows(phases, info.baseNs, [
            ...asked,
            ...(result.primitivesRecorded ? [RECORDED] : []),
          ]),
    stall:
      request.timeline === true
        ? stallEstimates(shown.flushes, config, result.primitivesRecorded)
        : undefined,
    facts,
    probes,
  };
}

/** Without shadow tables a nested policy is only another name of the host's: that is no answer. */
function refuseNestedPolicies(policies: readonly Policy[]): void {
  const asked = policies.find(({ nested }) => nested !== undefined);
  if (asked === undefined) return;
  throw new TraceError(
    "BAD_OPTION",
    `'${asked.id}' is a policy for nested guests (shadow stage 2), and the trace shows no guest hypervisor`,
    "--policy",
    `name the host's own policy: ${RANGE_6_9.id}`,
  );
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

/** A trace without one stage-2 operation has no answer to give: say what it is instead of zeros. */
function refuseUnusable(path: string, info: TraceInfo, result: ReplayResult): void {
  const { map, mapAgain, unmap, wrprotect, relax, relaxAgain, split } = result.counts;
  if (map + mapAgain + unmap + wrprotect + relax + relaxAgain + split > 0) return;
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
