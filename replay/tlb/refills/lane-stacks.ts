import { Primitive } from "../../tlbi/primitives.ts";
import { AllSizes } from "../all-sizes.ts";
import { AllWays } from "../all-ways.ts";
import { leafMatcher } from "../leaf-keys.ts";
import { type PageKeys, REGION_PAGES } from "../page-keys.ts";

/** Which sizes the curves have. */
export interface CurveSpec {
  /** Fully associative arrays of 1…maxSize entries. */
  readonly maxSize: number;
  /** Arrays of so many sets and 1…maxWays ways. */
  readonly sets: number;
  readonly maxWays: number;
}

/** Beyond so many keys one scan is cheaper than to look each of them up. */
const MOST_PROBES = 4096;

/** LRU arrays of combined entries of every size, of all PEs, under the flushes of one lane. */
export class LaneStacks {
  /** The least entries, and the fewest ways, that held the last access; 0: none. */
  sizeDepth = 0;
  wayDepth = 0;
  readonly #spec: CurveSpec;
  readonly #keys: PageKeys;
  readonly #spanShift: number;
  readonly #vms: number;
  readonly #emptiesAll: boolean;
  readonly #sizes: (AllSizes | undefined)[] = [];
  readonly #ways: (AllWays | undefined)[] = [];

  /** @param emptiesAll a flush of one VM empties the array of every VM's entries. */
  constructor(
    spec: CurveSpec,
    keys: PageKeys,
    spanShift: number,
    vms: number,
    emptiesAll: boolean,
  ) {
    this.#spec = spec;
    this.#keys = keys;
    this.#spanShift = spanShift;
    this.#vms = vms;
    this.#emptiesAll = emptiesAll;
  }

  access(slot: number, key: number, vm: number): void {
    const { maxSize, sets, maxWays } = this.#spec;
    this.sizeDepth = (this.#sizes[slot] ??= new AllSizes(maxSize, this.#vms)).access(key, vm);
    this.wayDepth = (this.#ways[slot] ??= new AllWays(sets, maxWays, this.#vms)).access(key, vm);
  }

  /** Every primitive takes all combined entries of its VM, `ALL` those of every VM. */
  flush(primitive: number, vm: number, slot: number): void {
    const isLocal = primitive === Primitive.IPA_LOCAL || primitive === Primitive.CPU;
    const ofEveryVm = primitive === Primitive.ALL || this.#emptiesAll;
    for (const [at, sizes] of this.#sizes.entries()) {
      if (sizes === undefined || (isLocal && at !== slot)) continue;
      const ways = this.#ways[at]!;
      if (ofEveryVm) {
        sizes.flushAll();
        ways.flushAll();
      } else {
        sizes.flushVm(vm);
        ways.flushVm(vm);
      }
    }
  }

  forgetVm(vm: number): void {
    for (const sizes of this.#sizes) sizes?.flushVm(vm);
    for (const ways of this.#ways) ways?.flushVm(vm);
  }

  /** Drops what was cut from these leaves, on all PEs or on one. */
  drop(space: number, page: number, lenPages: number, leafClass: number, only?: number): void {
    for (const [slot, sizes] of this.#sizes.entries()) {
      if (sizes === undefined || (only !== undefined && slot !== only)) continue;
      const ways = this.#ways[slot]!;
      if (lenPages > MOST_PROBES) {
        const leaves = { space, page, lenPages, leafClass };
        const covers = leafMatcher(this.#keys, leaves, (size) => 2 ** (size * this.#spanShift));
        sizes.dropWhere(covers);
        ways.dropWhere(covers);
        continue;
      }
      for (let size = 0; size <= leafClass; size += 1) {
        this.#dropClass(sizes, ways, space, size, page, lenPages);
      }
    }
  }

  #dropClass(
    sizes: AllSizes,
    ways: AllWays,
    space: number,
    size: number,
    page: number,
    lenPages: number,
  ): void {
    const span = 2 ** (size * this.#spanShift);
    const last = Math.floor((page + lenPages - 1) / span);
    for (let unit = Math.floor(page / span); unit <= last; ) {
      const count = Math.min(last - unit + 1, REGION_PAGES - (unit % REGION_PAGES));
      const key = this.#keys.knownKeyOf(space, size, unit);
      if (key >= 0) {
        sizes.dropRange(key, count);
        ways.dropRange(key, count);
      }
      unit += count;
    }
  }
}
