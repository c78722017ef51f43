import type { AccessSource, GuestStream, PagesInUse } from "./access-source.ts";
import { ACCESS_PATTERNS, type AccessPattern, type GeneratorKnobs } from "./generator-knobs.ts";
import { HotPhases } from "./hot-phases.ts";
import { PageOrder } from "./page-order.ts";
import { ScatteredPages } from "./scattered-pages.ts";
import { geometricScale, SeededRandom } from "./seeded-random.ts";
import { usesPage } from "./vcpu-footprint.ts";
import { ZipfRanks } from "./zipf-ranks.ts";

/** Draws of a page that is not mapped now, before the visit is given up. */
const MOST_DRAWS = 8;
/** Draws of a page that belongs to another vCPU: with 8 vCPUs and nothing common 1 in 8 is one's own. */
const MOST_FOREIGN = 256;

/** What all vCPUs of a VM share: which page has which rank. */
class SharedPopularity {
  readonly scattered: ScatteredPages;
  readonly phases: HotPhases;

  constructor(knobs: GeneratorKnobs, seed: number) {
    // Streams of their own: one more draw for one purpose must not change the others.
    this.scattered = new ScatteredPages(new SeededRandom(seed ^ 0x27d4eb2f));
    this.phases = new HotPhases(this.scattered, knobs, seed ^ 0x5bd1e995);
  }
}

/**
 * Visits of one vCPU to the pages of a footprint, by the knobs. The same seed and the same calls give the
 * same visits.
 */
export class AccessGenerator implements AccessSource {
  readonly draws: number = MOST_DRAWS;
  index = -1;
  isWrite = false;
  left = 0;
  /** How many vCPUs there are by now: others have pages of their own. */
  vcpus = 1;
  readonly #vcpu: number;
  readonly #knobs: GeneratorKnobs;
  readonly #shared: SharedPopularity;
  /** Writes are draws of 32 bits below this. */
  readonly #writeBits: number;
  readonly #random: SeededRandom;
  readonly #ranks: ZipfRanks;
  readonly #order: PageOrder | undefined;
  readonly #runScale: number;
  #used = 0;

  constructor(
    knobs: GeneratorKnobs,
    seed: number,
    pageBytes = 4096,
    shared: SharedPopularity = new SharedPopularity(knobs, seed),
    vcpu = 0,
  ) {
    const pattern = ACCESS_PATTERNS[knobs.pattern]!;
    const isRandom = pattern === "popularity" || pattern === "uniform";
    this.#knobs = knobs;
    this.#shared = shared;
    this.#vcpu = vcpu;
    this.#random = new SeededRandom(seed + Math.imul(vcpu, 0x9e3779b1));
    this.#ranks = new ZipfRanks(pattern === "popularity" ? knobs.theta : 0);
    this.#order = isRandom ? undefined : new PageOrder(pattern, pageBytes);
    this.#runScale = geometricScale(hasRuns(pattern) ? knobs.runLength : 1);
    this.#writeBits = knobs.writeShare * 2 ** 32;
  }

  draw(pages: PagesInUse): void {
    const { length } = pages;
    if (length === 0) return;
    this.#resize(length);
    const random = this.#random;
    this.isWrite = random.bits() < this.#writeBits;
    this.left = random.geometric(this.#runScale);
    const { sharing } = this.#knobs;
    for (let draw = 0; draw < MOST_FOREIGN; draw += 1) {
      this.index = this.#nextPage();
      if (this.vcpus === 1 || usesPage(this.index, this.#vcpu, this.vcpus, sharing)) return;
    }
    // Fixed orders may pass many pages of others; so does a footprint without one of its own.
  }

  #nextPage(): number {
    if (this.#order !== undefined) return this.#order.next(this.#used);
    return this.#shared.scattered.pageAt(this.#ranks.next(this.#random));
  }

  /** Pages that stay keep their popularity. */
  #resize(pages: number): void {
    const { scattered } = this.#shared;
    if (this.#order === undefined && scattered.count !== pages) scattered.resize(pages);
    const used = usedPages(pages, this.#knobs);
    if (used === this.#used) return;
    this.#used = used;
    this.#ranks.resize(used);
  }
}

/** The generated accesses of one VM. */
export class GeneratedStream implements GuestStream {
  readonly #knobs: GeneratorKnobs;
  readonly #seed: number;
  readonly #pageBytes: number;
  readonly #shared: SharedPopularity;
  readonly #vcpus: AccessGenerator[] = [];
  readonly #runLength: number;

  constructor(knobs: GeneratorKnobs, seed: number, pageBytes: number) {
    this.#knobs = knobs;
    this.#seed = seed;
    this.#pageBytes = pageBytes;
    this.#shared = new SharedPopularity(knobs, seed);
    const pattern = ACCESS_PATTERNS[knobs.pattern]!;
    this.#runLength = hasRuns(pattern) ? knobs.runLength : 1;
  }

  accessesPerVisit(): number {
    return this.#runLength;
  }

  due(_vcpu: number, _vcpus: number, fromNs: number, toNs: number): number {
    this.#shared.phases.advanceTo(toNs);
    return ((toNs - fromNs) / 1000) * this.#knobs.visitsPerUs * this.#runLength;
  }

  /** Of all vCPUs together; fixed orders have none. */
  eachRate(pages: PagesInUse, visit: (index: number, rate: number) => void): void {
    const pattern = ACCESS_PATTERNS[this.#knobs.pattern]!;
    if (pattern !== "popularity" && pattern !== "uniform") return;
    const { scattered } = this.#shared;
    if (scattered.count !== pages.length) scattered.resize(pages.length);
    const used = usedPages(pages.length, this.#knobs);
    const shares = zipfShares(used, pattern === "uniform" ? 0 : this.#knobs.theta);
    for (const [rank, share] of shares.entries()) visit(scattered.pageAt(rank), share);
  }

  source(vcpu: number, vcpus: number): AccessSource {
    let generator = this.#vcpus[vcpu];
    if (generator === undefined) {
      generator = new AccessGenerator(this.#knobs, this.#seed, this.#pageBytes, this.#shared, vcpu);
      this.#vcpus[vcpu] = generator;
    }
    generator.vcpus = vcpus;
    return generator;
  }
}

function usedPages(pages: number, knobs: GeneratorKnobs): number {
  return Math.min(pages, Math.max(1, Math.round(pages * knobs.footprint)));
}

/** Popularity of each rank of `count`. */
function zipfShares(count: number, theta: number): Float64Array {
  const weights = Float64Array.from({ length: count }, (_, rank) => (rank + 1) ** -theta);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** A stride has one access to each page. */
function hasRuns(pattern: AccessPattern): boolean {
  return pattern === "popularity" || pattern === "uniform" || pattern === "sequential";
}
