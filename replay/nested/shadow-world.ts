import { EntryStore } from "../stage2/entry-store.ts";
import type { Geometry } from "../stage2/geometry.ts";
import { mapRange } from "../stage2/map.ts";
import { Stage2Table } from "../stage2/table.ts";
import { writeProtect } from "../stage2/attributes.ts";
import type { Tally } from "../tally.ts";
import { type ClearPlan, type PageRange, planOf, reachOf } from "./clear-plan.ts";
import { leafBytes } from "./granules.ts";
import { HintTotals } from "./hint-totals.ts";
import { type Invalidation, isInvalidated, type NestedCause } from "./invalidation.ts";
import { KeptLevels } from "./kept-levels.ts";
import type { HintResult } from "./level-hint.ts";
import type { NestedPolicy } from "./nested-policy.ts";
import { CauseTotals } from "./nested-totals.ts";
import type { ShadowContext } from "./shadow-context.ts";
import { emptyLeaf, forEachLeaf, leafAt, type ShadowLeaf, tagOf } from "./shadow-leaves.ts";
import { type HostUnmap, UnmapCost } from "./unmap-cost.ts";

/** What all worlds of a replay share. */
export interface WorldSetting {
  readonly geometry: Geometry;
  readonly host: HostUnmap;
  /** Bits of the nested guests' IPA space: the PA bits that the guest hypervisor sees. */
  paBits: number;
  /** A tally of one policy and cause. */
  readonly tallyOf: (policy: string) => Tally;
}

/** What the host page of a leaf tells of an unmap by the host. */
export type TargetTest = (context: ShadowContext, leaf: ShadowLeaf) => boolean | undefined;

const NO_TARGET: TargetTest = () => undefined;

/**
 * The shadow tables that one policy would have: the same accesses of the nested guests meet them as met the
 * recorded ones, so a leaf that the policy dropped and the recorded kernel did not has to be made again when it
 * is used.
 *
 * What is used is known only where the trace shows it: a fault, or an announced access. `isTouched`: take a
 * leaf that the recorded kernel kept as used at once (the most refaults), else as never used (the least).
 */
export class ShadowWorld {
  readonly policy: NestedPolicy;
  readonly totals: CauseTotals = new CauseTotals();
  readonly hints: HintTotals = new HintTotals();
  readonly kept: KeptLevels | undefined;
  readonly #setting: WorldSetting;
  readonly #isTouched: boolean;
  readonly #store: EntryStore;
  readonly #tables = new Map<ShadowContext, Stage2Table>();
  /** Leaves that an invalidation took, by first page, and why. */
  readonly #dropped = new Map<ShadowContext, Map<number, NestedCause>>();
  readonly #costs = new Map<NestedCause, { cost: UnmapCost; tally: Tally }>();
  readonly #leaf = emptyLeaf();
  readonly #hint: HintResult = { hint: "nothing", bytes: 0, probes: 0 };
  /** Recorded faults on leaves that this policy still had, and those of them that map something else. */
  avoided = 0;
  stale = 0;

  constructor(policy: NestedPolicy, setting: WorldSetting, isTouched: boolean) {
    this.policy = policy;
    this.#setting = setting;
    this.#isTouched = isTouched;
    this.#store = new EntryStore(setting.geometry.entriesPerTable);
    this.kept = policy.keepsLevels ? new KeptLevels() : undefined;
  }

  get pageBytes(): number {
    return 2 ** this.#setting.geometry.pageShift;
  }

  get sizePages(): number {
    return 2 ** (this.#setting.paBits - this.#setting.geometry.pageShift);
  }

  table(context: ShadowContext): Stage2Table {
    let table = this.#tables.get(context);
    if (table === undefined) {
      table = new Stage2Table(this.#setting.geometry, this.#store, true);
      this.#tables.set(context, table);
      this.#dropped.set(context, new Map());
    }
    return table;
  }

  tallyOf(cause: NestedCause): Tally | undefined {
    return this.#costs.get(cause)?.tally;
  }

  // ── the nested guest ─────────────────────────────────────────────────────────────────────────

  /** The recorded host answered a fault with this leaf. */
  fault(context: ShadowContext, leaf: ShadowLeaf): void {
    const table = this.table(context);
    const held = this.#leaf;
    if (leafAt(table, leaf.page, held)) {
      this.avoided += 1;
      if (held.physPage + (leaf.page - held.page) === leaf.physPage && held.level <= leaf.level) {
        return;
      }
      if (held.physPage + (leaf.page - held.page) !== leaf.physPage) this.stale += 1;
    } else this.#countRefault(context, leaf.page);
    this.#install(context, table, leaf);
  }

  /** The guest uses a page that the recorded tables map with `leaf`. */
  access(context: ShadowContext, page: number, leaf: ShadowLeaf): void {
    const table = this.table(context);
    if (leafAt(table, page, this.#leaf)) return;
    this.#countRefault(context, leaf.page);
    this.#install(context, table, leaf);
  }

  #countRefault(context: ShadowContext, page: number): void {
    const dropped = this.#dropped.get(context)!;
    const cause = dropped.get(page);
    if (cause === undefined) return;
    dropped.delete(page);
    this.totals.of(cause).refaults += 1;
  }

  #install(context: ShadowContext, table: Stage2Table, leaf: ShadowLeaf): void {
    mapRange(table, leaf.page, leaf.lenPages, leaf.physPage, leaf.meta & 0xfc, true, NO_FACTS);
    if (this.kept === undefined) return;
    const bytes = leafBytes(context.granule, tagOf(leaf.meta));
    const at = leaf.page * this.pageBytes;
    const hostBytes = leaf.lenPages * this.pageBytes;
    const { entriesPerTable } = this.#setting.geometry;
    this.kept.add(context, at - (at % Math.max(1, bytes)), bytes, hostBytes, entriesPerTable);
  }

  // ── invalidations ────────────────────────────────────────────────────────────────────────────

  /** What this policy clears of a context, which it does not do yet. */
  plan(what: Invalidation, context: ShadowContext, isTarget: TargetTest = NO_TARGET): ClearPlan {
    const plan = planOf({
      policy: this.policy,
      what,
      context,
      table: this.table(context),
      sizePages: this.sizePages,
      kept: this.kept,
      isTarget: (leaf) => isTarget(context, leaf),
      hint: this.#hint,
    });
    return plan;
  }

  /** The hint of the last plan for a TLBI by IPA. */
  get hint(): HintResult {
    return this.#hint;
  }

  /** @param holds whether the recorded table has a leaf there now. */
  invalidate(
    what: Invalidation,
    context: ShadowContext,
    holds: (page: number) => boolean,
    isTarget?: TargetTest,
  ): void {
    const plan = this.plan(what, context, isTarget);
    if (what.cause === "ipas2") this.hints.add(this.#hint, this.policy.byIpa);
    this.totals.of(what.cause).targetUnknown += plan.targetUnknown;
    this.clear(what, context, plan.ranges, holds);
  }

  /** Unmaps these ranges of a context in answer to an invalidation. */
  clear(
    what: Invalidation,
    context: ShadowContext,
    ranges: readonly PageRange[],
    holds: (page: number) => boolean,
  ): void {
    const table = this.table(context);
    const totals = this.totals.of(what.cause);
    const dropped = this.#dropped.get(context)!;
    const again: ShadowLeaf[] = [];
    const { granule } = context;
    for (const [startPage, endPage] of ranges) {
      forEachLeaf(table, startPage, endPage, (leaf) => {
        totals.leavesDropped += 1;
        if (!isInvalidated(what, leaf, granule, this.pageBytes)) totals.overInvalidated += 1;
        dropped.set(leaf.page, what.cause);
        if (this.#isTouched && holds(leaf.page) && !context.isAnnounced(leaf.page, leaf.lenPages)) {
          again.push({ ...leaf });
        }
      });
      this.#unmap(what.cause, table, startPage, endPage);
      this.kept?.cleared(context, startPage * this.pageBytes, endPage * this.pageBytes);
    }
    // What the guest before used is nothing to the one that gets the context.
    if (what.cause === "recycle") dropped.clear();
    for (const leaf of again) {
      this.#countRefault(context, leaf.page);
      this.#install(context, table, leaf);
    }
  }

  /** Counts leaves that stand for what was invalidated and are still there. */
  countLeft(what: Invalidation, context: ShadowContext): number {
    if (what.cause !== "ipas2" && what.cause !== "ripas2") return 0;
    const table = this.table(context);
    const [first, end] = reachOf(what, context, table);
    let left = 0;
    forEachLeaf(table, first, end, (leaf) => {
      if (isInvalidated(what, leaf, context.granule, this.pageBytes)) left += 1;
    });
    this.totals.of(what.cause).leavesLeft += left;
    return left;
  }

  /** Takes the write permission from a range of a context: no TLBI, in any kernel known. */
  writeProtect(context: ShadowContext, startPage: number, endPage: number): void {
    const totals = this.totals.of("write_protect");
    const table = this.table(context);
    const chunk = table.geometry.spanPages[table.geometry.minBlockLevel]!;
    totals.calls += Math.ceil(endPage / chunk) - Math.floor(startPage / chunk);
    writeProtect(table, startPage, Math.min(endPage, table.pages), {
      ...NO_FACTS,
      writeProtected: (_page, _level, count) => {
        totals.leavesProtected += count;
      },
    });
  }

  /** The trace is over, and shows how large a context is: adds up what depends on that. Once. */
  finish(): void {
    for (const [cause, { cost }] of this.#costs) {
      this.totals.of(cause).calls += cost.finish(this.#setting.geometry, this.#setting.paBits);
    }
  }

  /** The context is gone, or nothing of it is known any more. */
  forget(context: ShadowContext): void {
    this.#tables.get(context)?.destroy();
    this.#tables.delete(context);
    this.#dropped.delete(context);
    this.kept?.forget(context);
  }

  #unmap(cause: NestedCause, table: Stage2Table, startPage: number, endPage: number): void {
    let entry = this.#costs.get(cause);
    if (entry === undefined) {
      const tally = this.#setting.tallyOf(this.policy.id);
      entry = { cost: new UnmapCost(this.#setting.host, tally), tally };
      this.#costs.set(cause, entry);
    }
    const isWhole = startPage === 0 && endPage >= this.sizePages;
    entry.cost.unmap(table, startPage, Math.min(endPage, table.pages), isWhole);
  }
}

const nothing = (): void => undefined;

/** Faults make no calls here that a policy would change. */
const NO_FACTS = {
  leavesCleared: nothing,
  tableFreed: nothing,
  unknownCleared: nothing,
  blockBroken: nothing,
  leafReplaced: nothing,
  leafKept: nothing,
  leafUnclear: nothing,
  collapsed: nothing,
  mappedOverUnknown: nothing,
  blockSplit: nothing,
  splitOverUnknown: nothing,
  writeProtected: nothing as (page: number, level: number, count: number) => void,
  unknownWriteProtected: nothing,
} as const;
