import { makeArray } from "./make-array.ts";
import type { TlbShape } from "./shape.ts";
import type { TlbArray } from "./tlb-array.ts";

/**
 * The first level of one PE: its data side, and its instruction side, which exists from the first fetch
 * on. A stream without instruction fetches leaves it unused.
 */
export class FirstLevels {
  readonly data: TlbArray;
  #instruction: TlbArray | undefined;
  readonly #shape: TlbShape;
  readonly #vms: number;

  constructor(shape: TlbShape, vms: number) {
    const { firstLevelEntries, firstLevelSets: sets = 1, firstLevelReplacement } = shape;
    const replacement = firstLevelReplacement ?? "lru";
    this.#shape = shape;
    this.#vms = vms;
    this.data = makeArray({ sets, ways: firstLevelEntries / sets, replacement }, vms);
  }

  /** The array that a fetch looks into. */
  get instruction(): TlbArray {
    if (this.#instruction !== undefined) return this.#instruction;
    const { firstLevelEntries, firstLevelSets: sets = 1, firstLevelInstruction } = this.#shape;
    const like = firstLevelInstruction ?? { sets, ways: firstLevelEntries / sets };
    this.#instruction = makeArray(like, this.#vms);
    return this.#instruction;
  }

  has(key: number): boolean {
    return this.data.has(key) || this.#instruction?.has(key) === true;
  }

  flushVm(vm: number): number {
    return this.data.flushVm(vm) + (this.#instruction?.flushVm(vm) ?? 0);
  }

  flushAll(): number {
    return this.data.flushAll() + (this.#instruction?.flushAll() ?? 0);
  }

  dropWhere(matches: (key: number) => boolean): number {
    return this.data.dropWhere(matches) + (this.#instruction?.dropWhere(matches) ?? 0);
  }

  liveOf(vm: number): number {
    return this.data.liveOf(vm) + (this.#instruction?.liveOf(vm) ?? 0);
  }
}
