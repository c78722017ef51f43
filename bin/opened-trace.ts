import type { Fact, HostFacts } from "../ingest/beside/host-facts.ts";
import { reportPerCpuLosses } from "../ingest/beside/per-cpu-stats.ts";
import {
  readSavedProbes,
  reportMissedHits,
  type SavedProbes,
} from "../ingest/beside/saved-probes.ts";
import type { EventBatch } from "../ingest/events/columns.ts";
import type { TraceInfo, TraceReader } from "../ingest/reader.ts";
import type {
  Architecture,
  ArchitectureRequest,
  ArchitectureResult,
  RunPolicy,
  RunSetting,
} from "../replay/architectures/architecture.ts";
import type { ArchitectureFound } from "../replay/architectures/detect.ts";
import type { Configuration } from "../replay/configuration.ts";
import type { InferenceResult } from "../replay/inference/inferred-replay.ts";
import type { NestedResult } from "../replay/nested/nested-result.ts";
import type { KernelVersion } from "../replay/policies/kernel-version.ts";
import type { Policy } from "../replay/policies/flags.ts";
import type { ReplayConfig, ReplayObserver } from "../replay/replay.ts";
import type { TimelinePhaseRow } from "../replay/timeline/phase-rows.ts";
import type { StallEstimate } from "../replay/timeline/stall-estimate.ts";
import type { TimelineResult } from "../replay/timeline/timeline-rows.ts";
import type { Log } from "./log.ts";
import type { TraceProgress } from "./trace-progress.ts";
import type { RecognisedTrace } from "./recognise-trace.ts";
import type { TraceOptions } from "./trace-options.ts";

/** What a run was configured with, of any architecture. */
export interface RunConfiguration {
  readonly settings: readonly RunSetting[];
  readonly assumptions: readonly string[];
  /** Id of the recorded kernel's own policy, where the kernel is known. */
  readonly recordedPolicy: string | undefined;
  readonly kernel: KernelVersion | undefined;
}

/** What a run gave, of any architecture. */
export type RunResult = Pick<
  ArchitectureResult,
  "flushes" | "instructions" | "fits" | "primitivesRecorded" | "refills"
> & { readonly counts?: { readonly ambiguousSequences: number } };

/** One trace, replayed to its end. */
export interface TraceRun {
  /** As the user named it. */
  readonly trace: string;
  /** The file that it stands for. */
  readonly path: string;
  readonly info: TraceInfo;
  readonly reader: TraceReader;
  /** Whose KVM recorded it, and what tells that. */
  readonly architecture: ArchitectureFound;
  /** The same, by all that the trace holds. */
  readonly recogniseAll: () => ArchitectureFound;
  readonly configuration: RunConfiguration;
  readonly policies: readonly RunPolicy[];
  readonly result: RunResult;
  /** Sentences on the numbers of these policies. */
  readonly explanations: (policies: readonly string[]) => readonly string[];
  /** When and where invalidations were issued: where it was asked for, and the trace has probes of stage 2. */
  readonly timeline?: TimelineResult | undefined;
  /** Phases of migrations, with the timeline: none where no VM logs. */
  readonly phases?: readonly TimelinePhaseRow[] | undefined;
  /** Flushes in time, with the timeline or bounds: estimated, one entry a calibration. */
  readonly stall?: readonly StallEstimate[] | undefined;
  /** Present where the result was inferred from stock tracepoints: it is bounds. */
  readonly inference: InferenceResult | undefined;
  /** Shadow tables of nested guests; undefined where the trace shows no guest hypervisor. */
  readonly nested?: NestedResult | undefined;
  readonly facts: HostFacts;
  /** The probe list saved beside the trace; undefined where there is none. */
  readonly probes: Fact<SavedProbes> | undefined;
}

export interface RunRequest {
  readonly operationsOnly: boolean;
  readonly compare: boolean;
  /** Answer a trace without probes with bounds inferred from its stock tracepoints. */
  readonly infers: boolean;
  /** Only a trace of stage 2 is of use; default: any. */
  readonly stage2Only?: boolean;
  /** Which policies, once the recorded kernel is known. */
  readonly choose: (
    configuration: Configuration,
    userPolicies: readonly Policy[],
  ) => readonly Policy[];
  /** The TLB that `--tlb` names: what architectures with rooms of their own model. */
  readonly tlb?: (architecture: Architecture, found: string) => ArchitectureRequest["tlb"];
  /** What follows this replay: modelled TLBs, or a migration's phases; times count from a base known once events are read. */
  readonly model?: (config: ReplayConfig, reader: TraceReader) => ReplayObserver | undefined;
  /** Follow when and where invalidations are issued. */
  readonly timeline?: boolean;
  /** Told how far the reading is. */
  readonly progress?: TraceProgress | undefined;
  /** Where the run says what it does; stderr where it is not given. */
  readonly log?: Log;
  /** Most content that is unpacked from the file; no limit where it is not given. */
  readonly maxContentBytes?: number | undefined;
  /** Sees each batch before the replay does. */
  readonly observe?: (batch: EventBatch) => void;
}

/** A trace of which it is known whose it is. */
export interface OpenedTrace {
  /** As the user named it, and the file that it stands for. */
  readonly path: string;
  readonly file: string;
  readonly reader: TraceReader;
  readonly facts: HostFacts;
  readonly recognised: RecognisedTrace;
  readonly log: Log;
}

/** Losses that only files beside the trace tell; gives the list of probes, where there is one. */
export async function addSavedLosses(
  file: string,
  { perCpuLosses }: HostFacts,
  options: TraceOptions,
  reader: TraceReader,
): Promise<Fact<SavedProbes> | undefined> {
  const info = reader.info();
  // A trace.dat holds these statistics itself; what was converted had them counted already.
  if (perCpuLosses !== undefined && info.statisticsCounted !== true) {
    reportPerCpuLosses(perCpuLosses.value, perCpuLosses.origin, info, reader.diagnostics);
  }
  const probes = await readSavedProbes(file, options.probes);
  reportMissedHits(probes, reader.diagnostics);
  return probes;
}
