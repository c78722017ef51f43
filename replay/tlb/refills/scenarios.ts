import { type KnobName, KNOBS, type RefillKnobs } from "./knobs.ts";
import type { StreamKind } from "./streams.ts";

/** One way in which the guest may behave; the base is run with every seed, the others once. */
export interface Scenario {
  readonly knobs: RefillKnobs;
  /** From 1 on. */
  readonly seed: number;
  /** Where a recorded sequence begins: a share of it. */
  readonly start: number;
  readonly isBase: boolean;
  /** Calls that the trace cannot decide are issued too. */
  readonly withPossible: boolean;
}

const LATENCIES: readonly KnobName[] = ["walkNs", "refNs", "flushNs"];
const ALWAYS: readonly KnobName[] = ["stage1Class", "capVisits", "episodes", "seeds", ...LATENCIES];

/** The knobs that mean something for a stream: only they are reported, and only they can be set. */
export const KNOBS_OF: Readonly<Record<StreamKind, readonly KnobName[]>> = {
  generated: [
    "pattern",
    "theta",
    "footprint",
    "runLength",
    "visitsPerUs",
    "writeShare",
    "sharing",
    "hotShare",
    "movedShare",
    "phaseMs",
    ...ALWAYS,
  ],
  proven: ["stage1Class", ...LATENCIES],
  sequence: ["visitsPerUs", ...ALWAYS],
  timed: ["stage1Class", "capVisits", "episodes", ...LATENCIES],
  statistics: ["visitsPerUs", "writeShare", ...ALWAYS],
};

/** What is varied together, besides popularity and footprint, whose corners are all taken. */
const VARIED: readonly (readonly KnobName[])[] = [
  ["visitsPerUs"],
  ["runLength", "writeShare", "sharing", "movedShare", "phaseMs"],
  ["stage1Class"],
  ["capVisits"],
];

/**
 * Seeds of the base, then what gives low and high: the corners of popularity and footprint, and the ends of
 * the other knobs in groups. What the user fixed does not vary.
 */
export function scenariosOf(
  kind: StreamKind,
  knobs: RefillKnobs,
  fixed: ReadonlySet<KnobName>,
): readonly Scenario[] {
  const base = { knobs, seed: 1, start: 0, isBase: true, withPossible: false };
  const possible = { ...base, isBase: false, withPossible: true };
  // What the trace proves leaves nothing to vary but what the trace cannot decide.
  if (kind === "proven") return [base, possible];
  const varies = (name: KnobName): boolean => KNOBS_OF[kind].includes(name) && !fixed.has(name);
  const others = [
    ...(kind === "generated" ? cornersOf(knobs, varies) : []),
    ...VARIED.flatMap((names) => endsOf(knobs, names.filter(varies))),
  ];
  // Times that are those of the trace leave nothing to chance.
  const seeds = kind === "timed" ? 1 : knobs.seeds;
  return [
    ...Array.from({ length: seeds }, (_, i) => ({ ...base, seed: i + 1, start: i / seeds })),
    ...others.map((one) => ({ ...base, knobs: one, isBase: false })),
    possible,
  ];
}

function cornersOf(
  knobs: RefillKnobs,
  varies: (name: KnobName) => boolean,
): readonly RefillKnobs[] {
  const { theta, footprint } = knobs;
  const thetas = varies("theta") ? [KNOBS.theta.low!, KNOBS.theta.high!] : [theta];
  const shares = varies("footprint") ? [KNOBS.footprint.low!, KNOBS.footprint.high!] : [footprint];
  return thetas
    .flatMap((one) => shares.map((share) => ({ ...knobs, theta: one, footprint: share })))
    .filter((one) => one.theta !== theta || one.footprint !== footprint);
}

/** These knobs at their low ends, and at their high ends, where that is not what they are. */
function endsOf(knobs: RefillKnobs, names: readonly KnobName[]): readonly RefillKnobs[] {
  const end = (which: "low" | "high"): RefillKnobs => {
    const values = names.map((name) => [name, KNOBS[name][which] ?? knobs[name]]);
    return { ...knobs, ...Object.fromEntries(values) };
  };
  return [end("low"), end("high")].filter((one) => names.some((name) => one[name] !== knobs[name]));
}
