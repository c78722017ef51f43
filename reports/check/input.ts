import type { Diagnostics } from "../../ingest/diagnostics.ts";
import type { NameTable } from "../../ingest/events/names.ts";
import type { TraceInfo } from "../../ingest/reader.ts";
import type { InvariantFinding } from "../../replay/invariants/suite.ts";
import type { ProbeSight } from "../../replay/needs/probe-states.ts";
import type { PolicyFit, ReplayResult } from "../../replay/replay.ts";
import type { EventSurvey } from "../../replay/survey/event-survey.ts";
import type { LossInterval } from "../../replay/survey/loss-survey.ts";
import type { SettingEntry } from "../summary.ts";

/** What a file beside the trace says that one CPU lost. */
export interface SavedLoss {
  readonly cpu: number | undefined;
  readonly count: number;
  readonly origin: string;
}

/** Everything that was found out about one trace. */
export interface CheckInput {
  /** As given on the command line. */
  readonly trace: string;
  readonly info: TraceInfo;
  readonly diagnostics: Diagnostics;
  readonly architecture: "arm64" | "x86" | "unknown";
  readonly architectureOrigin: string;
  readonly clock: { readonly value: string | undefined; readonly origin: string };
  /** Times are ticks of unknown length. */
  readonly isTicks: boolean;
  readonly settings: readonly SettingEntry[];
  readonly assumptions: readonly string[];
  readonly contradictions: readonly string[];
  readonly survey: EventSurvey;
  readonly names: NameTable;
  readonly lossIntervals: readonly LossInterval[];
  /** Intervals that were found and not kept. */
  readonly lossIntervalsLeftOut: number;
  readonly savedLosses: readonly SavedLoss[];
  readonly result: ReplayResult;
  /** Of the recorded kernel's policy, or where it is not known of the one that fits best. */
  readonly judged: PolicyFit;
  readonly findings: readonly InvariantFinding[];
  /** Places where events are missing, and tables that became unknown there. */
  readonly forgotten: {
    readonly places: number;
    readonly tables: number;
    readonly firstLine: number | undefined;
  };
  readonly sight: ProbeSight;
  /** File of the probe list; undefined: none was saved. */
  readonly probeList: string | undefined;
  /** Names that mean nothing to the replay: events, and functions of the probe list. */
  readonly otherNames: readonly string[];
}
