import { Path } from "../paths.ts";
import { LAST_LEVEL } from "../stage2/geometry.ts";
import { InferenceClass } from "./classes.ts";
import type { InferenceState, InferredThread } from "./inference-state.ts";
import { type InferredVm, pagesOfHva } from "./machines.ts";

const C = InferenceClass;

/**
 * kvm_unmap_hva_range: fires once for each VM of the process, before that VM is unmapped (also where no
 * memslot of it is covered); a VM with a covered memslot is unmapped there, memslot by memslot.
 */
export function unmapHva(
  state: InferenceState,
  thread: InferredThread,
  startBytes: number,
  lengthBytes: number,
): void {
  const endBytes = startBytes + lengthBytes;
  const vms = vmsWithHva(state, thread, startBytes, endBytes);
  const isRepeat = thread.repeatedFrom === startBytes && thread.repeatedLength === lengthBytes;
  thread.repeats = isRepeat ? thread.repeats + 1 : 0;
  thread.repeatedFrom = startBytes;
  thread.repeatedLength = lengthBytes;
  if (vms.length === 0) return;
  state.unmapping.add(thread);
  // Of as many equal events as there are VMs, one was for the VM that has the memslot.
  const isFirst = thread.repeats % state.vms.length === 0;
  for (const vm of vms) {
    const isCertain = vms.length === 1 && isFirst && vm.unresolvedDeletions === 0;
    for (const slot of vm.slots.values()) {
      const range = pagesOfHva(slot, startBytes, endBytes, state.pageBytes);
      if (range === undefined) continue;
      state.counts.add(isCertain ? C.unmapped : C.maybeUnmapped);
      unmapPages(state, vm, range.startPage, range.endPage, isCertain, Path.unmap);
    }
    disturb(state, thread, vm, startBytes, endBytes, vms.length === 1);
  }
}

export function unmapPages(
  state: InferenceState,
  vm: InferredVm,
  startPage: number,
  endPage: number,
  isCertain: boolean,
  path: number,
): void {
  state.emit(path, !isCertain, () => {
    state.unmap.run(vm.table, startPage, endPage, isCertain);
  });
}

/** VMs one of whose memslots lies on these host addresses, as far as the thread may belong to them. */
function vmsWithHva(
  state: InferenceState,
  thread: InferredThread,
  startBytes: number,
  endBytes: number,
): InferredVm[] {
  const found = state.vms.filter((vm) => {
    for (const slot of vm.slots.values()) {
      if (pagesOfHva(slot, startBytes, endBytes, state.pageBytes) !== undefined) return true;
    }
    return false;
  });
  const { ownerPid } = thread;
  if (found.length < 2 || ownerPid === undefined) return found;
  return found.filter((vm) => vm.ownerPid < 0 || vm.ownerPid === ownerPid);
}

/** Faults that are being answered while the VM is unmapped may have to be retried. */
function disturb(
  state: InferenceState,
  thread: InferredThread,
  vm: InferredVm,
  startBytes: number,
  endBytes: number,
  isItsVm: boolean,
): void {
  for (const other of state.busy) {
    if (other !== thread) {
      other.isDisturbed = true;
      continue;
    }
    const slot = vm.slotAt(thread.faultPage);
    const hva =
      slot === undefined
        ? Number.NaN
        : slot.hvaBytes + (thread.faultPage - slot.basePage) * state.pageBytes;
    if (isItsVm && hva >= startBytes && hva < endBytes) thread.isRetried = true;
    else thread.isDisturbed = true;
  }
}

/** kvm_age_hva: a VM flush if it came for clear_flush_young and found a young page. */
export function ageHva(
  state: InferenceState,
  thread: InferredThread,
  startBytes: number,
  lengthBytes: number,
): void {
  const isKnown = state.vms.length > 0;
  const end = startBytes + Math.max(lengthBytes, 1);
  if (isKnown && vmsWithHva(state, thread, startBytes, end).length === 0) return;
  state.counts.add(C.aged);
  state.emit(Path.age, true, (fanOut) => fanOut.vmFlush("age"));
}

/** kvm_set_spte_hva (until 6.8): the page is mapped again, over what was there. */
export function setSpteHva(
  state: InferenceState,
  thread: InferredThread,
  startBytes: number,
): void {
  for (const vm of vmsWithHva(state, thread, startBytes, startBytes + 1)) {
    for (const slot of vm.slots.values()) {
      const range = pagesOfHva(slot, startBytes, startBytes + 1, state.pageBytes);
      if (range === undefined) continue;
      const page = range.startPage;
      state.counts.add(C.pteSet);
      state.emit(Path.remap, true, (fanOut) => fanOut.leafReplaced(page, LAST_LEVEL));
      vm.table.addPage(page);
    }
  }
}

/** kvm_dirty_ring_reset: a VM flush after all rings of an ioctl. */
export function resetRing(state: InferenceState): void {
  state.counts.add(C.ringReset);
  state.emit(Path.dirty_ring, true, (fanOut) => fanOut.vmFlush("dirty_ring"));
}
