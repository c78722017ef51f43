/** How long the calls of one function took, its own calls included, in ns. */
export interface DurationSummary {
  readonly count: number;
  readonly minNs: number;
  /** Within 1/32 of the true value. */
  readonly medianNs: number;
  /** Within 1/32 of the true value. */
  readonly p95Ns: number;
  readonly maxNs: number;
}

/** Below this, each value has a bucket of its own. */
const EXACT = 32;
/** Buckets of each power of two above it. */
const PER_OCTAVE = 16;
const EXACT_BITS = 5;
const MAX_BITS = 53;
const BUCKETS = EXACT + (MAX_BITS - EXACT_BITS) * PER_OCTAVE;

/** Durations in buckets that grow with the value: 7 KB, however many there are. */
export class DurationHistogram {
  #count = 0;
  #minNs = Number.POSITIVE_INFINITY;
  #maxNs = 0;
  readonly #buckets = new Float64Array(BUCKETS);

  /** @param ns a whole number, not negative, below 2^53. */
  add(ns: number): void {
    this.#count += 1;
    this.#minNs = Math.min(this.#minNs, ns);
    this.#maxNs = Math.max(this.#maxNs, ns);
    this.#buckets[bucketOf(ns)]! += 1;
  }

  /** Adds all that another one holds. */
  absorb(other: DurationHistogram): void {
    this.#count += other.#count;
    this.#minNs = Math.min(this.#minNs, other.#minNs);
    this.#maxNs = Math.max(this.#maxNs, other.#maxNs);
    for (let at = 0; at < BUCKETS; at += 1) this.#buckets[at]! += other.#buckets[at]!;
  }

  get count(): number {
    return this.#count;
  }

  summary(): DurationSummary {
    return {
      count: this.#count,
      minNs: this.#minNs,
      medianNs: this.#quantile(0.5),
      p95Ns: this.#quantile(0.95),
      maxNs: this.#maxNs,
    };
  }

  /** The smallest value that at least this share of all does not exceed. */
  #quantile(share: number): number {
    const wanted = Math.ceil(this.#count * share);
    let seen = 0;
    let bucket = 0;
    while (bucket < BUCKETS - 1 && seen + this.#buckets[bucket]! < wanted) {
      seen += this.#buckets[bucket]!;
      bucket += 1;
    }
    return Math.min(this.#maxNs, Math.max(this.#minNs, middleOf(bucket)));
  }
}

function bucketOf(ns: number): number {
  if (ns < EXACT) return ns;
  const octave = Math.floor(Math.log2(ns));
  const step = 2 ** (octave - 4);
  return EXACT + (octave - EXACT_BITS) * PER_OCTAVE + Math.floor(ns / step) - PER_OCTAVE;
}

function middleOf(bucket: number): number {
  if (bucket < EXACT) return bucket;
  const octave = Math.floor((bucket - EXACT) / PER_OCTAVE) + EXACT_BITS;
  const step = 2 ** (octave - 4);
  return (((bucket - EXACT) % PER_OCTAVE) + PER_OCTAVE) * step + Math.floor((step - 1) / 2);
}
