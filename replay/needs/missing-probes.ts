import { editDistance } from "../policies/suggest.ts";
import { KNOWN_FUNCTIONS, type KnownFunction, knownFunction } from "./known-functions.ts";
import { ANSWERS, type AnswerName, NEEDS } from "./needs.ts";
import {
  eventsOf,
  isMissing,
  lacksReturns,
  type ProbeSight,
  type ProbeState,
  stateOf,
} from "./probe-states.ts";

/** A probe that an answer needs and that is missing for certain. */
export interface MissingProbe {
  readonly function: string;
  /** Its return, not its entry. */
  readonly isReturn: boolean;
  readonly state: ProbeState;
  /** The answers that suffer. */
  readonly neededFor: readonly AnswerName[];
  /** The strongest effect: no answer, or only bounds. */
  readonly without: "no" | "bounds";
  readonly effect: string;
  /** What the trace has instead: functions of the same role, and names that are nearly the same. */
  readonly closest: readonly string[];
}

/**
 * @param otherNames events of the trace, and functions of the probe list, that mean nothing to the replay:
 * a needed one may be among them under a name that is nearly right.
 */
export function missingProbes(
  sight: ProbeSight,
  otherNames: readonly string[] = [],
  answers: readonly AnswerName[] = ANSWERS,
): readonly MissingProbe[] {
  const found = new Map<string, MissingProbe>();
  for (const answer of answers) {
    for (const { anyOf, returns, without, effect } of NEEDS[answer]) {
      const lacking = returns === true ? withoutReturns(anyOf, sight) : lackingOf(anyOf, sight);
      for (const { known, state } of lacking) {
        const key = `${known.name} ${returns === true}`;
        const before = found.get(key);
        const isWorse = before === undefined || (before.without === "bounds" && without === "no");
        found.set(key, {
          function: known.name,
          isReturn: returns === true,
          state,
          neededFor: [...(before?.neededFor ?? []), answer],
          without: isWorse ? without : before.without,
          effect: isWorse ? effect : before.effect,
          closest: before?.closest ?? closestTo(known, sight, otherNames),
        });
      }
    }
  }
  return [...found.values()];
}

interface Lacking {
  readonly known: KnownFunction;
  readonly state: ProbeState;
}

/** All of them where none is there, or could be. */
export function lackingOf(anyOf: readonly string[], sight: ProbeSight): readonly Lacking[] {
  const states = anyOf.map((name) => {
    const known = knownFunction(name);
    return { known, state: stateOf(known, sight) };
  });
  const missing = states.filter(({ state }) => isMissing(state));
  const others = states.filter(({ state }) => !isMissing(state));
  return others.every(({ state }) => state === "not-in-kernel") ? missing : [];
}

function withoutReturns(anyOf: readonly string[], sight: ProbeSight): readonly Lacking[] {
  return anyOf
    .map(knownFunction)
    .filter((known) => lacksReturns(known, sight))
    .map((known) => ({ known, state: "not-recorded" }));
}

/** Edits, as a share of the name's length, up to which a name may be meant. */
const NEAR = 0.2;

function closestTo(
  known: KnownFunction,
  sight: ProbeSight,
  otherNames: readonly string[],
): readonly string[] {
  const near = otherNames.filter(
    (name) => editDistance(name, known.name) <= known.name.length * NEAR,
  );
  const sameRole = KNOWN_FUNCTIONS.filter(
    (one) => one !== known && one.role === known.role && eventsOf(sight, one.kind) > 0,
  ).map(({ name }) => name);
  return [...near, ...sameRole].slice(0, 4);
}
