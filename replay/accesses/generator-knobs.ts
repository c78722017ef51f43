/** Orders in which the generator visits pages; the knob `pattern` is an index into them. */
export const ACCESS_PATTERNS = [
  "popularity",
  "uniform",
  "sequential",
  "stride-4k",
  "stride-2m",
  "backwards-512",
] as const;
export type AccessPattern = (typeof ACCESS_PATTERNS)[number];

/** A number that a modelled guest is assumed to have. */
export interface KnobSpec {
  readonly default: number;
  /** Ends of the range that is believable, over which low and high are taken; absent: not varied. */
  readonly low?: number;
  readonly high?: number;
  /** Low and high that are shown beside it where nobody sets it. */
  readonly range?: readonly [low: number, high: number];
  /** What is taken at all. */
  readonly least: number;
  readonly most: number;
  readonly isWhole: boolean;
  /** Where the number stands for a name: the names, from 0 on. */
  readonly names?: readonly string[];
  readonly unit: string;
  readonly meaning: string;
  /** Why this default. */
  readonly reason: string;
}

/** What the generator assumes (assumptions, never measurements). */
export interface GeneratorKnobs {
  /** Index into ACCESS_PATTERNS. */
  readonly pattern: number;
  readonly theta: number;
  readonly footprint: number;
  readonly runLength: number;
  readonly visitsPerUs: number;
  readonly writeShare: number;
  readonly sharing: number;
  readonly hotShare: number;
  readonly movedShare: number;
  readonly phaseMs: number;
}

export const GENERATOR_KNOBS: Readonly<Record<keyof GeneratorKnobs, KnobSpec>> = {
  pattern: {
    default: 0,
    least: 0,
    most: ACCESS_PATTERNS.length - 1,
    isWhole: true,
    names: ACCESS_PATTERNS,
    unit: "",
    meaning:
      "order of the pages: by popularity, or fixed; backwards-512: for each new page the 512 up to it, last first",
    reason: "a guest with favourites; the others are corner cases",
  },
  theta: {
    default: 0.99,
    low: 0,
    high: 1.2,
    least: 0,
    most: 3,
    isWhole: false,
    unit: "",
    meaning: "skew of the page popularity (zipf), 0 is uniform",
    reason: "YCSB's default; low and high are taken over 0 and 1.2",
  },
  footprint: {
    default: 1,
    low: 0.25,
    high: 1,
    least: 0.01,
    most: 1,
    isWhole: false,
    unit: "",
    meaning: "part of the pages mapped in the trace that the guest uses",
    reason: "the trace shows no less; low and high are taken over 0.25 too",
  },
  runLength: {
    default: 8,
    low: 1,
    high: 64,
    least: 1,
    most: 1e6,
    isWhole: false,
    unit: "accesses",
    meaning: "mean of the accesses to a page in a row (geometric), which a flush may cut",
    reason: "a page of 4 KiB has 64 cache lines",
  },
  visitsPerUs: {
    default: 125,
    low: 10,
    high: 300,
    least: 0.001,
    most: 10_000,
    isWhole: false,
    unit: "page visits per µs in the guest",
    meaning: "rate of page visits of a vCPU",
    reason:
      "3 GHz, 1 instruction a cycle, a third of them on memory, 8 on a page in a row; no more than 300 can miss with 4 walks of 13 ns at a time",
  },
  writeShare: {
    default: 0.3,
    low: 0.1,
    high: 0.5,
    least: 0,
    most: 1,
    isWhole: false,
    unit: "",
    meaning: "part of the visits that write",
    reason: "only writes meet write-protection",
  },
  sharing: {
    default: 0.5,
    low: 0,
    high: 1,
    least: 0,
    most: 1,
    isWhole: false,
    unit: "",
    meaning: "part of the pages that all vCPUs of a VM use; the others belong to one each",
    reason: "decides what a broadcast costs the vCPUs that did not cause it",
  },
  hotShare: {
    default: 0.1,
    least: 0,
    most: 1,
    isWhole: false,
    unit: "",
    meaning: "part of the pages, the most popular ones, of which a phase moves some",
    reason: "with theta 0.99 they take most of the accesses",
  },
  movedShare: {
    default: 0.1,
    low: 0,
    high: 0.1,
    least: 0,
    most: 1,
    isWhole: false,
    unit: "",
    meaning: "part of the hot pages that change places at the end of a phase; 0: no phases",
    reason: "programs go through phases (Denning)",
  },
  phaseMs: {
    default: 1000,
    low: 1000,
    high: 100,
    least: 0.001,
    most: 1e9,
    isWhole: false,
    unit: "ms",
    meaning: "length of a phase",
    reason: "from no phases to ten a second",
  },
};
