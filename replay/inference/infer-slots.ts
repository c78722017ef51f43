import type { MemslotFact } from "../../ingest/beside/memslots/memslot.ts";
import { Path } from "../paths.ts";
import { LAST_LEVEL } from "../stage2/geometry.ts";
import type { Logging } from "./bound-fault.ts";
import { InferenceClass } from "./classes.ts";
import { unmapPages } from "./infer-notifiers.ts";
import type { InferenceState } from "./inference-state.ts";
import { type InferredSlot, InferredVm } from "./machines.ts";

const C = InferenceClass;
const LOG_DIRTY_PAGES = 1;
const READ_ONLY = 2;
/** enum kvm_mr_change. */
const CREATE = 0;
const DELETE = 1;
const MOVE = 2;

/** A kvm_arch_commit_memory_region call, in pages of IPA and bytes of HVA. */
export interface SlotCommit {
  /** Identity of struct kvm. */
  readonly kvm: number;
  readonly pid: number;
  readonly change: number;
  readonly id: number;
  readonly basePage: number;
  readonly pages: number;
  readonly hvaBytes: number;
  readonly newFlags: number;
}

/** Memslots as the trace's own commits make, move and delete them. */
export class CommittedSlots {
  readonly #state: InferenceState;
  readonly #byKvm = new Map<number, InferredVm>();

  constructor(state: InferenceState) {
    this.#state = state;
  }

  commit(event: SlotCommit): void {
    const vm = this.#vmOf(event);
    if (event.change === DELETE) this.#delete(vm);
    else if (event.change === CREATE) this.#create(vm, event);
    else this.#alter(vm, event);
  }

  /** The VM is gone (kvm_arch_flush_shadow_all): nothing is unmapped with an invalidation any more. */
  gone(kvm: number): void {
    const vm = this.#byKvm.get(kvm);
    if (vm !== undefined) this.#forget(kvm, vm);
  }

  #vmOf(event: SlotCommit): InferredVm {
    const state = this.#state;
    let vm = this.#byKvm.get(event.kvm);
    if (vm !== undefined && event.change === CREATE && this.#isNewVm(vm, event)) {
      state.counts.add(C.staleVm);
      this.#forget(event.kvm, vm);
      vm = undefined;
    }
    if (vm !== undefined) return vm;
    // The first memslot of a VM is number 0: one that begins with another ran before the trace.
    const isNew = event.change === CREATE && event.id === 0;
    const table = state.newTable(isNew || state.beginsEmpty);
    const made = new InferredVm(`kvm ${state.vms.length}`, event.pid, table);
    this.#byKvm.set(event.kvm, made);
    state.vms.push(made);
    return made;
  }

  /** A memslot that exists cannot be created; where none was deleted, the address is another VM's now. */
  #isNewVm(vm: InferredVm, event: SlotCommit): boolean {
    return vm.unresolvedDeletions === 0 && event.id === 0 && vm.slots.has(0);
  }

  #forget(kvm: number, vm: InferredVm): void {
    const { vms, questions } = this.#state;
    questions.leaveAll(vm.table);
    vm.table.forget();
    vms.splice(vms.indexOf(vm), 1);
    this.#byKvm.delete(kvm);
  }

  #create(vm: InferredVm, event: SlotCommit): void {
    const before = vm.slots.get(event.id);
    if (before !== undefined) {
      // It was deleted, and nothing told which one that was.
      vm.unresolvedDeletions = Math.max(0, vm.unresolvedDeletions - 1);
      this.#remove(vm, before);
    }
    this.#set(vm, slotOf(event, event.newFlags));
  }

  #set(vm: InferredVm, slot: InferredSlot): void {
    vm.slots.set(slot.id, slot);
    // Whatever it was before: kvm_arch_commit_memory_region looks at the new flags only.
    if (slot.logging !== "on") return;
    this.#state.counts.add(C.logEnabled);
    this.#state.emit(Path.enable_log, true, (fanOut) => {
      fanOut.unknownWriteProtected(slot.basePage, slot.pages);
      fanOut.slotFlush(slot.basePage, slot.pages);
    });
  }

  #delete(vm: InferredVm): void {
    // A deletion's new slot is all zeros: only when no memslot is left does it show which were meant.
    vm.unresolvedDeletions += 1;
    if (vm.unresolvedDeletions < vm.slots.size) return;
    for (const slot of vm.slots.values()) this.#remove(vm, slot);
    vm.slots.clear();
    vm.unresolvedDeletions = 0;
  }

  #alter(vm: InferredVm, event: SlotCommit): void {
    const before = vm.slots.get(event.id);
    if (event.change === MOVE && before !== undefined) this.#remove(vm, before);
    this.#set(vm, slotOf(event, event.newFlags));
  }

  #remove(vm: InferredVm, slot: InferredSlot): void {
    this.#state.counts.add(C.slotRemoved);
    unmapPages(this.#state, vm, slot.basePage, slot.basePage + slot.pages, true, Path.memslot);
  }

  /** Deletions that nothing explained: any memslot of the VM, as often as there were. */
  finish(): void {
    for (const vm of this.#state.vms) {
      for (; vm.unresolvedDeletions > 0; vm.unresolvedDeletions -= 1) {
        this.#state.counts.add(C.maybeSlotRemoved);
        for (const { basePage, pages } of vm.slots.values()) {
          unmapPages(this.#state, vm, basePage, basePage + pages, false, Path.memslot);
        }
      }
    }
  }
}

function slotOf(event: SlotCommit, flags: number): InferredSlot {
  return {
    id: event.id,
    basePage: event.basePage,
    pages: event.pages,
    hvaBytes: event.hvaBytes,
    isReadOnly: (flags & READ_ONLY) !== 0,
    logging: (flags & LOG_DIRTY_PAGES) !== 0 ? "on" : "off",
    blockLevel: 2,
  };
}

/** Memslots of the user's own table, taken in and out of force as time passes. */
export class TableSlots {
  readonly #state: InferenceState;
  readonly #byName = new Map<string, InferredVm>();
  readonly #changes: readonly SlotChange[];
  #next = 0;

  constructor(state: InferenceState, facts: readonly MemslotFact[]) {
    this.#state = state;
    const numbered = facts.map((fact, i) => ({ fact, slot: slotOfFact(state, fact, i) }));
    const changes: SlotChange[] = [];
    for (const { fact, slot } of numbered) {
      changes.push({ atNs: fact.fromNs, fact, slot, isMade: true });
      if (fact.toNs !== undefined) changes.push({ atNs: fact.toNs, fact, slot, isMade: false });
    }
    // Deletions first where both are at one time: a slot that is moved.
    this.#changes = changes.sort((a, b) => compare(a, b));
  }

  /** Time of the next change, relative to the trace's base; Infinity where there is none. */
  nextNs(baseNs: bigint): number {
    const change = this.#changes[this.#next];
    if (change === undefined) return Number.POSITIVE_INFINITY;
    return change.atNs === undefined ? Number.NEGATIVE_INFINITY : Number(change.atNs - baseNs);
  }

  /** Carries out the next change. */
  step(): void {
    const { fact, slot, isMade } = this.#changes[this.#next]!;
    this.#next += 1;
    const vm = this.#vmOf(fact);
    if (isMade) {
      vm.slots.set(slot.id, slot);
      return;
    }
    vm.slots.delete(slot.id);
    this.#state.counts.add(C.slotRemoved);
    const { basePage, pages } = slot;
    unmapPages(this.#state, vm, basePage, basePage + pages, true, Path.memslot);
  }

  #vmOf(fact: MemslotFact): InferredVm {
    const state = this.#state;
    let vm = this.#byName.get(fact.vm);
    if (vm === undefined) {
      vm = new InferredVm(fact.vm, fact.pid ?? -1, state.newTable(state.beginsEmpty));
      this.#byName.set(fact.vm, vm);
      state.vms.push(vm);
    }
    return vm;
  }
}

interface SlotChange {
  readonly atNs: bigint | undefined;
  readonly fact: MemslotFact;
  readonly slot: InferredSlot;
  readonly isMade: boolean;
}

function compare(a: SlotChange, b: SlotChange): number {
  if (a.atNs === b.atNs) return Number(a.isMade) - Number(b.isMade);
  if (a.atNs === undefined) return -1;
  if (b.atNs === undefined) return 1;
  return a.atNs < b.atNs ? -1 : 1;
}

function slotOfFact(state: InferenceState, fact: MemslotFact, number: number): InferredSlot {
  return {
    // Numbers of the table's lines: a slot number may come again.
    id: number,
    basePage: Math.floor(fact.ipaBytes / state.pageBytes),
    pages: Math.ceil(fact.lenBytes / state.pageBytes),
    hvaBytes: fact.hvaBytes ?? Number.NaN,
    isReadOnly: fact.isReadOnly,
    logging: loggingOf(fact.isLogged),
    blockLevel: blockLevelOf(state, fact.backingBytes),
  };
}

function loggingOf(isLogged: boolean | undefined): Logging {
  if (isLogged === undefined) return "unknown";
  return isLogged ? "on" : "off";
}

/** The coarsest level whose block the backing's pages fill; level 2 where it is not said. */
function blockLevelOf(
  { geometry, pageBytes }: InferenceState,
  backing: number | undefined,
): number {
  if (backing === undefined) return 2;
  for (let level = geometry.minBlockLevel; level < LAST_LEVEL; level += 1) {
    if (geometry.spanPages[level]! * pageBytes <= backing) return level;
  }
  return LAST_LEVEL;
}
