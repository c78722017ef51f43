/** Orders in which the generator visits pages. */
export const ACCESS_PATTERNS = [
  "popularity",
  "uniform",
  "sequential",
  "stride-4k",
  "stride-2m",
  "backwards-512",
] as const;
export type AccessPattern = (typeof ACCESS_PATTERNS)[number];

/** A number that the generator assumes. */
export interface GeneratorKnob {
  readonly unit: string;
  /** Range that is believable; `base` is what is taken where nothing is said. */
  readonly low: number;
  readonly base: number;
  readonly high: number;
  readonly meaning: string;
  readonly reason: string;
}

export type KnobName =
  | "theta"
  | "footprintShare"
  | "runLength"
  | "visitsPerUs"
  | "writeShare"
  | "sharing"
  | "hotShare"
  | "movedShare"
  | "phaseMs";

/**
 * Everything that the generator assumes (tlb-model §4.4): assumptions, never measurements. `low` and `high`
 * are the ends of the bracket that is printed.
 */
export const GENERATOR_KNOBS: Readonly<Record<KnobName, GeneratorKnob>> = {
  theta: {
    unit: "exponent",
    low: 0,
    base: 0.99,
    high: 1.2,
    meaning: "popularity of the page of rank r is r^−theta, ranks scattered over the footprint",
    reason: "0.99 is YCSB's default skew; 0…1.2 brackets the refills of a flush",
  },
  footprintShare: {
    unit: "share of the pages mapped in the trace",
    low: 0.25,
    base: 1,
    high: 1,
    meaning: "how much of what the trace shows mapped the guest still uses",
    reason: "the footprint comes from the trace; a guest may have stopped using a part of it",
  },
  runLength: {
    unit: "accesses, mean of a geometric distribution",
    low: 1,
    base: 8,
    high: 64,
    meaning: "accesses to a page before the next page",
    reason: "a page of 4 KiB has 64 cache lines",
  },
  visitsPerUs: {
    unit: "page visits per µs of a vCPU in the guest",
    low: 10,
    base: 125,
    high: 1000,
    meaning: "how fast a vCPU goes from page to page",
    reason: "about 1 instruction a cycle at 3 GHz, a third of them accesses, in runs of 8",
  },
  writeShare: {
    unit: "share of page visits",
    low: 0.1,
    base: 0.3,
    high: 0.5,
    meaning: "visits that write",
    reason: "only writes meet write protection",
  },
  sharing: {
    unit: "share of the pages",
    low: 0,
    base: 0.5,
    high: 1,
    meaning: "pages that all vCPUs use; the others belong to one each",
    reason: "decides what a broadcast costs the vCPUs that did not cause it",
  },
  hotShare: {
    unit: "share of the pages",
    low: 0.1,
    base: 0.1,
    high: 0.1,
    meaning: "the most popular pages, of which a phase moves some",
    reason: "with theta 0.99 they take most of the accesses; not varied",
  },
  movedShare: {
    unit: "share of the hot pages",
    low: 0,
    base: 0.1,
    high: 0.1,
    meaning: "hot pages that change places with any others at the end of a phase; 0: no phases",
    reason: "programs go through phases (Denning)",
  },
  phaseMs: {
    unit: "ms",
    low: 1000,
    base: 1000,
    high: 100,
    meaning: "length of a phase",
    reason: "from no phases to ten a second",
  },
};

export type KnobValues = { readonly [Name in KnobName]: number };

/** Largest value that means anything, per knob; the smallest is 0. */
const LIMITS: KnobValues = {
  theta: 5,
  footprintShare: 1,
  runLength: 1e6,
  visitsPerUs: 1e6,
  writeShare: 1,
  sharing: 1,
  hotShare: 1,
  movedShare: 1,
  phaseMs: 1e9,
};

/**
 * Values of one end of the bracket, with some of one's own.
 * @throws RangeError for a value that means nothing.
 */
export function knobValues(
  level: "low" | "base" | "high" = "base",
  own: Partial<KnobValues> = {},
): KnobValues {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Object.keys forgets which keys there are
  const names = Object.keys(GENERATOR_KNOBS) as readonly KnobName[];
  const values = Object.fromEntries(
    names.map((name) => [name, own[name] ?? GENERATOR_KNOBS[name][level]]),
  );
  for (const name of names) {
    const value = values[name]!;
    const least = name === "runLength" ? 1 : 0;
    const isZero = value === 0 && (name === "phaseMs" || name === "visitsPerUs");
    if (!(value >= least && value <= LIMITS[name]) || isZero) {
      throw new RangeError(`${name} ${value} is not within ${least}…${LIMITS[name]}`);
    }
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every name has been given its value
  return values as KnobValues;
}
