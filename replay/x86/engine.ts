import type { Diagnostics } from "../../ingest/diagnostics.ts";
import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import { Path } from "../paths.ts";
import { Primitive } from "../tlbi/primitives.ts";
import type { X86Books } from "./books.ts";
import { SpteChanges } from "./spte-changes.ts";
import type { X86Task } from "./task.ts";

const K = EventKind;
const LOG_DIRTY = 1;
const DELETE = 1;
const MOVE = 2;
const FLAGS_ONLY = 3;

/** Paths whose walk may yield in its middle. */
const YIELDING: ReadonlySet<number> = new Set([
  Path.unmap,
  Path.memslot,
  Path.teardown,
  Path.disable_log,
  Path.zap,
]);

/** One pass over the events of an x86 trace: which operation a thread is in, what it changes, when it flushes. */
export class X86Engine {
  readonly #books: X86Books;
  readonly #diagnostics: Diagnostics;
  readonly #changes: SpteChanges;
  readonly #operationsOnly: boolean;
  flushesRecorded = 0;
  /** Changed entries and operations. */
  operations = 0;

  constructor(books: X86Books, diagnostics: Diagnostics, operationsOnly: boolean) {
    this.#books = books;
    this.#diagnostics = diagnostics;
    this.#changes = new SpteChanges(books);
    this.#operationsOnly = operationsOnly;
  }

  consume(batch: EventBatch): void {
    let gapLine = this.#diagnostics.nextGapLine;
    for (let row = 0; row < batch.length; row += 1) {
      if (batch.line[row]! > gapLine) {
        this.#lost();
        this.#diagnostics.passGaps(batch.line[row]!);
        gapLine = this.#diagnostics.nextGapLine;
      }
      const kind = batch.kind[row]!;
      if (kind !== K.other) this.#event(batch, row, kind);
    }
  }

  finish(): void {
    for (const task of this.#books.tasks()) this.#close(task);
  }

  #close(task: X86Task): void {
    if (task.bracket.isOpen) this.#changes.closeTables(task);
    this.#books.close(task, this.#operationsOnly && YIELDING.has(task.bracket.path));
  }

  #lost(): void {
    this.#books.lost();
  }

  #event(batch: EventBatch, row: number, kind: number): void {
    if (kind === K.lost) {
      this.#lost();
      return;
    }
    const task = this.#books.task(batch.pid[row]!);
    const kvm = batch.kvm[row]!;
    if (kvm !== 0) {
      if (task.kvm !== kvm) this.#books.running.note(kvm);
      task.kvm = kvm;
      if (task.bracket.kvm === 0) task.bracket.kvm = kvm;
    }
    this.#books.now(batch.tsNs[row]!);
    switch (kind) {
      case K.spte_changed:
        this.operations += 1;
        this.#changes.changed(batch, row, task);
        return;
      case K.fast_page_fault:
      case K.page_fault:
      case K.tdp_map:
        if (kind === K.page_fault) this.#books.faulted(task, batch.addr[row]!);
        // One fault tells several of these.
        this.#open(batch, row, task, Path.collapse, kind !== K.tdp_map);
        return;
      case K.set_spte:
      case K.make_huge_spte:
      case K.split_huge_page:
        return;
      default:
        if (!this.#flush(batch, row, task, kind)) this.#operation(batch, row, task, kind);
    }
  }

  /** Flushes and what asks for them; false for any other kind. */
  #flush(batch: EventBatch, row: number, task: X86Task, kind: number): boolean {
    switch (kind) {
      case K.remote_range:
      case K.arch_remote_range:
        task.askedGfn = batch.addr[row]!;
        task.askedPages = batch.len[row]!;
        task.isNamed = true;
        return true;
      case K.remote_memslot:
      case K.arch_remote_memslot:
        task.askedPages = 0;
        task.isNamed = true;
        return true;
      case K.remote:
        this.#recorded(batch, row, task, Primitive.VM);
        return true;
      case K.hv_flush_range:
        task.askedGfn = batch.addr[row]!;
        task.askedPages = batch.len[row]!;
        this.#recorded(batch, row, task, Primitive.RANGE);
        return true;
      case K.arch_remote:
      case K.hv_flush:
      case K.cpus_request:
        return true;
      default:
        return false;
    }
  }

  #recorded(batch: EventBatch, row: number, task: X86Task, primitive: number): void {
    this.flushesRecorded += 1;
    const { bracket } = task;
    const line = batch.line[row]!;
    if (!bracket.isOpen) this.#books.open(task, Path.unattributed, line, batch.kvm[row]!);
    const canYield = !task.isNamed && YIELDING.has(bracket.path) && !this.#operationsOnly;
    // A flush that names a range may be for one of several tables that are being removed.
    if (!task.isNamed) this.#changes.closeTables(task);
    for (const policy of this.#books.policies) policy.flushed(bracket, canYield);
    const page = task.askedPages > 0 ? task.askedGfn : 0;
    bracket.recorded.push(primitive, task.kvm, page, task.askedPages, 0, line);
    this.#books.flushRecorded(task.kvm);
    task.askedPages = 0;
    task.isNamed = false;
  }

  #operation(batch: EventBatch, row: number, task: X86Task, kind: number): void {
    switch (kind) {
      case K.unmap_hva:
        this.#open(batch, row, task, Path.unmap, true);
        task.bracket.isNotifier = true;
        return;
      case K.unmap_hva_call:
      case K.unmap_gfn:
        this.#open(batch, row, task, Path.unmap, this.#beginsUnmap(task));
        return;
      case K.zap_leafs:
        return;
      case K.commit_region:
        this.#commit(batch, row, task);
        return;
      case K.slot_split:
      case K.slot_wrprotect:
      case K.slot_clear_dirty:
        this.#slot(batch, row, task, kind);
        return;
      case K.enable_log_pt_masked:
        this.#mask(batch, row, task);
        return;
      case K.zap_collapsible:
      case K.recover_huge_pages:
        this.#open(batch, row, task, Path.disable_log, false);
        return;
      case K.flush_shadow_memslot:
        this.#open(batch, row, task, Path.memslot, true);
        return;
      case K.zap_all_fast:
        this.#open(batch, row, task, Path.memslot, false);
        task.bracket.rootsInvalidated = true;
        return;
      case K.flush_shadow_all:
        this.#open(batch, row, task, Path.teardown, true);
        return;
      case K.zap_all:
      case K.zap_root:
        if (task.bracket.isOpen && task.bracket.path === Path.memslot) {
          task.bracket.rootsInvalidated = true;
        } else this.#open(batch, row, task, Path.teardown, false);
        return;
      default:
        this.#otherOperation(batch, row, task, kind);
    }
  }

  /**
   * A notifier calls once a memslot, and flushes once. Without its own tracepoint a call after one that has
   * changed something is taken for another notifier's.
   */
  #beginsUnmap({ bracket }: X86Task): boolean {
    return bracket.recorded.length > 0 || (bracket.changes > 0 && !bracket.isNotifier);
  }

  #otherOperation(batch: EventBatch, row: number, task: X86Task, kind: number): void {
    switch (kind) {
      case K.zap_gfn_range:
        this.#open(batch, row, task, Path.zap, true);
        return;
      case K.age_gfn:
      case K.age_hva:
        this.#open(batch, row, task, Path.age, kind === K.age_hva);
        return;
      case K.set_spte_gfn:
        this.#open(batch, row, task, Path.remap, false);
        return;
      case K.test_age_gfn:
      case K.set_spte_hva:
      case K.test_age_hva:
      case K.marker:
        this.#close(task);
        return;
      case K.destroy_vm:
        this.#close(task);
        this.#books.destroyed(batch.kvm[row]!, batch.arg0[row]!, batch.arg1[row]!);
        return;
      case K.kvm_entry:
        this.#close(task);
        this.#books.entered(task, batch.cpu[row]!);
        return;
      case K.kvm_exit:
        this.#books.left(task, batch.cpu[row]!);
        return;
      case K.userspace_exit:
        this.#close(task);
        return;
      default:
        return;
    }
  }

  /** @param begins whether this event always begins an operation; otherwise one of the same path goes on. */
  #open(batch: EventBatch, row: number, task: X86Task, path: number, begins: boolean): void {
    const { bracket } = task;
    const kvm = batch.kvm[row]!;
    const isOtherVm = kvm !== 0 && bracket.kvm !== kvm;
    if (bracket.isOpen && bracket.path === path && !begins && !isOtherVm) return;
    this.#close(task);
    if (path !== Path.collapse) this.operations += 1;
    this.#books.open(task, path, batch.line[row]!, kvm);
  }

  #commit(batch: EventBatch, row: number, task: X86Task): void {
    const change = batch.arg0[row]!;
    const before = Number.isNaN(batch.arg1[row]!) ? 0 : batch.arg1[row]! & LOG_DIRTY;
    const after = batch.arg2[row]! & LOG_DIRTY;
    if (change === DELETE) {
      this.#open(batch, row, task, Path.memslot, true);
      return;
    }
    const isFlags = change === FLAGS_ONLY || change === MOVE;
    const path = !isFlags || before === after ? Path.memslot : logPath(after);
    this.#open(batch, row, task, path, true);
    task.bracket.slotGfn = batch.addr[row]!;
    task.bracket.slotPages = batch.len[row]!;
  }

  #slot(batch: EventBatch, row: number, task: X86Task, kind: number): void {
    const { bracket } = task;
    const isLogging =
      bracket.isOpen && (bracket.path === Path.enable_log || bracket.path === Path.dirty_log);
    if (!isLogging) this.#open(batch, row, task, Path.enable_log, true);
    task.isSplitting = kind === K.slot_split;
    if (kind !== K.slot_split) bracket.slotProtected = true;
  }

  #mask(batch: EventBatch, row: number, task: X86Task): void {
    const { bracket } = task;
    const isRead = bracket.isOpen && bracket.path === Path.dirty_log;
    this.#open(batch, row, task, Path.dirty_log, !isRead || bracket.recorded.length > 0);
    task.isSplitting = false;
    if (batch.arg1[row] !== 0 || batch.arg2[row] !== 0) bracket.maskedWords += 1;
  }
}

function logPath(isOn: number): number {
  return isOn === 0 ? Path.disable_log : Path.enable_log;
}
