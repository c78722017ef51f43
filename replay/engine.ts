import type { EventBatch } from "../ingest/events/columns.ts";
import { EVENT_KINDS, EventKind, X86_EVENT_KINDS } from "../ingest/events/kinds.ts";
import { Brackets, type RequestMode } from "./operations/brackets.ts";
import { ScopeEvents } from "./operations/scope-events.ts";
import { Bracket, Call, type Task } from "./operations/task.ts";
import { VcpuLoads } from "./operations/vcpu-loads.ts";
import { clearYoung, setYoung } from "./stage2/attributes.ts";
import type { ReplayState } from "./state.ts";
import { isRange } from "./tlbi/range-encoder.ts";
import { Primitive } from "./tlbi/primitives.ts";

const K = EventKind;

/** Kinds that say nothing of stage 2, whichever architecture's trace they are in. */
const IS_FOREIGN = Uint8Array.from(EVENT_KINDS, (kind) => (X86_EVENT_KINDS.has(kind) ? 1 : 0));

/** Sees each row before the replay does. */
export interface RowObserver {
  before(batch: EventBatch, row: number): void;
}

/** One pass over the events of a trace: tells each to whom it concerns. The most frequent come first. */
export class ReplayEngine {
  readonly #state: ReplayState;
  readonly #scopes: ScopeEvents;
  readonly #vcpus: VcpuLoads;
  readonly #brackets: Brackets;

  constructor(state: ReplayState, requestMode: RequestMode, primitivesRecorded: boolean) {
    this.#state = state;
    this.#scopes = new ScopeEvents(state);
    this.#vcpus = new VcpuLoads(state);
    this.#brackets = new Brackets({
      state,
      scopes: this.#scopes,
      vcpus: this.#vcpus,
      requestMode,
      primitivesRecorded,
    });
  }

  get primitivesRecorded(): boolean {
    return this.#brackets.primitivesRecorded;
  }

  /** @param observer sees each row first. */
  consume(batch: EventBatch, observer?: RowObserver): void {
    const { diagnostics } = this.#state;
    let gapLine = diagnostics.nextGapLine;
    for (let row = 0; row < batch.length; row += 1) {
      if (batch.line[row]! > gapLine) {
        // A line that could not be read may have been an event of any thread.
        this.#brackets.lost(batch.line[row]!);
        diagnostics.passGaps(batch.line[row]!);
        gapLine = diagnostics.nextGapLine;
      }
      if (observer !== undefined) observer.before(batch, row);
      this.#event(batch, row);
    }
  }

  finish(): void {
    this.#brackets.finish();
  }

  #event(batch: EventBatch, row: number): void {
    const kind = batch.kind[row]!;
    switch (kind) {
      case K.other:
        return;
      case K.kvm_entry:
      case K.kvm_exit:
      case K.vcpu_event:
      case K.nested_eret:
      case K.nested_exception:
        this.#vcpuEvent(batch, row, kind);
        return;
      case K.guest_fault:
        this.#guestFault(batch, row);
        return;
      case K.map:
        this.#map(batch, row);
        return;
      case K.map_ret:
        this.#brackets.returned(batch, row, Call.map);
        return;
      case K.relax_perms:
        this.#brackets.open(batch, row, Call.relax);
        return;
      case K.relax_perms_ret:
        this.#brackets.returned(batch, row, Call.relax);
        return;
      default:
        if (IS_FOREIGN[kind] === 1) return;
        if (!this.#primitive(batch, row, kind) && !this.#call(batch, row, kind)) {
          this.#otherEvent(batch, row, kind);
        }
    }
  }

  /** Recorded invalidations; false for any other kind. */
  #primitive(batch: EventBatch, row: number, kind: number): boolean {
    switch (kind) {
      case K.hw_vmid:
        this.#brackets.primitive(batch, row, Primitive.VM, 0);
        return true;
      case K.hw_vmid_ipa:
        this.#brackets.primitive(batch, row, Primitive.IPA, 1);
        return true;
      case K.hw_vmid_ipa_nsh:
        this.#brackets.primitive(batch, row, Primitive.IPA_LOCAL, 1);
        return true;
      case K.hw_vmid_range:
        this.#rangePrimitive(batch, row);
        return true;
      case K.hw_cpu_context:
        this.#brackets.cpuContext(batch, row);
        return true;
      case K.hw_vm_context:
        this.#brackets.vmContext(batch, row);
        return true;
      default:
        return false;
    }
  }

  /** KVM maps one leaf a call (or one page, of a device): a longer one is not what was executed. */
  #map(batch: EventBatch, row: number): void {
    const { geometry } = this.#state;
    const lenPages = this.#state.pageOf(batch.len[row]!);
    if (!(lenPages > geometry.spanPages[geometry.minBlockLevel]!)) {
      this.#brackets.openMap(batch, row);
      return;
    }
    const detail = `kvm_pgtable_stage2_map of ${lenPages} pages, more than any leaf has`;
    this.#state.diagnostics.add("BAD_NUMBER", detail, batch.line[row]);
    this.#brackets.lost(batch.line[row]!);
  }

  /** KVM hands over no other ranges than the encoder takes: anything else is not what was executed. */
  #rangePrimitive(batch: EventBatch, row: number): void {
    const lenPages = batch.len[row]!;
    const ipaPage = this.#state.pageOf(batch.addr[row]!);
    if (isRange(ipaPage, lenPages)) {
      this.#brackets.primitive(batch, row, Primitive.RANGE, lenPages);
      return;
    }
    const detail = `__kvm_tlb_flush_vmid_range of ${lenPages} pages at page ${ipaPage}`;
    this.#state.diagnostics.add("BAD_NUMBER", detail, batch.line[row]);
  }

  /** Entries and returns of the rarer page-table calls; false for any other kind. */
  #call(batch: EventBatch, row: number, kind: number): boolean {
    switch (kind) {
      case K.unmap:
        this.#brackets.open(batch, row, Call.unmap);
        return true;
      case K.unmap_ret:
        this.#brackets.returned(batch, row, Call.unmap);
        return true;
      case K.wrprotect:
        this.#brackets.open(batch, row, Call.wrprotect);
        return true;
      case K.wrprotect_ret:
        this.#brackets.returned(batch, row, Call.wrprotect);
        return true;
      case K.split:
        this.#brackets.open(batch, row, Call.split);
        return true;
      case K.split_ret:
        this.#brackets.returned(batch, row, Call.split);
        return true;
      default:
        return false;
    }
  }

  #otherEvent(batch: EventBatch, row: number, kind: number): void {
    const task = this.#state.task(batch.pid[row]!);
    switch (kind) {
      case K.lost:
        this.#brackets.lost(batch.line[row]!);
        return;
      case K.mkyoung:
      case K.mkold:
      case K.test_clear_young:
        this.#access(batch, row, kind);
        return;
      case K.remote:
      case K.remote_range:
      case K.remote_memslot:
      case K.arch_remote:
      case K.arch_remote_range:
      case K.arch_remote_memslot:
      case K.tlb_range:
        this.#brackets.request(batch, row, task, kind);
        return;
      case K.free_unlinked:
      case K.flush_dcache:
      case K.is_young:
        return;
      case K.set_owner:
        this.#state.diagnostics.add(
          "UNSUPPORTED_EVENT",
          "kvm_pgtable_stage2_set_owner (protected KVM) is not replayed",
          batch.line[row],
        );
        return;
      default:
        this.#scopeEvent(batch, row, kind, task);
    }
  }

  /** What a thread does outside calls and requests: whatever it had open without a return is over. */
  #scopeEvent(batch: EventBatch, row: number, kind: number, task: Task): void {
    task.isPlaced = true;
    this.#brackets.close(task);
    if (kind !== K.apply_range) this.#scopes.applyPendingProtect(task);
    if (!this.#scopes.continuesProtectSequence(batch, row, kind)) {
      this.#brackets.endProtectSequence(task);
    }
    if (kind === K.destroy) this.#scopes.destroy(batch, row, task);
    else this.#scopes.event(batch, row, kind, task);
    if (kind === K.destroy || kind === K.free_pgd) this.#brackets.settle(task);
  }

  #vcpuEvent(batch: EventBatch, row: number, kind: number): void {
    const task = this.#state.task(batch.pid[row]!);
    const isSwitch = kind === K.kvm_entry || kind === K.kvm_exit;
    if (isSwitch && task.bracket !== Bracket.none) this.#brackets.close(task);
    if (isSwitch) {
      this.#scopes.applyPendingProtect(task);
      task.isPlaced = true;
      this.#brackets.endProtectSequence(task);
      this.#scopes.leave(task);
    }
    this.#vcpus.seen(task, batch.cpu[row]!, batch.line[row]!, this.primitivesRecorded);
  }

  #guestFault(batch: EventBatch, row: number): void {
    const task = this.#state.task(batch.pid[row]!);
    task.isPlaced = true;
    this.#brackets.close(task);
    this.#scopes.applyPendingProtect(task);
    this.#brackets.endProtectSequence(task);
    this.#scopes.leave(task);
    this.#vcpus.seen(task, batch.cpu[row]!, batch.line[row]!, this.primitivesRecorded);
    task.faultPage = this.#state.pageOf(batch.addr[row]!);
    task.faultSyndrome = batch.arg0[row]!;
  }

  #access(batch: EventBatch, row: number, kind: number): void {
    const state = this.#state;
    const task = state.task(batch.pid[row]!);
    this.#brackets.close(task);
    const context = this.#brackets.contextOf(
      task,
      batch.pgt[row]!,
      batch.mmu[row]!,
      batch.line[row]!,
    );
    const addr = batch.addr[row]!;
    const page = state.pageOf(addr);
    if (kind === K.mkyoung) setYoung(context.table, page);
    else if (kind === K.mkold) clearYoung(context.table, page, page + 1);
    else if (batch.arg0[row] === 1) {
      clearYoung(context.table, page, page + state.pagesIn(batch.len[row]!));
    }
  }
}
