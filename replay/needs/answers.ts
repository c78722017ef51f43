import type { EventKindName } from "../../ingest/events/kinds.ts";
import { KNOWN_FUNCTIONS, knownFunction } from "./known-functions.ts";
import { type MissingProbe, missingProbes } from "./missing-probes.ts";
import { ANSWERS, type AnswerName, NEEDS } from "./needs.ts";
import { eventsOf, type ProbeSight, stateOf, STATE_WORDS } from "./probe-states.ts";

/**
 * `yes`: exact. `assumed`: exact for a machine that nothing states. `bounds`: certain counts and at most so
 * many more. `no`: the trace does not tell.
 */
export type AnswerStatus = "yes" | "assumed" | "bounds" | "no";

export interface Answer {
  readonly answer: AnswerName | "x86";
  readonly question: string;
  readonly status: AnswerStatus;
  /** Sentences; empty where a yes needs none. */
  readonly because: readonly string[];
}

const QUESTIONS: Readonly<Record<AnswerName, string>> = {
  predict: "flush counts under other policies",
  verify: "recorded invalidations, call by call",
  instructions: "TLBI instruction counts",
  "dirty-log": "flushes of dirty logging",
  memslots: "memslots and what becomes of them",
  teardown: "tear-down of VMs",
  migration: "phases of a live migration",
  refills: "refill misses, from faults",
  nested: "nested guests under other policies",
};

/** What a trace has shown, as far as it decides which questions it answers. */
export interface AnswerInput {
  readonly sight: ProbeSight;
  readonly isX86: boolean;
  /** Sentences on what was lost; empty: nothing. */
  readonly losses: readonly string[];
  /** Tables whose history began before the trace. */
  readonly unknownTables: number;
  /** Facts of the machine that nothing states, in words. */
  readonly assumed: readonly string[];
  readonly primitivesRecorded: boolean;
  /** Calls of the recorded kernel's policy that are certain, and at most so many more. */
  readonly calls: { readonly certain: number; readonly unknown: number };
  /** Recorded calls that the comparison leaves undecided. */
  readonly undecided: number;
}

const OPERATIONS: readonly EventKindName[] = ["map", "unmap", "wrprotect", "relax_perms", "split"];
const DIRTY_LOG: readonly EventKindName[] = ["wrprotect", "enable_log_pt_masked"];
const NESTED: readonly EventKindName[] = [
  "nested_unmap",
  "nested_wp",
  "nested_tlbi_ipa",
  "nested_tlbi_range",
  "nested_tlbi_s1",
];
/** What must leave an event for the answer to be about something. */
const SUBJECTS: Partial<Record<AnswerName, readonly EventKindName[]>> = {
  "dirty-log": DIRTY_LOG,
  migration: DIRTY_LOG,
  memslots: ["commit_region"],
  teardown: ["destroy", "free_pgd"],
};
/** Answers that rest on the replay, so that what it does not know limits them. */
const REPLAYED: ReadonlySet<AnswerName> = new Set<AnswerName>([
  "predict",
  "verify",
  "instructions",
  "dirty-log",
]);

export function stage2Operations(sight: ProbeSight): number {
  return OPERATIONS.reduce((sum, kind) => sum + eventsOf(sight, kind), 0);
}

export function answersOf(input: AnswerInput): readonly Answer[] {
  const missing = missingProbes(input.sight);
  const answers = ANSWERS.map((answer): Answer => {
    const { status, because } = judge(answer, input, missing);
    return { answer, question: QUESTIONS[answer], status, because };
  });
  const x86 = judgeX86(input);
  return [...answers, { answer: "x86", question: "x86 flush policies", ...x86 }];
}

/** What the replay of the TDP MMU needs: which entries changed, and the flushes to compare with. */
function judgeX86({ isX86, sight, losses }: AnswerInput): Judgement {
  if (!isX86) return no("this is no x86 trace");
  if (eventsOf(sight, "spte_changed") === 0) {
    return no(
      "no event tells which entries changed: kvm_tdp_mmu_spte_changed, or until 5.14 a probe of __handle_changed_spte",
    );
  }
  const because = [...losses];
  if (eventsOf(sight, "remote") === 0) {
    because.push("nothing to compare with: kvm_flush_remote_tlbs is not recorded");
  }
  return { status: because.length === 0 ? "yes" : "bounds", because };
}

type Judgement = Pick<Answer, "status" | "because">;
const no = (...because: readonly string[]): Judgement => ({ status: "no", because });

function judge(
  answer: AnswerName,
  input: AnswerInput,
  missing: readonly MissingProbe[],
): Judgement {
  if (input.isX86) return no("this is a trace of x86 KVM: see x86 below");
  if (answer === "refills") return judgeRefills(input);
  if (answer === "nested") return judgeNested(input);
  const absent = judgeSubject(answer, input);
  if (absent !== undefined) return absent;
  const lacking = missing.filter(({ neededFor }) => neededFor.includes(answer));
  const fatal = lacking.filter((one) => withoutFor(answer, one) === "no");
  if (answer === "verify" && !input.primitivesRecorded) return no(...withoutPrimitives(lacking));
  if (fatal.length > 0 && answer !== "verify") return no(...fatal.map(sentenceOf));
  const limits = [
    ...lacking.map(sentenceOf),
    ...unseenMust(answer, input),
    ...unknowns(answer, input),
  ];
  if (limits.length > 0) return { status: "bounds", because: limits };
  if (input.assumed.length > 0 && REPLAYED.has(answer)) {
    return { status: "assumed", because: input.assumed };
  }
  return { status: "yes", because: [] };
}

/** Nothing to answer about: no operation at all, or none of this kind. */
function judgeSubject(answer: AnswerName, { sight }: AnswerInput): Judgement | undefined {
  const subjects = SUBJECTS[answer];
  if (subjects !== undefined && subjects.every((kind) => eventsOf(sight, kind) === 0)) {
    const words = KNOWN_FUNCTIONS.filter(({ kind }) => subjects.includes(kind))
      .map((known) => `${known.name}: ${STATE_WORDS[stateOf(known, sight)]}`)
      .join("; ");
    return no(`none of it is in the trace (${words})`);
  }
  const isReplayed = REPLAYED.has(answer);
  if (isReplayed && stage2Operations(sight) === 0) return no("the trace has no stage-2 operation");
  return undefined;
}

function judgeRefills({ sight, losses }: AnswerInput): Judgement {
  const faults = eventsOf(sight, "guest_fault");
  if (faults === 0) return no("the trace has no kvm_guest_fault events");
  const because = [
    "a fault is an access that missed; accesses that miss without a fault leave no event: lower bounds only",
  ];
  return { status: "bounds", because: [...because, ...losses] };
}

function judgeNested({ sight }: AnswerInput): Judgement {
  const events = NESTED.reduce((sum, kind) => sum + eventsOf(sight, kind), 0);
  if (events === 0) return no("the trace has no events of nested guests");
  return no(
    "shadow tables are replayed as tables of their own (verify compares them); no nested policy is modelled yet",
  );
}

function withoutPrimitives(lacking: readonly MissingProbe[]): readonly string[] {
  const isAtEl2 = lacking.some(({ state }) => state === "at-el2");
  const why = isAtEl2
    ? "the primitives run at EL2 (nVHE, pKVM), where no probe can be"
    : "none of the primitives (__kvm_tlb_flush_vmid*) is recorded";
  return [`${why}: there is nothing to compare predictions with`];
}

function withoutFor(answer: AnswerName, probe: MissingProbe): "no" | "bounds" {
  const own = NEEDS[answer].filter(
    ({ anyOf, returns }) => anyOf.includes(probe.function) && (returns === true) === probe.isReturn,
  );
  return own.some(({ without }) => without === "no") ? "no" : "bounds";
}

export function sentenceOf({
  function: name,
  isReturn,
  state,
  effect,
  closest,
}: MissingProbe): string {
  const what = isReturn
    ? `the return of ${name} is not recorded`
    : `${name}: ${STATE_WORDS[state]}`;
  const instead = closest.length === 0 ? "" : ` (closest: ${closest.join(", ")})`;
  return `${what}; ${effect}${instead}`;
}

/** Without a probe list: what must be there and left no event may have happened all the same. */
function unseenMust(answer: AnswerName, { sight }: AnswerInput): readonly string[] {
  if (sight.list !== undefined) return [];
  return NEEDS[answer]
    .filter(({ without, returns }) => without === "no" && returns !== true)
    .filter(({ anyOf }) => anyOf.every((name) => !name.startsWith("__")))
    .filter(({ anyOf }) => anyOf.every((name) => stateOf(knownFunction(name), sight) === "unseen"))
    .map(
      ({ anyOf, effect }) => `no event of ${anyOf.join(" or ")}: if it was not probed, ${effect}`,
    );
}

function unknowns(answer: AnswerName, input: AnswerInput): readonly string[] {
  const { losses, unknownTables } = input;
  if (!REPLAYED.has(answer)) return losses;
  const tables = unknownTables === 1 ? "1 table" : `${unknownTables} tables`;
  const held = `what ${tables} held when first seen is not known: the VM ran before the trace`;
  return [...losses, ...(unknownTables === 0 ? [] : [held]), ...undecided(answer, input)];
}

function undecided(
  answer: AnswerName,
  { calls, undecided: count }: AnswerInput,
): readonly string[] {
  if (answer === "verify") {
    return count === 0 ? [] : [`${count} recorded calls can be neither confirmed nor refuted`];
  }
  if (calls.unknown === 0 || answer === "dirty-log") return [];
  return [
    `${calls.certain} calls are certain, and at most ${calls.unknown} more: the trace does not show what decides (contents of a table, its start level (--ipa-bits), or which vCPU ran)`,
  ];
}
