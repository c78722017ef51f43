import type { Hypothesis } from "../shape.ts";

/** What the modelled guest does and how much of it is simulated: assumptions, each with its reason. */
export interface RefillKnobs {
  /** Skew of the page popularity, zipf; 0 is uniform. */
  readonly theta: number;
  /** Part of the pages that the trace shows which the guest uses. */
  readonly footprint: number;
  /** Page visits of a vCPU in a µs of trace time in the guest. */
  readonly visitsPerUs: number;
  readonly writeShare: number;
  /** Size class of the guest's own mappings: 0 pages, 1 blocks of level 2, 2 blocks of level 1. */
  readonly stage1Class: number;
  /** Page visits simulated on a PE after a flush; then its TLB counts as warm. */
  readonly capVisits: number;
  /** Flush episodes simulated before every 2nd is left out; so many more, and every 2nd of the rest; … */
  readonly episodes: number;
  readonly seeds: number;
  /** Latencies that turn counts into time; no count depends on them. */
  readonly walkNs: number;
  readonly refNs: number;
  readonly flushNs: number;
}

export type KnobName = keyof RefillKnobs;

export interface KnobSpec {
  readonly default: number;
  readonly least: number;
  readonly most: number;
  readonly isWhole: boolean;
  readonly unit: string;
  readonly meaning: string;
  /** Why this default. */
  readonly reason: string;
  /** Low and high that are shown beside it where nobody sets it. */
  readonly range?: readonly [low: number, high: number];
}

export const KNOBS: Readonly<Record<KnobName, KnobSpec>> = {
  theta: {
    default: 0.99,
    least: 0,
    most: 3,
    isWhole: false,
    unit: "",
    meaning: "skew of the page popularity (zipf), 0 is uniform",
    reason: "YCSB's default; low and high are taken over 0 and 1.2",
  },
  footprint: {
    default: 1,
    least: 0.01,
    most: 1,
    isWhole: false,
    unit: "",
    meaning: "part of the pages mapped in the trace that the guest uses",
    reason: "the trace shows no less; low and high are taken over 0.25 too",
  },
  visitsPerUs: {
    default: 125,
    least: 0.001,
    most: 10_000,
    isWhole: false,
    unit: "page visits per µs in the guest",
    meaning: "rate of page visits of a vCPU",
    reason: "3 GHz, 1 instruction a cycle, a third of them on memory, 8 on a page in a row",
  },
  writeShare: {
    default: 0.3,
    least: 0,
    most: 1,
    isWhole: false,
    unit: "",
    meaning: "part of the visits that write",
    reason: "only writes meet write-protection",
  },
  stage1Class: {
    default: 0,
    least: 0,
    most: 2,
    isWhole: true,
    unit: "",
    meaning: "the guest's own mappings: 0 pages, 1 blocks of level 2, 2 blocks of level 1",
    reason: "pages: a guest's user memory; 1 shows what splitting costs in reach",
  },
  capVisits: {
    default: 4096,
    least: 1,
    most: 10_000_000,
    isWhole: true,
    unit: "page visits",
    meaning: "visits simulated on a PE after a flush, behind which its TLB counts as warm",
    reason: "three times the entries of a TLB of 1280",
  },
  episodes: {
    default: 32,
    least: 1,
    most: 1_000_000,
    isWhole: true,
    unit: "episodes",
    meaning: "flush episodes simulated before every 2nd, then every 4th, … is taken for all",
    reason: "bounds the time whatever the trace's length",
  },
  seeds: {
    default: 9,
    least: 9,
    most: 101,
    isWhole: true,
    unit: "seeds",
    meaning: "runs of the generator whose median and range are shown",
    reason: "no fewer than 9 show a spread",
  },
  walkNs: {
    default: 50,
    least: 0,
    most: 100_000,
    isWhole: false,
    unit: "ns a refill",
    meaning: "latency of the walk behind a refill",
    reason:
      "13 is a warm nested walk measured on Zen 4, 100 one that misses in the caches; no Arm core was measured",
    range: [13, 100],
  },
  refNs: {
    default: 0,
    least: 0,
    most: 100_000,
    isWhole: false,
    unit: "ns a reference",
    meaning: "latency of one memory reference of a walk; 0: none is stated",
    reason: "nothing published fits: it depends on the caches that the page tables lie in",
  },
  flushNs: {
    default: 1500,
    least: 0,
    most: 100_000_000,
    isWhole: false,
    unit: "ns a call",
    meaning: "time of one flush call with its TLBI and DSB",
    reason:
      "slopes of the range series' cover letters, 2023: 1.48 to 1.52 us; 2 us by the RFC of 2020; contention is not in it (6.3 us for each contending CPU on an Ampere of 32, 2020)",
    range: [1480, 2000],
  },
};

export const KNOB_NAMES: readonly KnobName[] = [
  "theta",
  "footprint",
  "visitsPerUs",
  "writeShare",
  "stage1Class",
  "capVisits",
  "episodes",
  "seeds",
  "walkNs",
  "refNs",
  "flushNs",
];

export function defaultKnobs(): RefillKnobs {
  return knobsOf(new Map());
}

/** The defaults with some values replaced. */
export function knobsOf(given: ReadonlyMap<KnobName, number>): RefillKnobs {
  const of = (name: KnobName): number => given.get(name) ?? KNOBS[name].default;
  return {
    theta: of("theta"),
    footprint: of("footprint"),
    visitsPerUs: of("visitsPerUs"),
    writeShare: of("writeShare"),
    stage1Class: of("stage1Class"),
    capVisits: of("capVisits"),
    episodes: of("episodes"),
    seeds: of("seeds"),
    walkNs: of("walkNs"),
    refNs: of("refNs"),
    flushNs: of("flushNs"),
  };
}

/** One way in which the guest may behave; the base is run with every seed, the others once. */
export interface Scenario {
  readonly theta: number;
  readonly footprint: number;
  readonly seed: number;
  readonly isBase: boolean;
  /** Calls that the trace cannot decide are issued too. */
  readonly withPossible: boolean;
}

/** Seeds of the base, then the corners that give low and high; what the user fixed does not vary. */
export function scenariosOf(knobs: RefillKnobs, fixed: ReadonlySet<KnobName>): readonly Scenario[] {
  const { theta, footprint } = knobs;
  const base = { theta, footprint, isBase: true, withPossible: false };
  const scenarios: Scenario[] = [];
  for (let seed = 1; seed <= knobs.seeds; seed += 1) scenarios.push({ ...base, seed });
  const thetas = fixed.has("theta") ? [theta] : [0, 1.2];
  const shares = fixed.has("footprint") ? [footprint] : [0.25, 1];
  for (const corner of thetas) {
    for (const share of shares) {
      if (corner === theta && share === footprint) continue;
      scenarios.push({ ...base, theta: corner, footprint: share, seed: 1, isBase: false });
    }
  }
  scenarios.push({ ...base, seed: 1, isBase: false, withPossible: true });
  return scenarios;
}

/** A hypothesis of the hardware with the policies under it. */
export interface LaneName {
  readonly policy: string;
  readonly hypothesis: Hypothesis;
}
