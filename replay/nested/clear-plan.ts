import type { Stage2Table } from "../stage2/table.ts";
import { LARGEST_BLOCK_BYTES } from "./granules.ts";
import { type Invalidation, isInvalidated } from "./invalidation.ts";
import { extentOf, type HintResult, lookAround, searchLevel } from "./level-hint.ts";
import type { KeptLevels } from "./kept-levels.ts";
import type { NestedPolicy } from "./nested-policy.ts";
import type { ShadowContext } from "./shadow-context.ts";
import { forEachLeaf, type ShadowLeaf } from "./shadow-leaves.ts";

/** Host pages [start, end). */
export type PageRange = readonly [startPage: number, endPage: number];

export interface ClearPlan {
  readonly ranges: readonly PageRange[];
  /** Leaves that go because the trace does not show what they map. */
  readonly targetUnknown: number;
}

export interface PlanInputs {
  readonly policy: NestedPolicy;
  readonly what: Invalidation;
  readonly context: ShadowContext;
  readonly table: Stage2Table;
  /** Pages of the whole context. */
  readonly sizePages: number;
  readonly kept: KeptLevels | undefined;
  /** Whether a host page was among those that the host takes away; undefined: not shown. */
  readonly isTarget: (leaf: ShadowLeaf) => boolean | undefined;
  /** Filled where a TLBI by IPA had to be given a size. */
  readonly hint: HintResult;
}

/** What a policy unmaps of a context in answer to an invalidation. */
export function planOf(inputs: PlanInputs): ClearPlan {
  const { policy, what, sizePages } = inputs;
  const whole: ClearPlan = { ranges: [[0, sizePages]], targetUnknown: 0 };
  switch (what.cause) {
    case "ipas2":
      if (policy.byIpa === "all") return whole;
      if (policy.byIpa === "leaf") return leavesInvalidated(inputs);
      return { ranges: [rangeByIpa(inputs)], targetUnknown: 0 };
    case "ripas2":
      if (what.startBytes >= what.endBytes) return { ranges: [], targetUnknown: 0 };
      if (policy.byRange === "all") return whole;
      if (policy.byRange === "leaf") return leavesInvalidated(inputs);
      return { ranges: [rangeByRange(inputs)], targetUnknown: 0 };
    case "host_unmap":
    case "memslot":
      return policy.byHost === "target" ? leavesOfTarget(inputs) : whole;
    case "stage1":
    case "write_protect":
      return { ranges: [], targetUnknown: 0 };
    case "vmalls12":
    case "alle1":
    case "recycle":
    case "unattributed":
      return policy.sparesEmpty ? leavesInvalidated(inputs) : whole;
    default:
      return what.cause satisfies never;
  }
}

/** KVM: the block of that size which holds the address. */
function rangeByIpa({ policy, what, context, table, kept, hint }: PlanInputs): PageRange {
  const { granule } = context;
  hint.probes = 0;
  hint.bytes = what.ttlBytes;
  hint.hint = "ttl";
  if (policy.byIpa === "largest") hint.bytes = 0;
  else if (what.ttlBytes === 0 && policy.byIpa === "ttl") hint.hint = "nothing";
  else if (what.ttlBytes === 0) {
    searchLevel(table, granule, what.addrBytes, hint);
    if (hint.bytes === 0 && policy.lookAround > 0) {
      lookAround(table, granule, what.addrBytes, policy.lookAround, hint);
    }
    if (hint.bytes === 0 && kept !== undefined) kept.find(context, what.addrBytes, hint);
  }
  const bytes = extentOf(granule, hint.bytes);
  const start = what.addrBytes - (what.addrBytes % bytes);
  return pagesOf(table, start, start + bytes);
}

function rangeByRange({ policy, what, context, table }: PlanInputs): PageRange {
  const { startBytes, endBytes } = what;
  if (policy.byRange === "exact") return pagesOf(table, startBytes, endBytes);
  const named = policy.byRange === "ttl" ? what.ttlBytes : 0;
  const block = named === 0 ? LARGEST_BLOCK_BYTES[context.granule] : named;
  const start = startBytes - (startBytes % block);
  return pagesOf(table, start, Math.ceil(endBytes / block) * block);
}

/** kvm_pgtable_walk aligns the start down and the end up to host pages. */
function pagesOf(table: Stage2Table, startBytes: number, endBytes: number): PageRange {
  const pageBytes = 2 ** table.geometry.pageShift;
  return [Math.floor(startBytes / pageBytes), Math.ceil(endBytes / pageBytes)];
}

/** Host pages in which every leaf lies that an invalidation can be about. */
export function reachOf(what: Invalidation, context: ShadowContext, table: Stage2Table): PageRange {
  const block = LARGEST_BLOCK_BYTES[context.granule];
  const [first, end] =
    what.cause === "ipas2"
      ? [what.addrBytes, what.addrBytes + 1]
      : [what.startBytes, what.endBytes];
  // A host leaf may be larger than the guest's largest: the walk meets it from any page of it.
  return pagesOf(table, first - (first % block), Math.ceil(end / block) * block);
}

function leavesInvalidated({ what, context, table, sizePages }: PlanInputs): ClearPlan {
  const pageBytes = 2 ** table.geometry.pageShift;
  const named = what.cause === "ipas2" || what.cause === "ripas2";
  const [first, end] = named ? reachOf(what, context, table) : [0, sizePages];
  const ranges: [number, number][] = [];
  forEachLeaf(table, first, end, (leaf) => {
    if (isInvalidated(what, leaf, context.granule, pageBytes)) add(ranges, leaf);
  });
  return { ranges, targetUnknown: 0 };
}

function leavesOfTarget({ table, sizePages, isTarget }: PlanInputs): ClearPlan {
  const ranges: [number, number][] = [];
  let targetUnknown = 0;
  forEachLeaf(table, 0, sizePages, (leaf) => {
    const found = isTarget(leaf);
    if (found === false) return;
    if (found === undefined) targetUnknown += 1;
    add(ranges, leaf);
  });
  return { ranges, targetUnknown };
}

/** Leaves side by side are one unmap. */
function add(ranges: [number, number][], leaf: ShadowLeaf): void {
  const last = ranges.at(-1);
  if (last !== undefined && last[1] === leaf.page) last[1] += leaf.lenPages;
  else ranges.push([leaf.page, leaf.page + leaf.lenPages]);
}
