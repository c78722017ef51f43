import type { EventBatch } from "../../ingest/events/columns.ts";
import { EventKind } from "../../ingest/events/kinds.ts";

const K = EventKind;
const LOG_DIRTY_PAGES = 1;
const FLAGS_ONLY = 3;

/** A GET or CLEAR as its rows show it. */
export interface SlowClear {
  readonly kvm: number;
  readonly basePage: number;
  readonly startNs: number;
  words: number;
  pages: number;
}

/**
 * What a migration's events say, by a reading that shares nothing with the recorder: rows alone, no page
 * table, no brackets but a map call's own.
 */
export class SlowPhases {
  /** Times at which the first memslot of a VM began to be logged, and at which the last one ended. */
  readonly logOnNs: Map<number, number> = new Map();
  readonly logOffNs: Map<number, number> = new Map();
  readonly clears: SlowClear[] = [];
  /** Starts of map calls inside which the whole VM or a range was flushed: a table gave way to a block. */
  readonly collapsesNs: number[] = [];
  hasPrimitives = false;
  readonly #logged = new Map<number, Set<number>>();
  readonly #maps = new Map<number, { readonly tsNs: number; isCollapse: boolean }>();
  /** By thread, the clear that it is in. */
  readonly #clearing = new Map<number, { readonly clear: SlowClear; lastOffset: number }>();

  consume(batch: EventBatch): void {
    for (let row = 0; row < batch.length; row += 1) this.#row(batch, row, batch.kind[row]!);
  }

  #row(batch: EventBatch, row: number, kind: number): void {
    const pid = batch.pid[row]!;
    const tsNs = batch.tsNs[row]!;
    if (kind === K.enable_log_pt_masked) this.#word(batch, row, pid, tsNs);
    else if (isRequest(kind)) this.#clearing.delete(pid);
    switch (kind) {
      case K.commit_region:
        this.#commit(batch, row, tsNs);
        break;
      case K.map:
        this.#maps.set(pid, { tsNs, isCollapse: false });
        break;
      case K.map_ret:
        if (this.#maps.get(pid)?.isCollapse === true)
          this.collapsesNs.push(this.#maps.get(pid)!.tsNs);
        this.#maps.delete(pid);
        break;
      case K.hw_vmid:
      case K.hw_vmid_range:
      case K.hw_vmid_ipa:
      case K.hw_vmid_ipa_nsh: {
        this.hasPrimitives = true;
        const open = this.#maps.get(pid);
        const isWide = kind === K.hw_vmid || kind === K.hw_vmid_range;
        if (open !== undefined && isWide) open.isCollapse = true;
        break;
      }
      default:
        break;
    }
  }

  #commit(batch: EventBatch, row: number, tsNs: number): void {
    const kvm = batch.kvm[row]!;
    if (batch.arg0[row] !== FLAGS_ONLY) return;
    const logged = this.#logged.get(kvm) ?? new Set<number>();
    this.#logged.set(kvm, logged);
    const slot = batch.arg3[row]!;
    if ((batch.arg2[row]! & LOG_DIRTY_PAGES) !== 0) {
      if (logged.size === 0 && !this.logOnNs.has(kvm)) this.logOnNs.set(kvm, tsNs);
      this.logOffNs.delete(kvm);
      logged.add(slot);
    } else if (logged.delete(slot) && logged.size === 0) this.logOffNs.set(kvm, tsNs);
  }

  #word(batch: EventBatch, row: number, pid: number, tsNs: number): void {
    const basePage = batch.addr[row]!;
    const offset = batch.arg0[row]!;
    let open = this.#clearing.get(pid);
    if (open === undefined || open.clear.basePage !== basePage || offset <= open.lastOffset) {
      const clear = { kvm: batch.kvm[row]!, basePage, startNs: tsNs, words: 0, pages: 0 };
      this.clears.push(clear);
      open = { clear, lastOffset: offset };
      this.#clearing.set(pid, open);
    }
    open.lastOffset = offset;
    open.clear.words += 1;
    open.clear.pages += bits(batch.arg1[row]!) + bits(batch.arg2[row]!);
  }
}

function isRequest(kind: number): boolean {
  return (
    (kind >= K.remote && kind <= K.tlb_range) || kind === K.hw_vmid || kind === K.hw_vmid_range
  );
}

function bits(word: number): number {
  return (word >>> 0).toString(2).replaceAll("0", "").length;
}
