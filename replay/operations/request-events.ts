import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import type { ReplayState } from "../state.ts";
import { beginRequest, continueRequest, describeRequest, RequestRank } from "./requests.ts";
import type { Task } from "./task.ts";

const K = EventKind;

/** Events of kvm_flush_remote_tlbs* and the arch hooks: who asks for an invalidation of what. */
export class RequestEvents {
  readonly #state: ReplayState;

  constructor(state: ReplayState) {
    this.#state = state;
  }

  /** Adds the event to the open request; false where it begins a new one. */
  continues(batch: EventBatch, row: number, task: Task, kind: number): boolean {
    if (!continueRequest(task, rankOf(kind))) return false;
    this.#describe(batch, row, task, kind);
    return true;
  }

  begin(batch: EventBatch, row: number, task: Task, kind: number): void {
    beginRequest(task, rankOf(kind), batch.line[row]!);
    this.#describe(batch, row, task, kind);
  }

  #describe(batch: EventBatch, row: number, task: Task, kind: number): void {
    if (kind === K.remote_memslot || kind === K.remote_range || kind === K.arch_remote_range) {
      this.#state.requestsNameRanges = true;
    }
    const { contexts } = this.#state;
    const kvm = batch.kvm[row]!;
    const vm = kvm === 0 ? undefined : contexts.vm(kvm, false);
    const addr = batch.addr[row]!;
    const length = batch.len[row]!;
    const inBytes = kind === K.tlb_range;
    const page = inBytes ? this.#state.pageOf(addr) : addr;
    const pages = inBytes ? this.#state.pagesIn(length) : length;
    describeRequest(task, vm, batch.mmu[row]!, page, pages);
  }
}

function rankOf(kind: number): number {
  switch (kind) {
    case K.remote_memslot:
    case K.arch_remote_memslot:
      return RequestRank.memslot;
    case K.remote:
    case K.remote_range:
      return RequestRank.generic;
    case K.arch_remote:
    case K.arch_remote_range:
      return RequestRank.archHook;
    default:
      return RequestRank.mmuRange;
  }
}
