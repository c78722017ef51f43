import type { Diagnostics } from "../../ingest/diagnostics.ts";
import type { EventBatch } from "../../ingest/events/columns.ts";
import type { EventKindName } from "../../ingest/events/kinds.ts";
import type { PointerTable } from "../../ingest/events/pointers.ts";
import type { KernelVersion } from "../policies/kernel-version.ts";
import type { FlagOverride } from "../policies/overrides.ts";
import type { PolicyFit } from "../replay.ts";
import type { FlushRow, InstructionRow } from "../results.ts";
import type { KnobName, RefillKnobs } from "../tlb/refills/knobs.ts";
import type { RefillResult } from "../tlb/refills/refill-result.ts";
import type { TlbShape, WalkGeometry } from "../tlb/shape.ts";

/** A policy as reports name it. */
export interface NamedPolicy {
  readonly id: string;
  readonly summary: string;
}

/** A policy that a run replays. */
export interface RunPolicy extends NamedPolicy {
  readonly flags: object;
  /** How it came to differ from the shipped one; undefined: it does not. */
  readonly detail?: string | undefined;
}

/** An effective setting and where its value comes from. */
export interface RunSetting {
  readonly name: string;
  readonly value: string | number | boolean | readonly string[] | null;
  readonly origin: string;
}

/** A TLB to model under generated accesses. */
export interface TlbRequest {
  readonly id: string;
  readonly shape: TlbShape;
  readonly knobs: RefillKnobs;
  /** Knobs that the user set: they do not vary. */
  readonly fixed: ReadonlySet<KnobName>;
}

/** What a replay of one trace is asked for. */
export interface ArchitectureRequest {
  /** Ids of `--policy`; undefined: the recorded kernel's own, and what it is best compared with. */
  readonly ids: readonly string[] | undefined;
  /** Flags set on every policy. */
  readonly overrides: readonly FlagOverride[];
  /** Kernel that recorded the trace, and what says so. */
  readonly kernel: KernelVersion | undefined;
  readonly kernelOrigin: string;
  /** Compare with the recorded flushes, of every policy where none was named. */
  readonly compare: boolean;
  readonly operationsOnly: boolean;
  /** A TLB to model the refills of; undefined: none. */
  readonly tlb: TlbRequest | undefined;
  /** Functions known to have been probed; undefined where no list was saved. */
  readonly probedFunctions: readonly string[] | undefined;
  readonly pointers: PointerTable;
  readonly diagnostics: Diagnostics;
}

/** One replay of one trace: feed it batches in order, then ask for the result. */
export interface ArchitectureReplay {
  readonly policies: readonly RunPolicy[];
  /** The recorded kernel's own policy, where it is known. */
  readonly recordedPolicy: string | undefined;
  readonly settings: readonly RunSetting[];
  readonly assumptions: readonly string[];
  consume(batch: EventBatch): void;
  finish(): ArchitectureResult;
}

export interface ArchitectureResult {
  readonly flushes: readonly FlushRow[];
  readonly instructions: readonly InstructionRow[];
  /** In the order of the policies; empty unless they were to be compared. */
  readonly fits: readonly PolicyFit[];
  /** Whether the trace records invalidations to compare with. */
  readonly primitivesRecorded: boolean;
  /** Present where a TLB was modelled. */
  readonly refills?: RefillResult | undefined;
  /** Operations on tables that the trace showed; 0: there is nothing to replay. */
  readonly operations: number;
  /** Sentences on what the numbers of these policies rest on and do not show. */
  readonly explanations: (policies: readonly string[]) => readonly string[];
}

/**
 * A machine whose KVM is replayed. It has rooms of its own (`replay/<id>/`, and its words in
 * `ingest/vocabulary/`), and one line in `registry.ts`: commands find it there.
 */
export interface Architecture {
  readonly id: string;
  /** In a sentence: `x86 KVM`. */
  readonly label: string;
  /** Names of events that only its KVM has, whatever they mean to the replay. */
  readonly events: RegExp;
  /** Kinds of events that only its functions and tracepoints make. */
  readonly kinds: readonly EventKindName[];
  /** Its name in `uname -a`. */
  readonly machine: RegExp;
  readonly policies: readonly NamedPolicy[];
  /** How its TLBs are modelled: walks, and the knobs that say something. Absent: by the replay of stage 2, or not. */
  readonly tlb?: { readonly walk: WalkGeometry; readonly knobs: readonly KnobName[] };
  /** Starts a replay; undefined: the replay of stage 2 itself, which has options of its own. */
  readonly start?: (request: ArchitectureRequest) => ArchitectureReplay;
}
