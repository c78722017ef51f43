import { ScatteredPages } from "../accesses/scattered-pages.ts";
import { SeededRandom } from "../accesses/seeded-random.ts";
import { ZipfRanks } from "../accesses/zipf-ranks.ts";
import { type Access, Found } from "../tlb/access.ts";
import { PageKeys } from "../tlb/page-keys.ts";
import { ModelledPe } from "../tlb/pe.ts";
import type { TlbShape, WalkGeometry } from "../tlb/shape.ts";
import type { X86Bracket } from "./bracket.ts";
import { spanOf } from "./spte.ts";

/** A guest of 48 bits of VA, and nested tables of so many levels: 4 KiB granules on both sides. */
const WALK: WalkGeometry = { spanShift: 9, stage1Levels: 4, stage2Levels: 4 };
const SEED = 1;
/** YCSB's default skew, as the accesses of stage 2 have it. */
const SKEW = 0.99;
const VM = 0;
/** More leaves than this are left out, and said to be. */
const MAX_LEAVES = 2 ** 21;
/** Uses of the TLB after each operation that some policy flushes for. */
export const VISITS = 4096;

/** Refills of one policy: what its flushes made miss that would have hit had only the changed leaves gone. */
export interface X86Refills {
  readonly refills: number;
  /** Further memory references of its walks. */
  readonly references: number;
}

export interface X86RefillResult {
  readonly tlb: string;
  readonly byPolicy: readonly X86Refills[];
  /** Operations that some policy flushed for, each followed by VISITS uses. */
  readonly episodes: number;
  readonly leavesLeftOut: number;
}

/**
 * One modelled TLB for each policy, and one that loses just what changed. Entries are combined ones of both
 * stages; a flush drops all of the VM's, by range or not, as x86 has no flush of one stage. After each operation
 * that any policy flushes for, all see the same uses of the leaves that are mapped: so flushes in a row cost
 * their refills once, and the result is what each policy's flushes cost a guest that runs on.
 */
export class X86RefillModel {
  readonly #tlb: string;
  readonly #pes: readonly ModelledPe[];
  readonly #exact: ModelledPe;
  readonly #misses: Float64Array;
  #exactMisses = 0;
  readonly #random = new SeededRandom(SEED);
  readonly #ranks = new ZipfRanks(SKEW);
  /** Popular leaves lie anywhere. */
  readonly #scattered = new ScatteredPages(new SeededRandom(SEED));
  /** Mapped leaves, and where each stands in the list. */
  readonly #leaves: number[] = [];
  readonly #levels: number[] = [];
  readonly #places = new Map<number, number>();
  #leftOut = 0;
  #episodes = 0;
  readonly #use: Access = {
    vm: VM,
    ipaSpace: 0,
    vaSpace: 0,
    vaPage: 0,
    ipaPage: 0,
    stage1Class: 0,
    stage2Class: 0,
    tableClass: 0,
  };

  constructor(tlb: string, shape: TlbShape, policies: number) {
    this.#tlb = tlb;
    // Nested translations live in the same entries: nothing survives a flush of the VM.
    const pe = (): ModelledPe => new ModelledPe(shape, WALK, "combined", new PageKeys(), 1);
    this.#pes = Array.from({ length: policies }, pe);
    this.#exact = pe();
    this.#misses = new Float64Array(policies);
  }

  leafMapped(gfn: number, level: number): void {
    const key = keyOf(gfn, level);
    if (this.#places.has(key)) return;
    if (this.#leaves.length >= MAX_LEAVES) {
      this.#leftOut += 1;
      return;
    }
    this.#places.set(key, this.#leaves.length);
    this.#leaves.push(gfn);
    this.#levels.push(level);
  }

  leafGone(gfn: number, level: number): void {
    this.#exact.dropLeaves(VM, 0, gfn, spanOf(level), level - 1);
    const key = keyOf(gfn, level);
    const at = this.#places.get(key);
    if (at === undefined) return;
    const lastGfn = this.#leaves.pop()!;
    const lastLevel = this.#levels.pop()!;
    this.#places.delete(key);
    if (at === this.#leaves.length) return;
    this.#leaves[at] = lastGfn;
    this.#levels[at] = lastLevel;
    this.#places.set(keyOf(lastGfn, lastLevel), at);
  }

  /** A huge leaf became a table of smaller ones. */
  leafSplit(gfn: number, level: number): void {
    this.leafGone(gfn, level);
    for (let i = 0; i < 512; i += 1) this.leafMapped(gfn + i * spanOf(level - 1), level - 1);
  }

  settled(bracket: X86Bracket): void {
    let isFlushed = false;
    for (const [i, pe] of this.#pes.entries()) {
      if (bracket.books[i]!.queue.length === 0 && !bracket.rootsInvalidated) continue;
      isFlushed = true;
      pe.flushBothStages(VM);
    }
    // New roots begin with nothing cached, whoever flushes.
    if (bracket.rootsInvalidated) this.#exact.flushBothStages(VM);
    if (isFlushed) this.#run();
  }

  finish(): X86RefillResult {
    const byPolicy = this.#pes.map((pe, i) => ({
      refills: this.#misses[i]! - this.#exactMisses,
      references: pe.walkReferences - this.#exact.walkReferences,
    }));
    const leavesLeftOut = this.#leftOut;
    return { tlb: this.#tlb, byPolicy, episodes: this.#episodes, leavesLeftOut };
  }

  #run(): void {
    this.#episodes += 1;
    const leaves = this.#leaves.length;
    if (leaves === 0) return;
    this.#scattered.resize(leaves);
    this.#ranks.resize(leaves);
    const use = this.#use;
    for (let visit = 0; visit < VISITS; visit += 1) {
      const at = this.#scattered.pageAt(this.#ranks.next(this.#random));
      use.vaPage = this.#leaves[at]!;
      use.ipaPage = use.vaPage;
      use.stage2Class = Math.min(this.#levels[at]! - 1, 2);
      use.stage1Class = use.stage2Class;
      if (this.#exact.access(use) === Found.nowhere) this.#exactMisses += 1;
      for (const [i, pe] of this.#pes.entries()) {
        if (pe.access(use) === Found.nowhere) this.#misses[i]! += 1;
      }
    }
  }
}

function keyOf(gfn: number, level: number): number {
  return gfn * 8 + level;
}
