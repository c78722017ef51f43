import type { Severity } from "../../ingest/diagnostics.ts";
import type { AnswerStatus } from "../../replay/needs/answers.ts";
import type { ProbeState } from "../../replay/needs/probe-states.ts";
import type { SettingEntry } from "../summary.ts";

/**
 * `check --format json`: one object a trace, of this shape. Times are trace-clock values in ns (ticks where
 * `time.unit` says so) as decimal text, because they may exceed a JSON number; null where nothing is known.
 * The number grows when a field is removed or changes its meaning.
 */
export const CHECK_SCHEMA_VERSION = 1;

/** How usable a trace is as a whole, from best to worst. */
export type CheckLevel =
  /** Exact predictions that can be compared call by call, and nothing is assumed. */
  | "complete"
  /** The same, but something of the machine is assumed. */
  | "usable"
  /** Exact predictions; nothing recorded to compare them with. */
  | "predictions"
  /** Counts are bounds. */
  | "bounds"
  /** Events were read, and no policy can be replayed on them. */
  | "described"
  /** It is no trace, or cannot be read. */
  | "unreadable";

export interface CheckVerdict {
  readonly level: CheckLevel;
  /** One sentence. */
  readonly sentence: string;
}

export interface CheckExample {
  readonly path: string;
  /** 1-based line (record of a binary file); 0 where none applies. */
  readonly line: number;
  readonly byte_offset: number;
  readonly ts_ns: string | null;
  readonly detail: string;
}

/** A code of the diagnostics, of an invariant, `MISSING_PROBE`, `CONTRADICTING_SOURCES`, or why nothing was read. */
export interface CheckError {
  readonly code: string;
  readonly severity: Severity;
  /** All occurrences; the examples are the first few. */
  readonly count: number;
  readonly sentence: string;
  readonly examples: readonly CheckExample[];
}

export interface CheckTime {
  /** Trace clock: `mono`, `boot`, `x86-tsc`, … */
  readonly clock: string | null;
  readonly clock_origin: string;
  readonly unit: "ns" | "tick";
  /** Finest step that the times show. */
  readonly resolution: "ns" | "us" | "ms" | "s" | "tick" | "unknown";
  readonly first_ts_ns: string | null;
  readonly last_ts_ns: string | null;
  /** Last minus first event, in file order. */
  readonly span_ns: number | null;
  /** Neighbouring events of which the later one has the earlier time. */
  readonly backwards: number;
  /** Share of neighbouring events with equal times, 0 to 1: only the file's order orders them. */
  readonly equal_stamp_share: number;
}

export interface CheckLossInterval {
  /** Null: not named, or all of them. */
  readonly cpu: number | null;
  /** Events; null: not known how many. */
  readonly count: number | null;
  /** Last event before it on that CPU; null: none. */
  readonly from_ns: string | null;
  /** First event behind it; null: none, or not known. */
  readonly to_ns: string | null;
  /** Line that says it; 0: a file beside the trace does. */
  readonly line: number;
  readonly origin: string;
}

export interface CheckLosses {
  /** Events known to be missing; a loss of unknown size counts as one. */
  readonly events_lost: number;
  /** Lines or records that could not be read. */
  readonly unreadable: number;
  readonly intervals: readonly CheckLossInterval[];
  readonly intervals_left_out: number;
  /** What becomes of the results, in words. */
  readonly effects: readonly string[];
  /** Tables whose state became unknown, summed over the places of loss. */
  readonly tables_forgotten: number;
  /** The recorded kernel's policy, or where the kernel is not known the one that fits best. */
  readonly policy: string;
  /** Calls that it predicts for certain, and at most so many more. */
  readonly calls_certain: number;
  readonly calls_unknown: number;
}

export interface CheckProbes {
  /** File that the probe list comes from; null: none was saved. */
  readonly list: string | null;
  readonly functions: readonly {
    readonly function: string;
    readonly role: string;
    readonly state: ProbeState;
    readonly events: number;
    /** Null: the replay does not use its return. */
    readonly return_events: number | null;
  }[];
  readonly missing: readonly {
    readonly function: string;
    readonly is_return: boolean;
    readonly state: ProbeState;
    /** Answers that suffer; see `answers`. */
    readonly needed_for: readonly string[];
    readonly without: "no" | "bounds";
    readonly effect: string;
    /** What the trace has instead. */
    readonly closest: readonly string[];
  }[];
}

export interface CheckInvariant {
  readonly id: string;
  readonly sentence: string;
  /** What it may mean. */
  readonly meaning: string;
  readonly count: number;
  /** Kinds of events without which it cannot be judged; empty: it was. */
  readonly not_judged_for: readonly string[];
}

export interface CheckAnswer {
  readonly answer: string;
  readonly question: string;
  readonly status: AnswerStatus;
  readonly because: readonly string[];
}

export interface CheckReport {
  readonly schema_version: number;
  /** As given on the command line. */
  readonly trace: string;
  readonly verdict: CheckVerdict;
  readonly input: {
    readonly path: string;
    readonly format: string;
    /** What was detected inside the format, in words. */
    readonly layout: string;
    readonly compression: string;
    /** As stored. */
    readonly bytes: number;
    readonly sha256: string;
    readonly lines: number;
    readonly events: number;
  };
  readonly machine: {
    readonly architecture: "arm64" | "x86" | "unknown";
    readonly architecture_origin: string;
    readonly settings: readonly SettingEntry[];
    readonly assumptions: readonly string[];
    /** Sources that disagree, in words. */
    readonly contradictions: readonly string[];
  };
  readonly time: CheckTime;
  readonly events: {
    readonly by_kind: Readonly<Record<string, number>>;
    /** Most frequent first; capped, the rest is in `names_left_out`. */
    readonly by_name: readonly {
      readonly name: string;
      readonly kind: string;
      readonly count: number;
    }[];
    readonly names_left_out: number;
    /** By CPU number; `unknown` where the trace does not say. */
    readonly by_cpu: Readonly<Record<string, number>>;
  };
  readonly losses: CheckLosses;
  readonly probes: CheckProbes;
  readonly invariants: readonly CheckInvariant[];
  readonly answers: readonly CheckAnswer[];
  /** Worst first; capped by code and by example. */
  readonly errors: readonly CheckError[];
  readonly errors_left_out: number;
}

/** A file that could not be opened as a trace at all. */
export interface UnreadableReport {
  readonly schema_version: number;
  readonly trace: string;
  readonly verdict: CheckVerdict;
  readonly errors: readonly CheckError[];
  readonly errors_left_out: number;
}
