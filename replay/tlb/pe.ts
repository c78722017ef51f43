import { type Access, Found } from "./access.ts";
import { FirstLevels } from "./first-levels.ts";
import { GROUP, leafMatcher, TABLES } from "./leaf-keys.ts";
import { makeArray } from "./make-array.ts";
import { type PageKeys, REGION_PAGES } from "./page-keys.ts";
import type { ArrayShape, Hypothesis, TlbShape, WalkGeometry } from "./shape.ts";
import { StaleEntries, type StaleMark, type StaleOrigin } from "./stale-entries.ts";
import type { TlbArray } from "./tlb-array.ts";

/** Above this many regions of keys, one scan that looks at what each key stands for is cheaper. */
const MOST_REGIONS = 8;
/** Pages, and what a table of each level covers. */
const UNIT_CLASSES = 8;
/** The guest's page tables stand where no RAM is: a pseudo IPA above 2^38 pages, by level and VA. */
const TABLE_IPA = 2 ** 38;

export { type Access, Found } from "./access.ts";

/** The TLBs of one PE. */
export class ModelledPe {
  /** Memory references of all walks so far. */
  walkReferences = 0;
  /** Entries that a policy should have invalidated and did not. */
  readonly stale: StaleEntries = new StaleEntries();
  /** Stage-2-only keys that the last access looked for in vain. */
  readonly missedStage2: Int32Array = new Int32Array(8);
  missedStage2Count = 0;
  readonly #keys: PageKeys;
  readonly #geometry: WalkGeometry;
  /** By class: 1 / pages of a unit, a power of two and so exact. */
  readonly #unitsPerPage: Float64Array;
  readonly #overInvalidates: boolean;
  readonly #groupPages: number;
  readonly #stage2OnlyFrom: number;
  readonly #first: FirstLevels;
  readonly #second: TlbArray;
  readonly #stage2: TlbArray;
  readonly #stage1Walk: TlbArray;
  readonly #stage2Walk: TlbArray;
  /** The stale stage-2-only entry that the walk under way used. */
  #walkedStale: StaleMark | undefined;

  constructor(
    shape: TlbShape,
    geometry: WalkGeometry,
    hypothesis: Hypothesis,
    keys: PageKeys,
    vms: number,
  ) {
    const array = (one: ArrayShape): TlbArray => makeArray(one, vms);
    this.#keys = keys;
    this.#geometry = geometry;
    this.#unitsPerPage = Float64Array.from(
      { length: UNIT_CLASSES },
      (_, unitClass) => 2 ** -(unitClass * geometry.spanShift),
    );
    this.#overInvalidates = hypothesis === "over-invalidating";
    this.#groupPages = shape.coalescedPages;
    this.#stage2OnlyFrom = hypothesis === "minimum" ? 0 : shape.stage2OnlyFrom;
    this.#first = new FirstLevels(shape, vms);
    this.#second = array(shape.secondLevel);
    this.#stage2 = array(shape.stage2Only);
    this.#stage1Walk = array(shape.stage1Walk);
    this.#stage2Walk = array(shape.stage2Walk);
  }

  /** Uses a translation, which a miss brings in; one of `Found`. */
  access(use: Access): number {
    const { vm } = use;
    const entryClass = Math.min(use.stage1Class, use.stage2Class);
    const page = this.#unit(use.vaPage, entryClass);
    const key = this.#keys.keyOf(use.vaSpace, entryClass, page);
    this.missedStage2Count = 0;
    const first = use.isFetch === true ? this.#first.instruction : this.#first.data;
    if (first.touch(key)) {
      if (!this.stale.isEmpty) this.stale.usedCombined(key, use.isWrite === true);
      return Found.first;
    }
    const secondKey =
      entryClass === 0 && this.#groupPages > 1
        ? this.#keys.keyOf(use.vaSpace, GROUP, Math.floor(page / this.#groupPages))
        : key;
    let found: number = Found.second;
    this.#walkedStale = undefined;
    if (!this.#second.touch(secondKey)) {
      found = Found.nowhere;
      this.#walk(use);
      this.#second.fill(secondKey, vm);
    }
    first.fill(key, vm);
    if (!this.stale.isEmpty) this.#carryStale(use, key, secondKey, found);
    return found;
  }

  /** `vmalls12e1`: everything of a VM. */
  flushBothStages(vm: number): number {
    return this.flushStage1(vm) + this.#stage2.flushVm(vm) + this.#stage2Walk.flushVm(vm);
  }

  /** `vmalle1`: everything of a VM that holds stage-1 information, combined entries among it. */
  flushStage1(vm: number): number {
    const ofFirst = this.#overInvalidates ? this.#first.flushAll() : this.#first.flushVm(vm);
    return ofFirst + this.#second.flushVm(vm) + this.#stage1Walk.flushVm(vm);
  }

  /** `ipas2e1`, `ripas2e1`: what holds only stage 2 of these IPAs, at any level. */
  flushStage2(vm: number, ipaSpace: number, ipaPage: number, lenPages: number): number {
    if (this.#overInvalidates) {
      return this.#first.flushAll() + this.#stage2.flushVm(vm) + this.#stage2Walk.flushVm(vm);
    }
    let dropped = 0;
    for (let leaf = this.#stage2OnlyFrom; leaf <= 2; leaf += 1) {
      dropped += this.#dropRange(this.#stage2, vm, ipaSpace, leaf, leaf, ipaPage, lenPages);
    }
    for (let entries = 0; entries < this.#geometry.stage2Levels - 1; entries += 1) {
      const unit = entries + 1;
      const kind = TABLES + entries;
      dropped += this.#dropRange(this.#stage2Walk, vm, ipaSpace, kind, unit, ipaPage, lenPages);
    }
    return dropped;
  }

  /** `alle1`: everything of every VM. */
  flushEverything(): number {
    return (
      this.#first.flushAll() +
      this.#second.flushAll() +
      this.#stage2.flushAll() +
      this.#stage1Walk.flushAll() +
      this.#stage2Walk.flushAll()
    );
  }

  /** Whether a stage-2-only entry is there, without counting a use. */
  holdsStage2(key: number): boolean {
    return this.#stage2.has(key);
  }

  /** What hardware that knew exactly which leaves changed would drop; VA and IPA spaces are the same. */
  dropLeaves(vm: number, space: number, page: number, lenPages: number, leafClass: number): void {
    this.#eachOfLeaves(vm, space, page, lenPages, leafClass, undefined);
  }

  /** Marks what is still cached of these leaves as stale; VA and IPA spaces are taken to be the same. */
  markStale(
    vm: number,
    space: number,
    page: number,
    lenPages: number,
    leafClass: number,
    writesOnly: boolean,
    origin?: StaleOrigin,
  ): void {
    this.#eachOfLeaves(vm, space, page, lenPages, leafClass, { writesOnly, origin });
  }

  /** To be called behind flushes while something is stale: what is gone cannot be hit. */
  pruneStale(): void {
    if (this.stale.isEmpty) return;
    this.stale.keep(
      (key) => this.#first.has(key) || this.#second.has(key),
      (key) => this.#stage2.has(key),
    );
  }

  /** Drops (`mark` undefined) or marks the entries of these leaves, of every size cut from them. */
  #eachOfLeaves(
    vm: number,
    space: number,
    page: number,
    lenPages: number,
    leafClass: number,
    mark: StaleMark | undefined,
  ): void {
    const covers = leafMatcher(this.#keys, { space, page, lenPages, leafClass }, (size) =>
      size === GROUP ? this.#groupPages : 2 ** (size * this.#geometry.spanShift),
    );
    const combined = (key: number): boolean => {
      if (!covers(key)) return false;
      if (mark === undefined) return true;
      this.stale.addCombined(key, mark.writesOnly, mark.origin);
      return false;
    };
    if (this.#first.liveOf(vm) > 0) this.#first.dropWhere(combined);
    if (this.#second.liveOf(vm) > 0) this.#second.dropWhere(combined);
    if (this.#stage2.liveOf(vm) === 0) return;
    this.#stage2.dropWhere((key) => {
      if (!covers(key)) return false;
      if (mark === undefined) return true;
      this.stale.addStage2(key, mark.writesOnly, mark.origin);
      return false;
    });
  }

  /** What a stale entry brought in is stale, and what a walk brought in anew is not. */
  #carryStale(use: Access, key: number, secondKey: number, found: number): void {
    const { stale } = this;
    const isWrite = use.isWrite === true;
    if (found === Found.second) {
      const mark = stale.combinedMark(secondKey);
      if (mark === undefined) stale.freshCombined(key);
      else stale.addCombined(key, mark.writesOnly, mark.origin);
      stale.usedCombined(secondKey, isWrite);
      return;
    }
    stale.freshCombined(key);
    stale.freshCombined(secondKey);
    const walked = this.#walkedStale;
    if (walked === undefined) return;
    stale.addCombined(key, walked.writesOnly, walked.origin);
    stale.addCombined(secondKey, walked.writesOnly, walked.origin);
    stale.usedCombined(key, isWrite);
  }

  /** Page number in units of a class, or of what a table of its entries covers. */
  #unit(page: number, unitClass: number): number {
    return unitClass === 0 ? page : Math.floor(page * this.#unitsPerPage[unitClass]!);
  }

  #dropRange(
    array: TlbArray,
    vm: number,
    space: number,
    kind: number,
    unitClass: number,
    ipaPage: number,
    lenPages: number,
  ): number {
    if (array.liveOf(vm) === 0) return 0;
    const keys = this.#keys;
    const first = this.#unit(ipaPage, unitClass);
    const last = this.#unit(ipaPage + lenPages - 1, unitClass);
    if (last - first >= MOST_REGIONS * REGION_PAGES) {
      return array.dropWhere((key) => {
        if (keys.spaceOf(key) !== space || keys.sizeOf(key) !== kind) return false;
        const page = keys.pageOf(key);
        return page >= first && page <= last;
      });
    }
    let dropped = 0;
    for (let unit = first; unit <= last; ) {
      const count = Math.min(last - unit + 1, REGION_PAGES - (unit % REGION_PAGES));
      const key = keys.knownKeyOf(space, kind, unit);
      if (key >= 0) dropped += array.dropRange(key, count);
      unit += count;
    }
    return dropped;
  }

  /** A walk of both stages: (s + 1)(t + 1) − 1 references where nothing is cached. */
  #walk(use: Access): void {
    const { stage1Levels } = this.#geometry;
    const { vm, vaSpace, vaPage, stage1Class } = use;
    // Tables from the leaf's upwards; the first whose pointer is cached is where the walk begins.
    let top = stage1Class;
    for (; top < stage1Levels - 1; top += 1) {
      const unit = this.#unit(vaPage, top + 1);
      if (this.#stage1Walk.touch(this.#keys.keyOf(vaSpace, TABLES + top, unit))) break;
    }
    for (let entries = top; entries >= stage1Class; entries -= 1) {
      const unit = this.#unit(vaPage, entries + 1);
      this.#translate(use, this.#tableIpa(use, entries, unit), use.tableClass);
      this.walkReferences += 1;
      if (entries < top) {
        this.#stage1Walk.fill(this.#keys.keyOf(vaSpace, TABLES + entries, unit), vm);
      }
    }
    this.#translate(use, use.ipaPage, use.stage2Class);
  }

  /** Pseudo IPA page of the guest table whose entries have that class and which covers that VA. */
  #tableIpa(use: Access, entries: number, unit: number): number {
    return TABLE_IPA + (use.vaSpace * 4 + entries) * 2 ** 20 + (unit % 2 ** 20);
  }

  /** IPA to PA: from a stage-2-only entry, or by a walk of what the walk cache does not have. */
  #translate(use: Access, ipaPage: number, leafClass: number): void {
    const { vm, ipaSpace } = use;
    const keys = this.#keys;
    const canHold = leafClass >= this.#stage2OnlyFrom;
    const leafKey = keys.keyOf(ipaSpace, leafClass, this.#unit(ipaPage, leafClass));
    if (canHold && this.#stage2.touch(leafKey)) {
      if (!this.stale.isEmpty) this.#walkedStale ??= this.stale.stage2Mark(leafKey);
      return;
    }
    if (canHold) {
      this.missedStage2[this.missedStage2Count & 7] = leafKey;
      this.missedStage2Count += 1;
    }
    const highest = this.#geometry.stage2Levels - 1;
    let top = leafClass;
    for (; top < highest; top += 1) {
      const unit = this.#unit(ipaPage, top + 1);
      if (this.#stage2Walk.touch(keys.keyOf(ipaSpace, TABLES + top, unit))) break;
    }
    this.walkReferences += top - leafClass + 1;
    for (let entries = leafClass; entries < top; entries += 1) {
      const unit = this.#unit(ipaPage, entries + 1);
      this.#stage2Walk.fill(keys.keyOf(ipaSpace, TABLES + entries, unit), vm);
    }
    if (canHold) {
      this.#stage2.fill(leafKey, vm);
      if (!this.stale.isEmpty) this.stale.freshStage2(leafKey);
    }
  }
}
