import { EntryKind } from "../../stage2/entry-store.ts";
import { LAST_LEVEL } from "../../stage2/geometry.ts";
import { type Characteristic, characteristicOf, refillsWithin } from "../closed-form.ts";
import type { Guest } from "./guest.ts";
import type { RefillModelConfig } from "./model-config.ts";

/** Intervals are gathered by their length in powers of two, each with its mean. */
const BUCKETS = 64;
/** After so many times as many intervals the rates are learned anew. */
const RELEARN = 4;

/** What is known of one guest at one time. */
interface Known {
  readonly rates: Float64Array;
  readonly characteristic: Characteristic;
}

/** Intervals of one guest that wait for the formula: by policy and bucket. */
interface Gathered {
  intervals: number;
  relearnAt: number;
  known: Known | undefined;
  readonly count: Float64Array;
  readonly visits: Float64Array;
}

/**
 * The closed form beside the simulation: refills of each policy as Σ over its flushes of
 * `refillsWithin(visits until the next)`, from the generator's rates, the second level's entries and the
 * time that the trace shows guests running between flushes. Neither the simulation's levels, sets and
 * walks nor its sampling of episodes are in it.
 */
export class FlushIntervals {
  /** By policy. */
  readonly refills: Float64Array;
  readonly intervals: Float64Array;
  /** Second-level entries that the formula speaks of. */
  readonly entries: number;
  /** Most translations that any guest's rates were learned of. */
  translations = 0;
  readonly #config: RefillModelConfig;
  readonly #policies: number;
  readonly #of = new Map<Guest, Gathered>();

  constructor(config: RefillModelConfig) {
    const { sets, ways } = config.shape.secondLevel;
    this.#config = config;
    this.#policies = config.encodings.length;
    this.entries = sets * ways;
    this.refills = new Float64Array(this.#policies);
    this.intervals = new Float64Array(this.#policies);
  }

  /** `count` times a guest ran for `ns` on a PE between two flushes of a policy. */
  add(guest: Guest, policy: number, ns: number, count: number): void {
    const { visitsPerUs, capVisits } = this.#config.knobs;
    const visits = Math.min((ns / 1000) * visitsPerUs, capVisits);
    if (!(visits > 0)) return;
    const gathered = this.#gatheredOf(guest);
    if (gathered.intervals >= gathered.relearnAt) this.#learn(guest, gathered);
    gathered.intervals += 1;
    const at = policy * BUCKETS + Math.min(BUCKETS - 1, Math.max(0, Math.ceil(Math.log2(visits))));
    gathered.count[at]! += count;
    gathered.visits[at]! += count * visits;
    this.intervals[policy]! += count;
  }

  /** The guest is gone, or the trace over. */
  finish(guest: Guest): void {
    const gathered = this.#of.get(guest);
    if (gathered === undefined) return;
    if (gathered.known === undefined) this.#learn(guest, gathered);
    this.#settle(gathered);
    this.#of.delete(guest);
  }

  #gatheredOf(guest: Guest): Gathered {
    const known = this.#of.get(guest);
    if (known !== undefined) return known;
    const made = {
      intervals: 0,
      relearnAt: 1,
      known: undefined,
      count: new Float64Array(this.#policies * BUCKETS),
      visits: new Float64Array(this.#policies * BUCKETS),
    };
    this.#of.set(guest, made);
    return made;
  }

  #learn(guest: Guest, gathered: Gathered): void {
    const rates = ratesOf(guest, this.#config);
    if (rates.length === 0) return;
    // What came before is priced by what was known then, the first of it by what is known now.
    if (gathered.known !== undefined) this.#settle(gathered);
    gathered.relearnAt = Math.max(1, gathered.intervals) * RELEARN;
    gathered.known = { rates, characteristic: characteristicOf(rates, this.entries) };
    this.translations = Math.max(this.translations, rates.length);
  }

  #settle({ known, count, visits }: Gathered): void {
    if (known === undefined) return;
    for (const [at, intervals] of count.entries()) {
      if (intervals === 0) continue;
      const mean = visits[at]! / intervals;
      const refills = refillsWithin(known.rates, this.entries, mean, known.characteristic);
      this.refills[Math.floor(at / BUCKETS)]! += intervals * refills;
    }
    count.fill(0);
    visits.fill(0);
  }
}

/** Share of the visits that each translation of the second level gets, of what is mapped now. */
function ratesOf(guest: Guest, { knobs, shape, geometry }: RefillModelConfig): Float64Array {
  const spanShift = geometry.pageShift - 3;
  const shares = new Map<number, number>();
  let total = 0;
  guest.stream?.eachRate?.(guest.footprint, (index, rate) => {
    const page = guest.footprint.pages[index]!;
    const found = guest.context.table.lookup(page);
    if (found.kind !== EntryKind.leaf && found.kind !== EntryKind.unknown) return;
    const leafClass = found.kind === EntryKind.leaf ? LAST_LEVEL - found.level : 0;
    const size = Math.min(leafClass, knobs.stage1Class);
    const span = size === 0 ? shape.coalescedPages : 2 ** (size * spanShift);
    const key = Math.floor(page / span) * 4 + size;
    shares.set(key, (shares.get(key) ?? 0) + rate);
    total += rate;
  });
  return Float64Array.from(shares.values(), (share) => share / total);
}
