import type { Stage2Context } from "../contexts/context.ts";
import { Path } from "../paths.ts";
import { RelaxOutcome } from "../policies/policy-replay.ts";
import { relaxPermissions, setPermissions, writeProtect } from "../stage2/attributes.ts";
import { EntryKind, LeafFlag, PERMISSION_MASK } from "../stage2/entry-store.ts";
import { mapRange } from "../stage2/map.ts";
import { splitBlocks, splitCachePages } from "../stage2/split.ts";
import { unmapRange } from "../stage2/unmap.ts";
import type { ReplayState } from "../state.ts";
import { learnFromFault } from "./faults.ts";
import { Bracket, Call, EAGAIN, type Task } from "./task.ts";

/**
 * Carries out the page-table call that a task has open, once, and collects what the policies issue in
 * the task's queues.
 *
 * `ret`: the recorded return value; NaN where the trace does not record it (success is assumed) or it
 * is not known yet (a map call is carried out at its first recorded invalidation, which is when it
 * takes effect among calls that run in parallel).
 */
export function applyCall(state: ReplayState, task: Task, ret: number): void {
  task.isApplied = true;
  const context = task.context!;
  switch (task.call) {
    case Call.map:
      applyMap(state, task, context, ret);
      break;
    case Call.unmap:
      applyUnmap(state, task, context);
      break;
    case Call.wrprotect:
      protectRange(state, task, context, task.startPage, task.endPage);
      break;
    case Call.relax:
      applyRelax(state, task, context, ret);
      break;
    case Call.split:
      applySplit(state, task, context);
      break;
    default:
      break;
  }
}

/**
 * Takes the write permission from a range. The flush that the caller issues afterwards is for the VM's own
 * table: what was taken from a nested guest's is settled at once, under a number of its own.
 */
export function protectRange(
  state: ReplayState,
  task: Task,
  context: Stage2Context,
  startPage: number,
  endPage: number,
): void {
  state.counts.wrprotect += 1;
  if (!context.isShadow) {
    state.enter(task, context, Path.dirty_log);
    writeProtect(context.table, startPage, endPage, state.fanOut);
    return;
  }
  const shadow = state.task(SHADOW_PID - context.id);
  shadow.bracket = Bracket.protectSequence;
  shadow.path = Path.nested;
  shadow.context = context;
  shadow.line = task.line;
  shadow.tsNs = task.tsNs;
  shadow.cpu = task.cpu;
  state.enter(shadow, context, Path.nested);
  writeProtect(context.table, startPage, endPage, state.fanOut);
  state.settlement.settle(shadow, false);
  state.releaseLedger(shadow);
  shadow.bracket = Bracket.none;
}

/** No thread has such a number. */
const SHADOW_PID = -1000;

function applyMap(state: ReplayState, task: Task, context: Stage2Context, ret: number): void {
  if (task.faultPage >= 0) learnFromFault(state, task, context);
  state.enter(task, context, Path.unattributed);
  const { fanOut, counts } = state;
  fanOut.lastPath = Path.unattributed;
  if (Number.isNaN(ret) || ret === 0) {
    counts.map += 1;
    const pages = task.endPage - task.startPage;
    const mustInstall = ret === 0 && !state.mapToleratesUnchanged;
    mapRange(context.table, task.startPage, pages, task.physPage, task.flags, mustInstall, fanOut);
    fanOut.watcher?.changes.mapped?.(task.startPage, pages);
    if (state.mapToleratesUnchanged) setPermissions(context.table, task.startPage, task.flags);
    if (fanOut.lastPath === Path.collapse) counts.collapse += 1;
    else if (fanOut.lastPath === Path.split) counts.blockBroken += 1;
  } else if (ret === EAGAIN) {
    counts.mapAgain += 1;
    reportKeptLeaf(state, task, context);
  }
  // Other errors (-ENOMEM without a memory cache, as kvm_set_spte_gfn calls) change nothing.
  task.path = fanOut.lastPath === Path.unattributed ? Path.remap : fanOut.lastPath;
}

/** A map call that met its own leaf: kernels up to 5.10 flush where permissions differ. */
function reportKeptLeaf(state: ReplayState, task: Task, context: Stage2Context): void {
  const found = context.table.lookup(task.startPage);
  if (found.kind === EntryKind.unknown || (found.meta & LeafFlag.learned) !== 0) {
    state.fanOut.leafKeptUnclear(task.startPage);
    return;
  }
  if (found.kind !== EntryKind.leaf) return;
  const differs = ((found.meta ^ task.flags) & PERMISSION_MASK) !== 0;
  state.fanOut.leafKept(task.startPage, found.level, differs);
}

function applyUnmap(state: ReplayState, task: Task, context: Stage2Context): void {
  const { fanOut, counts } = state;
  task.path = task.scopePath === Path.unattributed ? Path.unmap : task.scopePath;
  if (context.isShadow) task.path = Path.nested;
  state.enter(task, context, task.path);
  counts.unmap += 1;
  fanOut.facts = 0;
  unmapRange(context.table, task.startPage, task.endPage, fanOut);
  fanOut.pieceEnd(task.startPage, task.endPage);
  const inScope = task.startPage >= task.scopeStartPage && task.endPage <= task.scopeEndPage;
  const operationStart = inScope ? task.scopeStartPage : task.startPage;
  const operationEnd = inScope ? task.scopeEndPage : task.endPage;
  if (task.endPage >= operationEnd) fanOut.unmapEnd(operationStart, operationEnd);
  if (fanOut.facts === 0) {
    counts.unmapEmpty += 1;
    if (context.historyKnown) state.settlement.listener?.unmapFoundNothing?.(task);
    if (task.lastUnmapStart === task.startPage && task.lastUnmapEnd === task.endPage) {
      counts.unmapRepeated += 1;
    }
  }
  task.lastUnmapStart = task.startPage;
  task.lastUnmapEnd = task.endPage;
}

function applyRelax(state: ReplayState, task: Task, context: Stage2Context, ret: number): void {
  if (task.faultPage >= 0) learnFromFault(state, task, context);
  task.path = Path.relax;
  state.enter(task, context, Path.relax);
  const level = relaxPermissions(context.table, task.startPage, task.flags);
  if (ret === EAGAIN) {
    state.counts.relaxAgain += 1;
    state.fanOut.relaxFailed(task.startPage);
    return;
  }
  state.counts.relax += 1;
  if (!Number.isNaN(ret) && ret !== 0) return;
  if (level === RelaxOutcome.noLeaf && context.historyKnown) {
    state.diagnostics.add(
      "CONTRADICTION",
      "relax_perms succeeded where the model has nothing mapped",
      task.line,
    );
  }
  state.fanOut.relaxed(task.startPage, level);
}

function applySplit(state: ReplayState, task: Task, context: Stage2Context): void {
  task.path = Path.eager_split;
  state.enter(task, context, Path.eager_split);
  state.counts.split += 1;
  const { table } = context;
  const { startPage, endPage } = task;
  context.splitChunkPages = Math.max(context.splitChunkPages, endPage - startPage);
  const cache = splitCachePages(table, context.splitChunkPages);
  const isExact = showsChunk(context, startPage, endPage);
  splitBlocks(table, startPage, endPage, cache, isExact, state.fanOut);
}

/** Pages of one dirty mask word: a split on its behalf ends with it, wherever the chunk ends. */
const MASK_WORD_PAGES = 64;

/**
 * Whether a split call shows if the chunk holds a block of 1 GiB: calls end at multiples of the chunk, or
 * where what was asked for ends, which is a mask word or a memslot (and a memslot holds its blocks whole).
 */
function showsChunk(context: Stage2Context, startPage: number, endPage: number): boolean {
  const block = context.table.geometry.spanPages[1]!;
  if (context.splitChunkPages >= block) return true;
  return endPage - startPage > MASK_WORD_PAGES && endPage % block !== 0;
}

/** Leaf flags of an enum kvm_pgtable_prot; from 7.0 on it has two execute bits. */
export function leafFlagsOf(prot: number, hasTwoExecuteBits: boolean): number {
  const executeMask = hasTwoExecuteBits ? 0b11 : 0b1;
  const rest = prot >>> (hasTwoExecuteBits ? 2 : 1);
  let flags: number = LeafFlag.young;
  if ((prot & executeMask) !== 0) flags |= LeafFlag.execute;
  if ((rest & 0b0001) !== 0) flags |= LeafFlag.write;
  if ((rest & 0b0010) !== 0) flags |= LeafFlag.read;
  if ((rest & 0b1100) !== 0) flags |= LeafFlag.uncached;
  return flags;
}
