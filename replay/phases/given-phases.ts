import type { PhaseName } from "../migration/inputs.ts";

/** A phase that the user knows better than the trace shows; times in ns since the trace's `baseNs`. */
export interface GivenPhase {
  readonly name: PhaseName;
  readonly pass: number | undefined;
  readonly startNs: number;
  readonly endNs: number;
}

/** The same in the trace's own clock, as its times are printed. */
export interface ClockPhase {
  readonly name: PhaseName;
  readonly pass: number | undefined;
  readonly startNs: bigint;
  readonly endNs: bigint;
}

/** Phases by the clock, counted from its `baseNs`. */
export function countedFrom(baseNs: bigint, phases: readonly ClockPhase[]): readonly GivenPhase[] {
  return phases.map(({ name, pass, startNs, endNs }) => ({
    name,
    pass,
    startNs: Number(startNs - baseNs),
    endNs: Number(endNs - baseNs),
  }));
}

/** What is wrong with phases as given, in a sentence; undefined where nothing is. */
export function problemOfGiven(given: readonly GivenPhase[]): string | undefined {
  for (const [at, { name, startNs, endNs }] of given.entries()) {
    if (!Number.isFinite(startNs) || !Number.isFinite(endNs)) {
      return `phase ${at + 1} (${name}) has no start or no end`;
    }
    if (endNs <= 0) return `phase ${at + 1} (${name}) ends before the trace begins`;
    if (endNs <= startNs) return `phase ${at + 1} (${name}) ends before it begins`;
    const before = given[at - 1];
    if (before !== undefined && startNs < before.endNs) {
      return `phase ${at + 1} (${name}) begins inside phase ${at} (${before.name})`;
    }
  }
  return undefined;
}

/** The same with `run` wherever nothing was given, in order. */
export function withRunBetween(given: readonly GivenPhase[]): readonly GivenPhase[] {
  const all: GivenPhase[] = [];
  for (const phase of given) {
    const before = all.at(-1);
    if (before !== undefined && before.endNs < phase.startNs)
      all.push(run(before.endNs, phase.startNs));
    all.push(phase);
  }
  const last = all.at(-1);
  return last === undefined ? all : [...all, run(last.endNs, Number.POSITIVE_INFINITY)];
}

function run(startNs: number, endNs: number): GivenPhase {
  return { name: "run", pass: undefined, startNs, endNs };
}
