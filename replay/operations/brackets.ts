import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import type { Stage2Context } from "../contexts/context.ts";
import { Path } from "../paths.ts";
import type { ReplayState } from "../state.ts";
import { Primitive, PRIMITIVES } from "../tlbi/primitives.ts";
import { applyCall, leafFlagsOf } from "./calls.ts";
import { causeIsRecorded } from "./recorded-causes.ts";
import { RequestEvents } from "./request-events.ts";
import { applyProtectSequence, applyRequest } from "./requests.ts";
import type { ScopeEvents } from "./scope-events.ts";
import { Bracket, Call, NO_RETURN, type Task } from "./task.ts";
import type { VcpuLoads } from "./vcpu-loads.ts";

const K = EventKind;

/**
 * `recorded`: the trace has flush requests; `ignored`: predict without them (operations only);
 * `detect`: use them from the first one on.
 */
export type RequestMode = "recorded" | "ignored" | "detect";

/** Whether a call's return is recorded: not known until the first one is seen or missing. */
const Returns = { maybe: 0, yes: 1, no: 2 } as const;

/**
 * What each thread has open: a page-table call, a flush request, or a write-protect sequence whose
 * flush is due. Opens, carries out, closes and settles them.
 *
 * A call takes effect at its return, or at its first recorded invalidation if that comes earlier;
 * where the trace records no returns, when it begins. Calls of one thread nest; calls of several
 * threads may overlap (faults run in parallel from 6.2 on).
 */
export class Brackets {
  readonly #state: ReplayState;
  readonly #scopes: ScopeEvents;
  readonly #requests: RequestEvents;
  readonly #vcpus: VcpuLoads;
  readonly #requestMode: RequestMode;
  /** Use flush requests that the trace recorded; without, flushes are derived from what precedes them. */
  #useRequests: boolean;
  /** Primitive probes are enabled: known from the probe list, or from the first recorded call. */
  #primitivesRecorded: boolean;
  readonly #returns = new Uint8Array(8);
  #openCalls = 0;
  /** What is closed now was cut off: what is missing from it may have happened. */
  #isCutting = false;

  constructor(parts: {
    state: ReplayState;
    scopes: ScopeEvents;
    vcpus: VcpuLoads;
    requestMode: RequestMode;
    primitivesRecorded: boolean;
  }) {
    this.#state = parts.state;
    this.#scopes = parts.scopes;
    this.#vcpus = parts.vcpus;
    this.#requestMode = parts.requestMode;
    this.#useRequests = parts.requestMode === "recorded";
    this.#primitivesRecorded = parts.primitivesRecorded;
    this.#requests = new RequestEvents(parts.state);
  }

  get primitivesRecorded(): boolean {
    return this.#primitivesRecorded;
  }

  /** The trace is over: settles what is still open. */
  finish(): void {
    this.#isCutting = true;
    for (const task of this.#state.tasks) {
      // Where returns are recorded, closing the call says that its own is missing.
      if (task.bracket === Bracket.call && this.#returns[task.call] === Returns.maybe) {
        this.#state.diagnostics.add(
          "OPERATION_CUT",
          "the trace ends inside a page-table call",
          task.line,
        );
      }
      this.close(task);
      if (task.protect.words > 0) this.endProtectSequence(task);
    }
  }

  // ── page-table calls ─────────────────────────────────────────────────────────────────────────

  /** kvm_pgtable_stage2_map is entered. */
  openMap(batch: EventBatch, row: number): void {
    const task = this.open(batch, row, Call.map);
    task.physPage = this.#state.pageOf(batch.phys[row]!);
    task.flags = leafFlagsOf(batch.prot[row]!, this.#state.hasTwoExecuteBits);
    if (this.#returns[Call.map] === Returns.no) this.closeCall(task);
  }

  /** A page-table call is entered. */
  open(batch: EventBatch, row: number, call: number): Task {
    const state = this.#state;
    const task = state.task(batch.pid[row]!);
    this.close(task);
    if (call !== Call.wrprotect) this.#scopes.applyPendingProtect(task);
    if (call !== Call.map && call !== Call.relax) this.#endCallsWithoutReturn();
    if (call !== Call.wrprotect && call !== Call.split) this.endProtectSequence(task);
    const line = batch.line[row]!;
    const addr = batch.addr[row]!;
    const length = batch.len[row]!;
    task.isPlaced = true;
    task.bracket = Bracket.call;
    task.call = call;
    task.line = line;
    task.tsNs = batch.tsNs[row]!;
    task.cpu = batch.cpu[row]!;
    task.isApplied = false;
    task.startPage = state.pageOf(addr);
    // kvm_pgtable_walk aligns the start down first, then the end of start + size up.
    task.endPage = task.startPage + (call === Call.relax ? 1 : state.pagesIn(length));
    task.flags = call === Call.relax ? leafFlagsOf(batch.prot[row]!, state.hasTwoExecuteBits) : 0;
    task.context = this.contextOf(task, batch.pgt[row]!, batch.mmu[row]!, line);
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

  /** The context that a call names, bound to what the thread's scope says of it. */
  contextOf(task: Task, pgt: number, mmu: number, line: number): Stage2Context {
    const { contexts } = this.#state;
    const known = contexts.resolve(pgt, mmu, this.#scopes.vmHint(task), line);
    this.#scopes.bindScope(task, known);
    return known;
  }

  /** A page-table call returns. */
  returned(batch: EventBatch, row: number, call: number): void {
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

  /**
   * A call under the exclusive lock begins: calls of other threads whose return was neither seen nor is
   * known to be recorded are over.
   */
  #endCallsWithoutReturn(): void {
    if (this.#openCalls === 0) return;
    for (const other of this.#state.tasks) {
      const isMaybe = this.#returns[other.call] !== Returns.yes;
      if (other.bracket === Bracket.call && isMaybe) this.closeCall(other);
    }
  }

  /** Closes a call whose return did not come. */
  closeCall(task: Task): void {
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
    this.settle(task);
    task.call = Call.none;
    task.faultPage = -1;
    this.#openCalls -= 1;
    this.#scopes.callEnded(task);
  }

  // ── requests and write-protect sequences ─────────────────────────────────────────────────────

  /** kvm_flush_remote_tlbs* or an arch hook is entered. */
  request(batch: EventBatch, row: number, task: Task, kind: number): void {
    // kvm_tlb_flush_vmid_range inside a page-table call belongs to the call.
    if (task.bracket === Bracket.call && kind === K.tlb_range) return;
    this.closeCall(task);
    this.#scopes.applyPendingProtect(task);
    if (this.#requestMode === "ignored") return;
    this.#useRequests = true;
    if (this.#requests.continues(batch, row, task, kind)) return;
    this.close(task);
    task.isPlaced = true;
    task.tsNs = batch.tsNs[row]!;
    task.cpu = batch.cpu[row]!;
    this.#requests.begin(batch, row, task, kind);
  }

  /** Closes whatever a task has open. */
  close(task: Task): void {
    if (task.bracket === Bracket.none) return;
    if (task.bracket === Bracket.call) this.closeCall(task);
    else if (task.bracket === Bracket.request) {
      applyRequest(this.#state, task);
      this.settle(task);
      this.#scopes.requestEnded(task);
    } else this.#flushProtectSequence(task);
  }

  /** The thread goes on to something else: without recorded requests, its write-protect flush is due. */
  endProtectSequence(task: Task): void {
    if (this.#useRequests || !task.protect.isDue) return;
    this.#flushProtectSequence(task);
  }

  #flushProtectSequence(task: Task): void {
    applyProtectSequence(this.#state, task);
    this.settle(task);
  }

  /** Settles what a thread gathered, and takes its ledger back. */
  settle(task: Task): void {
    this.#state.settlement.settle(task, this.#primitivesRecorded, this.#isCutting);
    this.#state.releaseLedger(task);
    task.bracket = Bracket.none;
  }

  // ── recorded invalidations ───────────────────────────────────────────────────────────────────

  /** One of the four primitives of the page-table paths was recorded. */
  primitive(batch: EventBatch, row: number, primitive: number, pages: number): void {
    this.#primitivesRecorded = true;
    const state = this.#state;
    const task = state.task(batch.pid[row]!);
    const mmu = batch.mmu[row]!;
    const line = batch.line[row]!;
    const namesPages = primitive !== Primitive.VM;
    const page = namesPages ? state.pageOf(batch.addr[row]!) : 0;
    this.#scopes.applyPendingProtect(task);
    if (task.bracket === Bracket.none) {
      if (!task.protect.isDue) {
        this.#loose(task, primitive, page, pages, line);
        return;
      }
      task.bracket = Bracket.protectSequence;
      task.line = line;
      task.tsNs = batch.tsNs[row]!;
    }
    task.cpu = batch.cpu[row]!;
    const level = namesPages ? batch.arg0[row]! : 0;
    const { recorded } = state.holdLedger(task);
    recorded.push(primitive, mmu, page, pages, Number.isNaN(level) ? 0 : level, line);
    if (task.bracket === Bracket.call && task.call === Call.map && !task.isApplied) {
      applyCall(state, task, NO_RETURN);
    }
  }

  /**
   * A recorded call outside everything: unknown where its cause is one that only a request shows, that
   * lies before what the trace shows of the thread, or whose function was not recorded even once.
   */
  #loose(task: Task, primitive: number, page: number, pages: number, line: number): void {
    let path: number = Path.unattributed;
    if (task.agePending) path = Path.age;
    else if (task.ringResetPending) path = Path.dirty_ring;
    const isUnexplained = path === Path.unattributed && task.isPlaced;
    const isCauseRecorded = causeIsRecorded(this.#state.counts, primitive);
    if (isUnexplained && !isCauseRecorded) {
      this.#state.diagnostics.add("CAUSE_NOT_RECORDED", PRIMITIVES[primitive]!, line);
    }
    const outcome = isUnexplained && isCauseRecorded ? "missed" : "unknown";
    this.#state.settlement.addLoose(primitive, page, pages, path);
    for (const agreement of this.#state.settlement.agreements) {
      agreement.addLoose(primitive, page, pages, line, outcome);
    }
  }

  /** __kvm_flush_cpu_context was recorded. */
  cpuContext(batch: EventBatch, row: number): void {
    this.#primitivesRecorded = true;
    const task = this.#state.task(batch.pid[row]!);
    this.close(task);
    const line = batch.line[row]!;
    const context = this.contextOf(task, 0, batch.mmu[row]!, line);
    this.#vcpus.recorded(task, batch.cpu[row]!, context, line);
  }

  /** __kvm_flush_vm_context was recorded: nothing in a trace foretells a VMID roll-over. */
  vmContext(batch: EventBatch, row: number): void {
    this.#primitivesRecorded = true;
    this.#state.settlement.addLoose(Primitive.ALL, 0, 0, Path.vmid_rollover);
    for (const agreement of this.#state.settlement.agreements) {
      agreement.addLoose(Primitive.ALL, 0, 0, batch.line[row]!, "unknown");
    }
  }

  /** Events are missing before `line`: what was open is cut, and what was known is not any more. */
  lost(line: number): void {
    for (const task of this.#state.tasks) {
      // A request has no return: it was made, whatever came after it. A call may have ended otherwise.
      this.#isCutting = true;
      if (task.bracket === Bracket.request) this.close(task);
      this.#isCutting = false;
      if (task.bracket !== Bracket.none) {
        this.#state.diagnostics.add("OPERATION_CUT", "events were lost inside a call", task.line);
      }
      task.isPlaced = false;
      task.bracket = Bracket.none;
      task.call = Call.none;
      task.faultPage = -1;
      task.ledger.reset();
      this.#state.releaseLedger(task);
      this.#scopes.leave(task);
    }
    this.#openCalls = 0;
    this.#state.settlement.listener?.stateForgotten?.(this.#state.contexts.live().size, line);
    this.#state.contexts.forgetEverything();
  }
}
