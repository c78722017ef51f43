import type { Geometry } from "../stage2/geometry.ts";
import type { Tally } from "../tally.ts";
import type { ClearPlan } from "./clear-plan.ts";
import type { Invalidation } from "./invalidation.ts";
import {
  KERNEL_NESTED_POLICY,
  NESTED_POLICIES,
  type NestedPolicy,
  SEARCH_VARIANTS,
} from "./nested-policy.ts";
import type { PendingAccess, RecordedUnmap } from "./nested-task.ts";
import type { ShadowContext } from "./shadow-context.ts";
import type { ShadowDirectory } from "./shadow-directory.ts";
import { emptyLeaf, leafAt, type ShadowLeaf } from "./shadow-leaves.ts";
import { ShadowWorld, type TargetTest, type WorldSetting } from "./shadow-world.ts";
import type { HostUnmap } from "./unmap-cost.ts";

/** Name of what the recorded kernel itself did. */
export const RECORDED = "recorded";

export interface WorldsConfig {
  readonly geometry: Geometry;
  readonly host: HostUnmap;
  /** PA bits that the guest hypervisors see; undefined: learned, else {@link DEFAULT_PA_BITS}. */
  readonly paBits: number | undefined;
  /** Policies to replay; undefined: all. */
  readonly policies: readonly NestedPolicy[] | undefined;
  /** What the recorded kernel is held against; default: what kernels do. */
  readonly judged?: NestedPolicy | undefined;
  /** From 7.3 on, KVM cuts a guest's range where its addresses end. */
  readonly capsRanges?: boolean;
  /** A tally of one policy on the host's CPU. */
  readonly tallyOf: (policy: string) => Tally;
}

export const DEFAULT_PA_BITS = 48;

/** One policy twice: what it kept from use taken as never used, and as used at once. */
export interface PolicyWorlds {
  readonly policy: NestedPolicy;
  readonly least: ShadowWorld;
  readonly most: ShadowWorld;
}

/**
 * The recorded kernel's shadow tables and those of every policy, fed the same faults, accesses and
 * invalidations. They are made when the first shadow context appears.
 */
export class NestedWorlds {
  readonly setting: WorldSetting;
  readonly recorded: ShadowWorld;
  readonly policies: readonly PolicyWorlds[];
  readonly variants: readonly ShadowWorld[];
  readonly capsRanges: boolean;
  readonly #directory: ShadowDirectory;
  readonly #all: readonly ShadowWorld[];
  readonly #leaf = emptyLeaf();
  #isPaBitsShown: boolean;

  constructor(config: WorldsConfig, directory: ShadowDirectory) {
    this.setting = {
      geometry: config.geometry,
      host: config.host,
      paBits: config.paBits ?? DEFAULT_PA_BITS,
      tallyOf: config.tallyOf,
    };
    this.#isPaBitsShown = config.paBits !== undefined;
    this.#directory = directory;
    this.capsRanges = config.capsRanges ?? false;
    const recordedPolicy = { ...(config.judged ?? KERNEL_NESTED_POLICY), id: RECORDED };
    this.recorded = new ShadowWorld(recordedPolicy, this.setting, false);
    this.policies = (config.policies ?? NESTED_POLICIES).map((policy) => ({
      policy,
      least: new ShadowWorld(policy, this.setting, false),
      most: new ShadowWorld(policy, this.setting, true),
    }));
    this.variants = SEARCH_VARIANTS.map((policy) => new ShadowWorld(policy, this.setting, false));
    this.#all = [...this.policies.flatMap(({ least, most }) => [least, most]), ...this.variants];
  }

  get isPaBitsShown(): boolean {
    return this.#isPaBitsShown;
  }

  get pageBytes(): number {
    return this.recorded.pageBytes;
  }

  /** The recorded kernel worked on [0, endPage) of a context: so large is the nested guests' space. */
  showSize(endPage: number): void {
    if (this.#isPaBitsShown) return;
    const bits = Math.log2(endPage * this.pageBytes);
    if (!Number.isInteger(bits) || bits < 32 || bits > 52) return;
    this.setting.paBits = bits;
    this.#isPaBitsShown = true;
  }

  /** The recorded host answered a fault with a leaf. */
  fault(context: ShadowContext, leaf: ShadowLeaf): void {
    this.recorded.fault(context, leaf);
    for (const world of this.#all) world.fault(context, leaf);
  }

  /** Announced accesses: those on pages that the recorded tables lack show themselves as faults. */
  access(context: ShadowContext, { addrBytes, strideBytes, count }: PendingAccess): void {
    const table = this.recorded.table(context);
    const { pageBytes } = this;
    const lastByte = addrBytes + strideBytes * (count - 1);
    const lastPage = Math.floor(lastByte / pageBytes);
    context.announced.add(Math.floor(addrBytes / pageBytes), lastPage + 1);
    let page = -1;
    for (let i = 0; i < count; i += 1) {
      const next = Math.floor((addrBytes + i * strideBytes) / pageBytes);
      if (next === page) continue;
      page = next;
      if (!leafAt(table, page, this.#leaf)) continue;
      for (const world of this.#all) world.access(context, page, this.#leaf);
    }
  }

  /** What the kernel's own policy would unmap of the recorded tables. */
  predict(what: Invalidation, context: ShadowContext): ClearPlan {
    return this.recorded.plan(what, context);
  }

  /** The recorded kernel's unmaps, and then each policy's answer in the contexts that it reaches. */
  invalidate(
    what: Invalidation,
    contexts: readonly ShadowContext[],
    recorded: readonly RecordedUnmap[],
  ): void {
    for (const world of [this.recorded, ...this.#all]) {
      const totals = world.totals.of(what.cause);
      totals.events += 1;
      totals.contexts += contexts.length;
    }
    for (const { context, startPage, endPage } of recorded) {
      this.recorded.clear(what, context, [[startPage, endPage]], NEVER);
    }
    for (const context of contexts) this.recorded.countLeft(what, context);
    const isTarget: TargetTest = (context, leaf) => isTargetOf(what, context, leaf);
    for (const context of contexts) {
      const table = this.recorded.table(context);
      const holds = (page: number): boolean => leafAt(table, page, this.#leaf);
      for (const world of this.#all) world.invalidate(what, context, holds, isTarget);
      for (const { least } of this.policies) least.countLeft(what, context);
    }
  }

  /** The recorded kernel cleared part of a context, and so does every policy: the trace does not say why. */
  clearAlike(what: Invalidation, recorded: readonly RecordedUnmap[]): void {
    for (const world of [this.recorded, ...this.#all]) {
      world.totals.of(what.cause).events += 1;
      world.totals.of(what.cause).contexts += new Set(recorded.map(({ context }) => context)).size;
      for (const { context, startPage, endPage } of recorded) {
        world.clear(what, context, [[startPage, endPage]], NEVER);
      }
    }
  }

  writeProtect(recorded: readonly RecordedUnmap[]): void {
    for (const world of [this.recorded, ...this.#all]) {
      const totals = world.totals.of("write_protect");
      totals.events += 1;
      totals.contexts += recorded.length;
      for (const { context, startPage, endPage } of recorded) {
        world.writeProtect(context, startPage, endPage);
      }
    }
  }

  /** Stage-1 TLBIs: one executed in each context, or one in the VM's own where none is looked for. */
  stage1(contexts: number): void {
    for (const world of [this.recorded, ...this.#all]) {
      const totals = world.totals.of("stage1");
      totals.events += 1;
      totals.contexts += contexts;
      totals.stage1Tlbis += Math.max(1, contexts);
    }
  }

  finish(): void {
    for (const world of [this.recorded, ...this.#all]) world.finish();
  }

  forget(context: ShadowContext): void {
    for (const world of [this.recorded, ...this.#all]) world.forget(context);
  }

  get directory(): ShadowDirectory {
    return this.#directory;
  }
}

const NEVER = (): boolean => false;

function isTargetOf(
  what: Invalidation,
  context: ShadowContext,
  leaf: ShadowLeaf,
): boolean | undefined {
  const target = context.targets.get(leaf.page);
  if (target === undefined || Number.isNaN(what.hostFirstPage)) return undefined;
  return target < what.hostEndPage && target + leaf.lenPages > what.hostFirstPage;
}
