import {
  GENERATOR_KNOBS,
  type GeneratorKnobs,
  type KnobSpec,
} from "../../accesses/generator-knobs.ts";
import type { Hypothesis } from "../shape.ts";

/** What the modelled guest does and how much of it is simulated: assumptions, each with its reason. */
export interface RefillKnobs extends GeneratorKnobs {
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

export const KNOBS: Readonly<Record<KnobName, KnobSpec>> = {
  ...GENERATOR_KNOBS,
  stage1Class: {
    default: 0,
    low: 0,
    high: 1,
    least: 0,
    most: 2,
    isWhole: true,
    unit: "",
    meaning: "the guest's own mappings: 0 pages, 1 blocks of level 2, 2 blocks of level 1",
    reason: "pages: a guest's user memory; 1 shows what splitting costs in reach",
  },
  capVisits: {
    default: 4096,
    high: 32_768,
    least: 1,
    most: 10_000_000,
    isWhole: true,
    unit: "page visits",
    meaning: "visits simulated on a PE after a flush, behind which its TLB counts as warm",
    reason:
      "three times the entries of a TLB of 1280; the high end is taken over eight times as many",
  },
  episodes: {
    default: 64,
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

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets which keys there are
export const KNOB_NAMES = Object.keys(KNOBS) as readonly KnobName[];

export function defaultKnobs(): RefillKnobs {
  return knobsOf(new Map());
}

/** The defaults with some values replaced. */
export function knobsOf(given: ReadonlyMap<KnobName, number>): RefillKnobs {
  const values = KNOB_NAMES.map((name) => [name, given.get(name) ?? KNOBS[name].default]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every name has been given its value
  return Object.fromEntries(values) as RefillKnobs;
}

/** A hypothesis of the hardware with the policies under it. */
export interface LaneName {
  readonly policy: string;
  readonly hypothesis: Hypothesis;
}
