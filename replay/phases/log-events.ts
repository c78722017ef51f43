import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";
import type { ReplayState } from "../state.ts";
import type { GuestRecord } from "./guest-record.ts";
import type { GuestRecords } from "./guest-records.ts";
import type { VcpuEvents } from "./vcpu-events.ts";

const K = EventKind;

/** Kinds that occur inside a GET or CLEAR_DIRTY_LOG, between its first mask word and its flush. */
const INSIDE_CLEAR: ReadonlySet<number> = new Set([
  K.enable_log_pt_masked,
  K.apply_range,
  K.wp_range,
  K.wrprotect,
  K.wrprotect_ret,
  K.split,
  K.split_ret,
  K.nested_wp,
  K.free_unlinked,
]);

/** Dirty logging of memslots, GET and CLEAR_DIRTY_LOG, and the end of VMs. */
export class LogEvents {
  readonly #guests: GuestRecords;
  readonly #vcpus: VcpuEvents;
  /** Records with a clear that is going on, by its thread. */
  readonly #clearing = new Map<number, GuestRecord>();

  constructor(guests: GuestRecords, vcpus: VcpuEvents) {
    this.#guests = guests;
    this.#vcpus = vcpus;
  }

  event(batch: EventBatch, row: number, kind: number, replay: ReplayState): void {
    if (this.#clearing.size > 0 && !INSIDE_CLEAR.has(kind)) this.#endClear(batch.pid[row]!);
    switch (kind) {
      case K.commit_region:
        this.#commit(batch, row);
        break;
      case K.enable_log_pt_masked:
        this.#maskWord(batch, row);
        break;
      case K.flush_shadow_all:
        this.#gone(this.#guests.findKvm(batch.kvm[row]!), batch, row);
        break;
      case K.destroy:
      case K.free_pgd:
        this.#freed(batch, row, kind, replay);
        break;
      case K.dirty_ring_push: {
        const record = this.#vcpus.recordOfPid(batch.pid[row]!);
        if (record !== undefined) record.ringPushes += 1;
        break;
      }
      default:
        break;
    }
  }

  #endClear(pid: number): void {
    this.#clearing.get(pid)?.closeClear();
    this.#clearing.delete(pid);
  }

  #commit(batch: EventBatch, row: number): void {
    const kvm = batch.kvm[row]!;
    if (kvm === 0) return;
    const tsNs = batch.tsNs[row]!;
    const line = batch.line[row]!;
    const record = this.#guests.ofKvm(kvm, tsNs);
    record.timeline.advance(tsNs);
    const { slots } = record;
    slots.commit(
      batch.arg3[row]!,
      batch.arg0[row]!,
      batch.addr[row]!,
      batch.len[row]!,
      batch.arg2[row]!,
    );
    if (slots.isLogging) {
      record.loggedSlots = Math.max(record.loggedSlots, slots.loggedSlots);
      record.loggedPages = Math.max(record.loggedPages ?? 0, slots.loggedPages);
      if (!record.isLogging) {
        const what = "dirty logging of a memslot is switched on";
        record.startLogging(tsNs, { what, line, confidence: "recorded" });
      }
    } else if (record.isLogging && slots.showsLogging) {
      const what = "dirty logging of the last memslot is switched off";
      record.endLogging(tsNs, { what, line, confidence: "recorded" });
    }
  }

  #maskWord(batch: EventBatch, row: number): void {
    const kvm = batch.kvm[row]!;
    if (kvm === 0) return;
    const pid = batch.pid[row]!;
    const tsNs = batch.tsNs[row]!;
    const line = batch.line[row]!;
    const record = this.#guests.ofKvm(kvm, tsNs);
    record.timeline.advance(tsNs);
    const basePage = batch.addr[row]!;
    const offset = batch.arg0[row]!;
    if (!record.continuesClear(pid, basePage, offset)) this.#vcpus.beforeClear(record, pid, line);
    record.maskWord(pid, tsNs, line, basePage, offset, batch.arg1[row]!, batch.arg2[row]!);
    this.#clearing.set(pid, record);
  }

  #freed(batch: EventBatch, row: number, kind: number, { contexts }: ReplayState): void {
    const context =
      kind === K.destroy ? contexts.ofPgt(batch.pgt[row]!) : contexts.ofMmu(batch.mmu[row]!);
    if (context === undefined) return;
    const isOwn = context.vm === undefined || context.vm.canonical === context;
    if (isOwn) this.#gone(this.#guests.findContext(context), batch, row);
    if (kind === K.destroy) this.#guests.goneContext(context);
  }

  #gone(record: GuestRecord | undefined, batch: EventBatch, row: number): void {
    if (record === undefined) return;
    const tsNs = batch.tsNs[row]!;
    record.timeline.advance(tsNs);
    record.gone(tsNs, batch.line[row]!, this.#vcpus.lastExitNs(record));
    this.#guests.goneKvm(record.kvm);
  }
}
