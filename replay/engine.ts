import type { EventBatch } from "../ingest/events/columns.ts";
import { EventKind } from "../ingest/events/kinds.ts";
import type { Stage2Context } from "./contexts/context.ts";
import { applyCall, leafFlagsOf } from "./operations/calls.ts";
import { applyProtectSequence, applyRequest } from "./operations/requests.ts";
import { RequestEvents } from "./operations/request-events.ts";
import { ScopeEvents } from "./operations/scope-events.ts";
import { Bracket, Call, NO_RETURN, type Task } from "./operations/task.ts";
import { VcpuLoads } from "./operations/vcpu-loads.ts";
import { Path } from "./paths.ts";
import { clearYoung, setYoung } from "./stage2/attributes.ts";
import type { ReplayState } from "./state.ts";
import { Primitive } from "./tlbi/primitives.ts";

const K = EventKind;

/**
 * `recorded`: the trace has flush requests; `ignored`: predict without them (operations only);
 * `detect`: use them from the first one on.
 */
export type RequestMode = "recorded" | "ignored" | "detect";

/** Whether a call's return is recorded: not known until the first one is seen or missing. */
const Returns = { maybe: 0, yes: 1, no: 2 } as const;

/**
 * One pass over the events of a trace: brackets calls with what happens inside them, carries them out
 * on the model, and settles each bracket with all policies.
 *
 * A call takes effect at its return, or at its first recorded invalidation if that comes earlier;
 * where the trace records no returns, when it begins. Calls of one thread nest; calls of several
 * threads may overlap (faults run in parallel from 6.2 on).
 */
export class ReplayEngine {
  readonly #state: ReplayState;
  readonly #scopes: ScopeEvents;
  readonly #requests: RequestEvents;
  readonly #vcpus: VcpuLoads;
  readonly #requestMode: RequestMode;
  /** Use flush requests that the trace recorded; without, flushes are derived from what precedes them. */
  #useRequests: boolean;
  readonly #returns = new Uint8Array(8);
  /** Primitive probes are enabled: known from the probe list, or from the first recorded call. */
  #primitivesRecorded: boolean;
  #openCalls = 0;

  constructor(state: ReplayState, requestMode: RequestMode, primitivesRecorded: boolean) {
    this.#state = state;
    this.#requestMode = requestMode;
    this.#useRequests = requestMode === "recorded";
    this.#primitivesRecorded = primitivesRecorded;
    this.#scopes = new ScopeEvents(state);
    this.#requests = new RequestEvents(state);
    this.#vcpus = new VcpuLoads(state);
  }

  get primitivesRecorded(): boolean {
    return this.#primitivesRecorded;
  }

  get vcpuLoads(): VcpuLoads {
    return this.#vcpus;
  }

  consume(batch: EventBatch): void {
    for (let row = 0; row < batch.length; row += 1) this.#event(batch, row);
  }

  /** The trace is over: settles what is still open. */
  finish(): void {
    for (const task of this.#state.tasks) {
      if (task.bracket === Bracket.call) {
        this.#state.diagnostics.add(
          "OPERATION_CUT",
          "the trace ends inside a page-table call",
          task.line,
        );
      }
      this.#close(task);
      if (task.protect.isDue && task.protect.words > 0 && !this.#useRequests) {
        this.#flushProtectSequence(task);
      }
    }
  }

  #event(batch: EventBatch, row: number): void {
    const kind = batch.kind[row]!;
    switch (kind) {
      case K.other:
        return;
      case K.kvm_entry:
      case K.kvm_exit:
      case K.vcpu_event:
        this.#vcpuEvent(batch, row, kind);
        return;
      case K.guest_fault:
        this.#guestFault(batch, row);
        return;
      case K.map:
        this.#openMap(batch, row);
        return;
      case K.map_ret:
        this.#return(batch, row, Call.map);
        return;
      case K.relax_perms:
        this.#open(batch, row, Call.relax);
        return;
      case K.relax_perms_ret:
        this.#return(batch, row, Call.relax);
        return;
      case K.hw_vmid:
        this.#primitive(batch, row, Primitive.VM, 0);
        return;
      case K.hw_vmid_ipa:
        this.#primitive(batch, row, Primitive.IPA, 1);
        return;
      case K.hw_vmid_ipa_nsh:
        this.#primitive(batch, row, Primitive.IPA_LOCAL, 1);
        return;
      case K.hw_vmid_range:
        this.#primitive(batch, row, Primitive.RANGE, batch.len[row]!);
        return;
      default:
        this.#rareEvent(batch, row, kind);
    }
  }

  #rareEvent(batch: EventBatch, row: number, kind: number): void {
    const task = this.#state.task(batch.pid[row]!);
    switch (kind) {
      case K.unmap:
        this.#open(batch, row, Call.unmap);
        return;
      case K.unmap_ret:
        this.#return(batch, row, Call.unmap);
        return;
      case K.wrprotect:
        this.#open(batch, row, Call.wrprotect);
        return;
      case K.wrprotect_ret:
        this.#return(batch, row, Call.wrprotect);
        return;
      case K.split:
        this.#open(batch, row, Call.split);
        return;
      case K.split_ret:
        this.#return(batch, row, Call.split);
        return;
      case K.hw_cpu_context:
        this.#cpuContext(batch, row);
        return;
      case K.hw_vm_context:
        this.#primitivesRecorded = true;
        this.#state.settlement.addLoose(Primitive.ALL, 0, 0, Path.vmid_rollover);
        for (const agreement of this.#state.settlement.agreements) {
          agreement.addLoose(Primitive.ALL, 0, 0, batch.line[row]!, "unknown");
        }
        return;
      case K.lost:
        this.#lost();
        return;
      case K.mkyoung:
      case K.mkold:
      case K.test_clear_young:
        this.#access(batch, row, kind);
        return;
      case K.destroy:
        this.#closeCall(task);
        this.#scopes.destroy(batch, row);
        return;
      case K.remote:
      case K.remote_range:
      case K.remote_memslot:
      case K.arch_remote:
      case K.arch_remote_range:
      case K.arch_remote_memslot:
      case K.tlb_range:
        this.#request(batch, row, task, kind);
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
        // Scopes and everything else of the thread's own: an open request or call without return is over.
        this.#close(task);
        if (!this.#scopes.continuesProtectSequence(batch, row, kind)) {
          this.#endProtectSequence(task);
        }
        this.#scopes.event(batch, row, kind, task);
    }
  }

  // ── page-table calls ─────────────────────────────────────────────────────────────────────────

  #openMap(batch: EventBatch, row: number): void {
    const task = this.#open(batch, row, Call.map);
    task.physPage = this.#state.pageOf(batch.phys[row]!);
    task.flags = leafFlagsOf(batch.prot[row]!, this.#state.hasTwoExecuteBits);
    if (this.#returns[Call.map] === Returns.no) this.#closeCall(task);
  }

  #open(batch: EventBatch, row: number, call: number): Task {
    const state = this.#state;
    const task = state.task(batch.pid[row]!);
    this.#close(task);
    if (call !== Call.wrprotect && call !== Call.split) this.#endProtectSequence(task);
    const line = batch.line[row]!;
    const addr = batch.addr[row]!;
    const length = batch.len[row]!;
    task.bracket = Bracket.call;
    task.call = call;
    task.line = line;
    task.cpu = batch.cpu[row]!;
    task.isApplied = false;
    task.startPage = state.pageOf(addr);
    // kvm_pgtable_walk aligns the start down first, then the end of start + size up.
    task.endPage = task.startPage + (call === Call.relax ? 1 : state.pagesIn(length));
    task.flags = call === Call.relax ? leafFlagsOf(batch.prot[row]!, state.hasTwoExecuteBits) : 0;
    task.context = this.#contextOf(task, batch.pgt[row]!, batch.mmu[row]!, line);
    if (this.#openCalls > 0 && call !== Call.map && call !== Call.relax)
      state.counts.overlapping += 1;
    this.#openCalls += 1;
    if ((call === Call.map || call === Call.relax) && task.faultPage >= 0) {
      this.#vcpus.bind(task, task.context, line, this.#primitivesRecorded);
    }
    if (call === Call.wrprotect) this.#scopes.protectedBy(task, task.context);
    if (this.#returns[call] === Returns.no && call !== Call.map) applyCall(state, task, NO_RETURN);
    return task;
  }

  #contextOf(task: Task, pgt: number, mmu: number, line: number): Stage2Context {
    const { contexts } = this.#state;
    const known = contexts.resolve(pgt, mmu, this.#scopes.vmHint(task), line);
    this.#scopes.bindScope(task, known);
    return known;
  }

  #return(batch: EventBatch, row: number, call: number): void {
    const task = this.#state.task(batch.pid[row]!);
    this.#returns[call] = Returns.yes;
    if (task.bracket !== Bracket.call || task.call !== call) {
      this.#state.diagnostics.add(
        "RETURN_WITHOUT_CALL",
        "its call lies before the trace, or was lost",
        batch.line[row],
      );
      return;
    }
    if (!task.isApplied) applyCall(this.#state, task, batch.arg0[row]!);
    this.#settleCall(task);
  }

  /** Closes a call whose return did not come. */
  #closeCall(task: Task): void {
    if (task.bracket !== Bracket.call) return;
    const { call } = task;
    if (this.#returns[call] === Returns.maybe) this.#returns[call] = Returns.no;
    else if (this.#returns[call] === Returns.yes) {
      this.#state.diagnostics.add("OPERATION_CUT", "a call without its return", task.line);
    }
    if (!task.isApplied) applyCall(this.#state, task, NO_RETURN);
    this.#settleCall(task);
  }

  #settleCall(task: Task): void {
    this.#settle(task);
    task.call = Call.none;
    task.faultPage = -1;
    this.#openCalls -= 1;
    this.#scopes.callEnded(task);
  }

  // ── requests and write-protect sequences ─────────────────────────────────────────────────────

  #request(batch: EventBatch, row: number, task: Task, kind: number): void {
    // kvm_tlb_flush_vmid_range inside a page-table call belongs to the call.
    if (task.bracket === Bracket.call && kind === K.tlb_range) return;
    this.#closeCall(task);
    if (this.#requestMode === "ignored") return;
    this.#useRequests = true;
    if (this.#requests.continues(batch, row, task, kind)) return;
    this.#close(task);
    task.cpu = batch.cpu[row]!;
    this.#requests.begin(batch, row, task, kind);
  }

  /** Closes whatever a task has open. */
  #close(task: Task): void {
    if (task.bracket === Bracket.none) return;
    if (task.bracket === Bracket.call) this.#closeCall(task);
    else if (task.bracket === Bracket.request) {
      applyRequest(this.#state, task);
      this.#settle(task);
      this.#scopes.requestEnded(task);
    } else this.#flushProtectSequence(task);
  }

  #endProtectSequence(task: Task): void {
    if (this.#useRequests || !task.protect.isDue) return;
    this.#flushProtectSequence(task);
  }

  #flushProtectSequence(task: Task): void {
    applyProtectSequence(this.#state, task);
    this.#settle(task);
  }

  #settle(task: Task): void {
    this.#state.settlement.settle(task, this.#primitivesRecorded);
    this.#state.releaseLedger(task);
    task.bracket = Bracket.none;
  }

  // ── recorded invalidations ───────────────────────────────────────────────────────────────────

  #primitive(batch: EventBatch, row: number, primitive: number, pages: number): void {
    this.#primitivesRecorded = true;
    const state = this.#state;
    const task = state.task(batch.pid[row]!);
    const mmu = batch.mmu[row]!;
    const line = batch.line[row]!;
    const namesPages = primitive !== Primitive.VM;
    const page = namesPages ? state.pageOf(batch.addr[row]!) : 0;
    if (task.bracket === Bracket.none) {
      if (!task.protect.isDue) {
        this.#loose(task, primitive, page, pages, line);
        return;
      }
      task.bracket = Bracket.protectSequence;
      task.line = line;
    }
    task.cpu = batch.cpu[row]!;
    const level = namesPages ? batch.arg0[row]! : 0;
    const { recorded } = state.holdLedger(task);
    recorded.push(primitive, mmu, page, pages, Number.isNaN(level) ? 0 : level, line);
    if (task.bracket === Bracket.call && task.call === Call.map && !task.isApplied) {
      applyCall(state, task, NO_RETURN);
    }
  }

  /** A recorded call outside everything: unknown where its cause is one that only a request shows. */
  #loose(task: Task, primitive: number, page: number, pages: number, line: number): void {
    let path: number = Path.unattributed;
    if (task.agePending) path = Path.age;
    else if (task.ringResetPending) path = Path.dirty_ring;
    const outcome = path === Path.unattributed ? "missed" : "unknown";
    this.#state.settlement.addLoose(primitive, page, pages, path);
    for (const agreement of this.#state.settlement.agreements) {
      agreement.addLoose(primitive, page, pages, line, outcome);
    }
  }

  #cpuContext(batch: EventBatch, row: number): void {
    this.#primitivesRecorded = true;
    const task = this.#state.task(batch.pid[row]!);
    this.#close(task);
    const line = batch.line[row]!;
    const context = this.#contextOf(task, 0, batch.mmu[row]!, line);
    this.#vcpus.recorded(task, batch.cpu[row]!, context, line);
  }

  // ── threads ──────────────────────────────────────────────────────────────────────────────────

  #vcpuEvent(batch: EventBatch, row: number, kind: number): void {
    const task = this.#state.task(batch.pid[row]!);
    if (kind !== K.vcpu_event && task.bracket !== Bracket.none) this.#close(task);
    if (kind !== K.vcpu_event) {
      this.#endProtectSequence(task);
      this.#scopes.leave(task);
    }
    this.#vcpus.seen(task, batch.cpu[row]!, batch.line[row]!, this.#primitivesRecorded);
  }

  #guestFault(batch: EventBatch, row: number): void {
    const task = this.#state.task(batch.pid[row]!);
    this.#close(task);
    this.#endProtectSequence(task);
    this.#scopes.leave(task);
    this.#vcpus.seen(task, batch.cpu[row]!, batch.line[row]!, this.#primitivesRecorded);
    task.faultPage = this.#state.pageOf(batch.addr[row]!);
    task.faultSyndrome = batch.arg0[row]!;
  }

  #access(batch: EventBatch, row: number, kind: number): void {
    const state = this.#state;
    const task = state.task(batch.pid[row]!);
    this.#close(task);
    const context = this.#contextOf(task, batch.pgt[row]!, batch.mmu[row]!, batch.line[row]!);
    const addr = batch.addr[row]!;
    const page = state.pageOf(addr);
    if (kind === K.mkyoung) setYoung(context.table, page);
    else if (kind === K.mkold) clearYoung(context.table, page, page + 1);
    else if (batch.arg0[row] === 1) {
      clearYoung(context.table, page, page + state.pagesIn(batch.len[row]!));
    }
  }

  /** Events are missing here: what was open is cut, and what was known is not any more. */
  #lost(): void {
    for (const task of this.#state.tasks) {
      if (task.bracket === Bracket.none) continue;
      this.#state.diagnostics.add("OPERATION_CUT", "events were lost inside a call", task.line);
      task.bracket = Bracket.none;
      task.call = Call.none;
      task.ledger.reset();
      this.#state.releaseLedger(task);
      task.protect.reset();
    }
    this.#openCalls = 0;
    this.#state.contexts.forgetEverything();
  }
}
