import type { HypMode } from "../../ingest/beside/host-facts.ts";
import type { EventKindName } from "../../ingest/events/kinds.ts";
import { isAtLeast, type KernelVersion } from "../policies/kernel-version.ts";
import { type KnownFunction, knownFunction } from "./known-functions.ts";

/** What a saved probe list says; functions by symbol without a compiler's suffix. */
export interface ProbeList {
  readonly entries: ReadonlySet<string>;
  readonly returns: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
  readonly absent: ReadonlySet<string>;
}

/** What is known of a recording's probes: from its events, and from what was saved beside it. */
export interface ProbeSight {
  readonly eventsByKind: ReadonlyMap<EventKindName, number>;
  /** Functions that stage2_apply_range was seen to call. */
  readonly applied?: ReadonlySet<string>;
  readonly list: ProbeList | undefined;
  readonly kernel: KernelVersion | undefined;
  readonly hypMode: HypMode | undefined;
}

export type ProbeState =
  /** It left events. */
  | "present"
  /** The probe list has it and the trace has no event of it. */
  | "never-hit"
  /** The kernel refused the probe (inlined, blacklisted). */
  | "refused"
  /** The list says that the kernel has no such symbol, though this version has the function: inlined. */
  | "absent"
  /** There is a list and the function is not in it. */
  | "not-asked"
  /** No list, no event, but events that cannot happen without a call of it. */
  | "not-recorded"
  /** Not in the list, and what it is only called with was probed and never hit. */
  | "not-called"
  /** It runs at EL2 (nVHE, pKVM): no probe can see it. */
  | "at-el2"
  /** No list, no event: never called, or not probed. */
  | "unseen"
  /** This kernel version does not have it. */
  | "not-in-kernel";

/** States in which calls may have happened that the trace does not show. */
const MISSING: ReadonlySet<ProbeState> = new Set<ProbeState>([
  "refused",
  "absent",
  "not-asked",
  "not-recorded",
  "at-el2",
]);

export function isMissing(state: ProbeState): boolean {
  return MISSING.has(state);
}

export function stateOf(known: KnownFunction, sight: ProbeSight): ProbeState {
  if (eventsOf(sight, known.kind) > 0) return "present";
  if (known.isTracepoint === true) return "unseen";
  if (!isInKernel(known, sight.kernel)) return "not-in-kernel";
  const isAtEl2 = sight.hypMode === "nVHE" || sight.hypMode === "pKVM";
  if (known.isHyp === true && isAtEl2) return "at-el2";
  const { list } = sight;
  if (list !== undefined) {
    if (list.entries.has(known.name)) return "never-hit";
    if (list.refused.has(known.name)) return "refused";
    if (list.absent.has(known.name)) return sight.kernel === undefined ? "not-in-kernel" : "absent";
    return isExcluded(known, sight, list) ? "not-called" : "not-asked";
  }
  const isImplied =
    sight.applied?.has(known.name) === true ||
    known.impliedBy?.some((kind) => eventsOf(sight, kind) > 0) === true;
  return isImplied ? "not-recorded" : "unseen";
}

/** What it is only called with was recorded, and did not happen. */
function isExcluded({ onlyWith }: KnownFunction, sight: ProbeSight, list: ProbeList): boolean {
  if (onlyWith === undefined) return false;
  return onlyWith.every((name) => {
    const { kind } = knownFunction(name);
    return list.entries.has(name) && eventsOf(sight, kind) === 0;
  });
}

/** Calls were recorded and none of their returns: their probe is missing. */
export function lacksReturns(known: KnownFunction, sight: ProbeSight): boolean {
  if (known.returnKind === undefined || eventsOf(sight, known.returnKind) > 0) return false;
  if (eventsOf(sight, known.kind) > 0) return true;
  const { list } = sight;
  return list !== undefined && list.entries.has(known.name) && !list.returns.has(known.name);
}

export function isInKernel(known: KnownFunction, kernel: KernelVersion | undefined): boolean {
  if (kernel === undefined) return true;
  const { since, goneIn } = known;
  if (since !== undefined && !isAtLeast(kernel, since[0], since[1])) return false;
  return goneIn === undefined || !isAtLeast(kernel, goneIn[0], goneIn[1]);
}

export function eventsOf(sight: ProbeSight, kind: EventKindName): number {
  return sight.eventsByKind.get(kind) ?? 0;
}

/** A state as the end of a sentence. */
export const STATE_WORDS: Readonly<Record<ProbeState, string>> = {
  present: "recorded",
  "never-hit": "probed and never hit",
  refused: "the kernel refused its probe",
  absent: "the kernel has no such symbol: it is part of its callers",
  "not-asked": "not in the probe list",
  "not-recorded": "not probed, though it must have been called",
  "not-called": "not in the probe list, and not called: there is no dirty logging",
  "at-el2": "it runs at EL2 (nVHE, pKVM), where no probe can be",
  unseen: "no event of it: never called, or not probed",
  "not-in-kernel": "this kernel does not have it",
};
