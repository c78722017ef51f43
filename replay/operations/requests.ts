import type { Stage2Context, VirtualMachine } from "../contexts/context.ts";
import { Path } from "../paths.ts";
import type { ReplayState } from "../state.ts";
import { Bracket, type Task } from "./task.ts";

/**
 * Requests by generic code: the functions call each other (memslot → range → arch hook → mmu), so
 * several events can be one request. A call of lower rank inside the bracket belongs to it; one of
 * equal or higher rank begins the next.
 */
export const RequestRank = { mmuRange: 1, archHook: 2, generic: 3, memslot: 4 } as const;

/** Adds an event to the open request, or returns false where it begins another. */
export function continueRequest(task: Task, rank: number): boolean {
  if (task.bracket !== Bracket.request || rank >= task.requestRank) return false;
  task.requestRank = rank;
  return true;
}

export function beginRequest(task: Task, rank: number, line: number): void {
  task.bracket = Bracket.request;
  task.line = line;
  task.requestRank = rank;
  task.requestVm = undefined;
  task.requestMmu = 0;
  task.requestPage = Number.NaN;
  task.requestPages = Number.NaN;
  task.context = undefined;
}

/** What an event of a request tells; absent values leave what is known. */
export function describeRequest(
  task: Task,
  vm: VirtualMachine | undefined,
  mmu: number,
  page: number,
  pages: number,
): void {
  if (vm !== undefined) task.requestVm = vm;
  if (mmu !== 0) task.requestMmu = mmu;
  if (!Number.isNaN(page) && Number.isNaN(task.requestPage)) {
    task.requestPage = page;
    task.requestPages = pages;
  }
}

/** The request is complete: has every policy answer it. */
export function applyRequest(state: ReplayState, task: Task): void {
  const { protect } = task;
  const context = contextOfRequest(state, task);
  task.context = context;
  const path = pathOfRequest(task);
  task.path = path;
  if (context !== undefined) {
    state.enter(task, context, path);
    issueRequest(state, task, path);
  }
  protect.isDue = false;
  task.agePending = false;
  task.ringResetPending = false;
}

function issueRequest(state: ReplayState, task: Task, path: number): void {
  const { protect } = task;
  if (!Number.isNaN(task.requestPage)) {
    state.fanOut.slotFlush(task.requestPage, task.requestPages);
  } else if (path === Path.age) state.fanOut.vmFlush("age");
  else if (path === Path.dirty_ring) state.fanOut.vmFlush("dirty_ring");
  else if (!protect.isDue || state.requestsNameRanges) state.fanOut.vmFlush("other");
  // Before 6.6 the flush of a memslot is a request for the whole VM: the slot is what was protected.
  else state.fanOut.slotFlush(protect.basePage, protect.pages);
}

function pathOfRequest(task: Task): number {
  // KVM_RESET_DIRTY_RINGS write-protects too, and then asks for the whole VM in every kernel.
  if (task.ringResetPending && Number.isNaN(task.requestPage)) return Path.dirty_ring;
  if (task.protect.isDue || task.protect.path !== Path.unattributed) {
    return task.protect.path === Path.unattributed ? Path.dirty_log : task.protect.path;
  }
  if (task.agePending) return Path.age;
  return Number.isNaN(task.requestPage) ? Path.unattributed : Path.dirty_log;
}

/** Which table a request is about: its mmu, the VM's own, or the one just write-protected. */
function contextOfRequest(state: ReplayState, task: Task): Stage2Context | undefined {
  if (task.requestMmu !== 0) {
    const byMmu = state.contexts.ofMmu(task.requestMmu);
    if (byMmu !== undefined) return byMmu;
  }
  const vm = task.requestVm ?? task.protect.vm;
  if (vm !== undefined) return state.contexts.canonicalOf(vm, task.line);
  if (task.protect.context !== undefined) return task.protect.context;
  const named = task.ledger.recorded.length > 0 ? task.ledger.recorded.mmu[0]! : 0;
  if (named === 0) return undefined;
  return state.contexts.resolve(0, named, vm, task.line);
}

/**
 * Without request events: the flush that follows a write-protect sequence. A sequence of several mask
 * words may have been several ioctls, each with its own flush: a recorded flush ends the sequence and
 * settles that; without one the difference is counted as unknown.
 */
export function applyProtectSequence(state: ReplayState, task: Task): void {
  const { protect } = task;
  const context = protect.context;
  task.context = context;
  task.path = protect.path === Path.unattributed ? Path.dirty_log : protect.path;
  if (task.ringResetPending) task.path = Path.dirty_ring;
  if (context !== undefined) {
    state.enter(task, context, task.path);
    if (task.ringResetPending) state.fanOut.vmFlush("dirty_ring");
    else state.fanOut.slotFlush(protect.basePage, protect.pages);
    if (protect.words > 1 && !task.ringResetPending) {
      state.counts.ambiguousSequences += 1;
      if (task.ledger.recorded.length === 0) {
        for (const queue of task.ledger.queues) queue.allowMore(protect.words - 1);
      }
    }
  }
  protect.isDue = false;
  protect.words = 0;
  task.ringResetPending = false;
}
