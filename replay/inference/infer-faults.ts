import { LAST_LEVEL } from "../stage2/geometry.ts";
import {
  breakBlock,
  leafFault,
  openRelaxBelow,
  openRelaxBlock,
  translationFault,
} from "./bound-fault.ts";
import { InferenceClass } from "./classes.ts";
import type { InferenceState, InferredThread } from "./inference-state.ts";
import { blockLevelAt, type InferredSlot, type InferredVm } from "./machines.ts";
import { FaultKind, faultKindOf, faultLevelOf, isStore } from "./syndrome.ts";
import { Path } from "../paths.ts";

const C = InferenceClass;

/** Answers a thread's fault, once its next event shows that KVM is done with it. */
export function answerFault(state: InferenceState, thread: InferredThread): void {
  const page = thread.faultPage;
  if (page < 0) return;
  thread.faultPage = -1;
  state.busy.delete(thread);
  const kind = faultKindOf(thread.syndrome);
  if (kind === 0) return;
  if (kind === FaultKind.access) state.counts.add(C.youngSet);
  if (state.vms.length === 0) {
    withoutTable(state, page, kind, faultLevelOf(thread.syndrome));
    return;
  }
  const { candidates } = state;
  findCandidates(state, thread, page);
  if (candidates.length === 0) {
    state.counts.add(C.outside);
    return;
  }
  if (thread.isRetried) {
    state.counts.add(C.retried);
    return;
  }
  if (candidates.length === 1) learnOwner(state, thread, candidates[0]!);
  answer(state, thread, page, kind);
}

/** VMs that a fault may be of: with a memslot there, and none whose process is known to be another's. */
function findCandidates(state: InferenceState, thread: InferredThread, page: number): void {
  const { candidates } = state;
  candidates.length = 0;
  for (const vm of state.vms) {
    const isOthers =
      thread.ownerPid !== undefined && vm.ownerPid >= 0 && vm.ownerPid !== thread.ownerPid;
    if (isOthers) continue;
    const slot = vm.slotAt(page);
    // A store to a read-only memslot goes to user space.
    if (slot === undefined || (slot.isReadOnly && isStore(thread.syndrome))) continue;
    candidates.push(vm);
  }
}

/** A process runs vCPUs of its own VMs only (KVM_RUN fails in another's memory map). */
function learnOwner(state: InferenceState, thread: InferredThread, vm: InferredVm): void {
  if (thread.ownerPid !== undefined || vm.ownerPid < 0) return;
  if (state.vms.length === 1) thread.ownerPid = vm.ownerPid;
}

function answer(state: InferenceState, thread: InferredThread, page: number, kind: number): void {
  const { candidates, fault, geometry, pageBytes } = state;
  const level = Math.max(faultLevelOf(thread.syndrome), geometry.topLevel);
  for (const vm of candidates) {
    const slot = vm.slotAt(page)!;
    const blockLevel =
      slot.logging === "on" ? LAST_LEVEL : blockLevelAt(slot, page, geometry, pageBytes);
    const isRivalled = hasRival(state, thread, vm, page, Math.min(level, blockLevel));
    const isCertain =
      candidates.length === 1 &&
      !thread.isDisturbed &&
      vm.unresolvedDeletions === 0 &&
      !isBeingUnmapped(state, slot, page) &&
      !isRivalled;
    fault.table = vm.table;
    fault.page = page;
    fault.level = level;
    fault.blockLevel = blockLevel;
    fault.isCertain = isCertain;
    // The other may have mapped the page already: kernels up to 5.14 flush a change of permissions then.
    if (isRivalled) state.emit(Path.remap, true, (fanOut) => fanOut.leafKeptUnclear(page));
    const isExpected =
      kind === FaultKind.translation ? mapped(state) : permitted(state, kind, slot);
    if (!isExpected && isCertain) state.counts.add(C.surprise);
    vm.answers.add(thread.pid, page, state.now);
  }
}

function mapped(state: InferenceState): boolean {
  state.counts.add(state.fault.isCertain ? C.mapped : C.maybeMapped);
  return translationFault(state.fault);
}

function permitted(state: InferenceState, kind: number, slot: InferredSlot): boolean {
  const { fault } = state;
  const isExpected = leafFault(fault);
  if (fault.isCertain && !isExpected && fault.level === LAST_LEVEL) state.counts.add(C.splitUnseen);
  if (kind !== FaultKind.permission) return isExpected;
  const { questions, page, level, blockLevel } = fault;
  // What meets another state may have been a fault that another thread answered.
  const isSure = fault.isCertain && isExpected;
  fault.isCertain = isSure;
  if (level < LAST_LEVEL && slot.logging === "on") {
    if (isSure) {
      state.counts.add(C.broken);
      state.emit(Path.split, false, (fanOut) => fanOut.blockBroken(page, level));
    } else questions.maybeBroken(page, level);
    breakBlock(fault);
  } else if (level < LAST_LEVEL && slot.logging === "unknown") openRelaxBlock(fault);
  else if (level === LAST_LEVEL && blockLevel < LAST_LEVEL) openRelaxBelow(fault);
  else if (isSure) {
    state.counts.add(C.relaxed);
    state.emit(Path.relax, false, (fanOut) => fanOut.relaxed(page, level));
  } else questions.maybeRelaxed(page, level);
  return isExpected;
}

/** Another thread's unmap of the page has begun and may not be over: KVM retries faults until then. */
function isBeingUnmapped(state: InferenceState, slot: InferredSlot, page: number): boolean {
  if (state.unmapping.size === 0) return false;
  const hva = slot.hvaBytes + (page - slot.basePage) * state.pageBytes;
  for (const { repeatedFrom, repeatedLength } of state.unmapping) {
    if (hva >= repeatedFrom && hva < repeatedFrom + repeatedLength) return true;
  }
  return false;
}

/**
 * Another thread's fault below the same entry of `level`: this one's walk may have been before or after
 * its answer.
 */
function hasRival(
  state: InferenceState,
  thread: InferredThread,
  vm: InferredVm,
  page: number,
  level: number,
): boolean {
  const firstPage = vm.table.alignDown(page, level);
  const endPage = firstPage + state.geometry.spanPages[level]!;
  for (const other of state.busy) {
    if (other !== thread && other.faultPage >= firstPage && other.faultPage < endPage) return true;
  }
  return vm.answers.hasOther(thread.pid, firstPage, endPage, thread.enteredAt);
}

/** Without memslots: each fault by itself, all that it may have issued. */
function withoutTable(state: InferenceState, page: number, kind: number, level: number): void {
  const { questions, geometry } = state;
  const table = state.noTable;
  if (kind === FaultKind.translation) {
    state.counts.add(C.maybeMapped);
    if (level > geometry.minBlockLevel) questions.maybeCollapsed(page, level - 1, table, 0);
  } else if (kind === FaultKind.permission) {
    questions.maybeRelaxed(page, level);
    if (level < LAST_LEVEL) questions.maybeBroken(page, level);
    if (level > geometry.minBlockLevel) questions.maybeCollapsed(page, level - 1, table, 0);
  }
}
