import type { EventBatch } from "../../ingest/events/columns.ts";
import { APPLIED_FUNCTIONS, EventKind } from "../../ingest/events/kinds.ts";
import type { Stage2Context, VirtualMachine } from "../contexts/context.ts";
import { Path } from "../paths.ts";
import { mostIpaPages } from "../stage2/geometry.ts";
import { unmapRange } from "../stage2/unmap.ts";
import type { ReplayState } from "../state.ts";
import { protectRange } from "./calls.ts";
import type { Task } from "./task.ts";

const K = EventKind;
const APPLIED_UNMAP = APPLIED_FUNCTIONS.indexOf("kvm_pgtable_stage2_unmap");
const APPLIED_WRPROTECT = APPLIED_FUNCTIONS.indexOf("kvm_pgtable_stage2_wrprotect");

/** kvm_mr_change. */
const MemoryRegionChange = { create: 0, delete: 1, move: 2, flagsOnly: 3 } as const;
const KVM_MEM_LOG_DIRTY_PAGES = 1;

/** VMMs number memslots from 0 (QEMU within each address space, bits 31:16): another is added in mid-life. */
function isFirstSlot(slotId: number): boolean {
  return Number.isNaN(slotId) || (slotId & 0xffff) === 0;
}

/**
 * Events around the page-table calls: they say why a call happens, on which VM, and over which range
 * in all. None of them has a return; a scope lasts until its range is done or its thread does
 * something else.
 */
export class ScopeEvents {
  readonly #state: ReplayState;

  constructor(state: ReplayState) {
    this.#state = state;
  }

  event(batch: EventBatch, row: number, kind: number, task: Task): void {
    if (kind === K.commit_region) {
      this.#commitRegion(batch, row, task);
      return;
    }
    if (kind === K.apply_range || kind === K.unmap_range) {
      this.#range(batch, row, kind, task);
      return;
    }
    const vm = this.#vmOf(batch.kvm[row]!);
    switch (kind) {
      case K.unmap_gfn:
        this.#enter(task, Path.unmap, vm);
        break;
      case K.flush_shadow_memslot:
        this.#enter(task, Path.memslot, vm);
        break;
      case K.nested_wp:
        // Part of the write-protection of a memslot, whose flush is still due.
        break;
      case K.nested_unmap:
      case K.nested_tlbi_ipa:
      case K.nested_tlbi_range:
      case K.nested_tlbi_s1:
        this.#enter(task, Path.nested, vm ?? task.scopeVm);
        break;
      case K.wp_range:
        this.#wpRange(batch, row, task);
        break;
      case K.enable_log_pt_masked:
        this.#maskWord(batch, row, task, vm);
        break;
      case K.age_gfn:
        this.leave(task);
        task.agePending = true;
        task.scopeVm = vm;
        break;
      case K.dirty_ring_reset:
        task.ringResetPending = true;
        break;
      case K.flush_shadow_all:
        this.#enter(task, Path.teardown, vm);
        if (vm !== undefined) this.#state.contexts.vmGone(vm.kvm);
        break;
      case K.free_pgd:
        this.#free(task, this.#state.contexts.ofMmu(batch.mmu[row]!));
        break;
      case K.userspace_exit:
      case K.marker:
        this.leave(task);
        break;
      default:
        break;
    }
  }

  /** kvm_pgtable_stage2_destroy: the table is gone, without any TLBI (5.10 on). */
  destroy(batch: EventBatch, row: number, task: Task): void {
    this.#free(task, this.#state.contexts.ofPgt(batch.pgt[row]!));
  }

  /** The thread left the scope of whatever it was doing before. */
  leave(task: Task): void {
    task.scopePath = Path.unattributed;
    task.scopeVm = undefined;
    task.scopeObject = 0;
    task.scopeEndPage = 0;
    task.agePending = false;
    task.ringResetPending = false;
    task.protect.reset();
  }

  /** A page-table call ended: an unmap of the whole range ends its scope. */
  callEnded(task: Task): void {
    if (task.scopeEndPage === 0 || task.endPage < task.scopeEndPage) return;
    task.scopeEndPage = 0;
    if (task.scopePath !== Path.nested) task.scopePath = Path.unattributed;
  }

  requestEnded(task: Task): void {
    task.protect.reset();
  }

  /** Would this event extend the write-protect sequence of its thread? */
  continuesProtectSequence(batch: EventBatch, row: number, kind: number): boolean {
    if (kind === K.wp_range || kind === K.nested_wp || kind === K.dirty_ring_reset) return true;
    if (kind === K.apply_range) return batch.arg0[row] === APPLIED_WRPROTECT;
    if (kind !== K.enable_log_pt_masked) return false;
    const { protect } = this.#state.task(batch.pid[row]!);
    return batch.addr[row] === protect.basePage && batch.arg0[row]! > protect.lastOffset;
  }

  /**
   * kvm_stage2_wp_range: stands for the calls in it where those were not recorded, which only what comes
   * next shows.
   */
  #wpRange(batch: EventBatch, row: number, task: Task): void {
    task.tsNs = batch.tsNs[row]!;
    task.cpu = batch.cpu[row]!;
    const startPage = this.#state.pageOf(batch.addr[row]!);
    task.pendingProtect = {
      mmu: batch.mmu[row]!,
      startPage,
      endPage: startPage + this.#state.pagesIn(batch.len[row]!),
      line: batch.line[row]!,
    };
  }

  /** The calls that kvm_stage2_wp_range makes did not come: it is carried out itself. */
  applyPendingProtect(task: Task): void {
    const { pendingProtect } = task;
    if (pendingProtect === undefined) return;
    task.pendingProtect = undefined;
    const { mmu, startPage, endPage, line } = pendingProtect;
    const context = this.#state.contexts.resolve(0, mmu, this.vmHint(task), line);
    const { table } = context;
    protectRange(this.#state, task, context, startPage, Math.min(endPage, table.pages));
    this.protectedBy(task, context);
  }

  /** A wrprotect call began on this context. */
  protectedBy(task: Task, context: Stage2Context): void {
    task.pendingProtect = undefined;
    if (context.isShadow) return;
    task.protect.isDue = true;
    task.protect.context = context;
  }

  /** The VM that the task's scope speaks of: for a context seen for the first time. */
  vmHint(task: Task): VirtualMachine | undefined {
    return task.scopeVm ?? task.protect.vm ?? task.vcpuContext?.vm;
  }

  /** A call's context is known now: it is what the scope's object and VM belong to. */
  bindScope(task: Task, context: Stage2Context): void {
    const { contexts } = this.#state;
    const object = task.scopeObject;
    task.scopeObject = 0;
    if (object !== 0 && object !== context.mmu) {
      const vm = contexts.vmOf(object);
      if (vm !== undefined) contexts.attach(context, vm);
      else contexts.bindMmuIfFree(context, object);
    }
    const hint = task.scopeVm ?? task.protect.vm;
    if (hint !== undefined && task.scopePath !== Path.nested) contexts.attach(context, hint);
  }

  #enter(task: Task, path: number, vm: VirtualMachine | undefined): void {
    this.leave(task);
    task.scopePath = path;
    task.scopeVm = vm;
  }

  /** The first argument of stage2_apply_range is a mmu, or (≤ 6.1) a kvm: which, the call inside tells. */
  #range(batch: EventBatch, row: number, kind: number, task: Task): void {
    const isUnmap = kind === K.unmap_range || batch.arg0[row] === APPLIED_UNMAP;
    task.scopeObject = batch.mmu[row]!;
    if (!isUnmap) return;
    const addr = batch.addr[row]!;
    for (const scope of task.ledger.scopes) scope.reset();
    task.scopeStartPage = this.#state.pageOf(addr);
    task.scopeEndPage = task.scopeStartPage + this.#state.pagesIn(batch.len[row]!);
  }

  /** GET/CLEAR_DIRTY_LOG, one 64-page word: kvm_arch_mmu_enable_log_dirty_pt_masked. */
  #maskWord(batch: EventBatch, row: number, task: Task, vm: VirtualMachine | undefined): void {
    const { protect } = task;
    const basePage = batch.addr[row]!;
    if (protect.path !== Path.dirty_log || protect.basePage !== basePage) {
      const slot = vm?.slotAt(basePage);
      protect.begin(Path.dirty_log, vm, basePage, slot?.pages ?? Number.NaN);
    }
    protect.lastOffset = batch.arg0[row]!;
    protect.words += 1;
  }

  #commitRegion(batch: EventBatch, row: number, task: Task): void {
    this.leave(task);
    const change = batch.arg0[row]!;
    const slotId = batch.arg3[row]!;
    const vm = this.#state.contexts.vm(
      batch.kvm[row]!,
      change === MemoryRegionChange.create && isFirstSlot(slotId),
      batch.line[row],
    );
    const basePage = batch.addr[row]!;
    const pages = batch.len[row]!;
    if (change === MemoryRegionChange.delete) {
      // The fields of a deleted slot are all zero, its id too: it is found when it is made again.
      return;
    }
    vm.setSlot(slotId, { basePage, pages });
    const logsNow = (batch.arg2[row]! & KVM_MEM_LOG_DIRTY_PAGES) !== 0;
    // A new slot has no old one: what a probe read behind that NULL pointer means nothing (perf prints
    // what its buffer held before).
    const oldFlags = change === MemoryRegionChange.create ? 0 : batch.arg1[row]!;
    const loggedBefore = (oldFlags & KVM_MEM_LOG_DIRTY_PAGES) !== 0;
    if (logsNow && !loggedBefore) task.protect.begin(Path.enable_log, vm, basePage, pages);
  }

  /** kvm_free_stage2_pgd: older kernels unmap everything first. */
  #free(task: Task, context: Stage2Context | undefined): void {
    if (context === undefined) return;
    const { teardownFanOut } = this.#state;
    if (teardownFanOut !== undefined) {
      this.#state.enter(task, context, Path.teardown);
      task.path = Path.teardown;
      task.context = context;
      const { table } = context;
      const pages = Math.min(table.pages, mostIpaPages(table.geometry, context.rootLevel));
      unmapRange(table, 0, pages, teardownFanOut);
      teardownFanOut.unmapEnd(0, pages);
    }
    this.#state.contexts.destroyed(context);
  }

  #vmOf(kvm: number): VirtualMachine | undefined {
    return kvm === 0 ? undefined : this.#state.contexts.vm(kvm, false);
  }
}
