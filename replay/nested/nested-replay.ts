import type { Diagnostics } from "../../ingest/diagnostics.ts";
import type { EventBatch } from "../../ingest/events/columns.ts";
import { APPLIED_FUNCTIONS, EventKind } from "../../ingest/events/kinds.ts";
import { MarkerOp } from "../../ingest/events/marker-ops.ts";
import type { PointerTable } from "../../ingest/events/pointers.ts";
import { leafFlagsOf } from "../operations/calls.ts";
import { InvalidationJudge } from "./invalidation-judge.ts";
import type { NestedCause } from "./invalidation.ts";
import { NestedEvidence } from "./nested-level.ts";
import { type NestedConfig, type NestedResult, resultOf } from "./nested-result.ts";
import { NestedTask, type OpenInvalidation } from "./nested-task.ts";
import { NestedWorlds } from "./nested-worlds.ts";
import { OpenInvalidations } from "./open-invalidations.ts";
import type { ShadowContext } from "./shadow-context.ts";
import { ShadowDirectory } from "./shadow-directory.ts";
import { tagOfProt, withTag } from "./shadow-leaves.ts";

const K = EventKind;
const APPLIED_UNMAP = APPLIED_FUNCTIONS.indexOf("kvm_pgtable_stage2_unmap");

/**
 * Follows the shadow tables of nested guests through a trace: what the guest hypervisors invalidated, what
 * the recorded kernel made of it, and what every nested policy would have. Costs next to nothing where the
 * trace has no guest hypervisor.
 */
export class NestedReplay {
  readonly #config: NestedConfig;
  readonly #directory: ShadowDirectory;
  readonly #worlds: NestedWorlds;
  readonly #judge: InvalidationJudge;
  readonly #opener: OpenInvalidations;
  readonly #evidence = new NestedEvidence();
  readonly #tasks = new Map<number, NestedTask>();
  readonly #diagnostics: Diagnostics;
  #hasMapReturns: boolean | undefined;
  #lastLine = 0;
  #hasUnmapCalls = false;

  constructor(config: NestedConfig, pointers: PointerTable, diagnostics: Diagnostics) {
    this.#config = config;
    this.#diagnostics = diagnostics;
    this.#directory = new ShadowDirectory(pointers);
    this.#worlds = new NestedWorlds(config, this.#directory);
    this.#judge = new InvalidationJudge(this.#worlds, this.#directory);
    this.#opener = new OpenInvalidations(this.#directory);
  }

  /** Batches in order, each before the replay of the same trace, which passes the gaps in it. */
  consume(batch: EventBatch): void {
    const gapsFrom = this.#diagnostics.nextGapLine;
    for (let row = 0; row < batch.length; row += 1) {
      const line = batch.line[row]!;
      if (line > gapsFrom && this.#diagnostics.hasGapBetween(this.#lastLine, line)) this.forget();
      this.#lastLine = line;
      const kind = batch.kind[row]!;
      if (kind === K.other) continue;
      this.#evidence.see(kind);
      if (this.#evidence.isNested) this.#event(batch, row, kind);
      else if (kind === K.commit_region) this.#committed(batch, row);
    }
  }

  /** Undefined where the trace shows no guest hypervisor. */
  finish(): NestedResult | undefined {
    for (const task of this.#tasks.values()) this.#leave(task);
    this.#worlds.finish();
    return resultOf(this.#config, this.#worlds, this.#judge, this.#directory, this.#evidence);
  }

  /** Events are missing: nothing of any table is known. */
  forget(): void {
    this.#tasks.clear();
    for (const context of this.#directory.forgetAll()) this.#worlds.forget(context);
  }

  #committed(batch: EventBatch, row: number): void {
    this.#directory.showVm(batch.kvm[row]!, batch.arg0[row] === 0);
  }

  #event(batch: EventBatch, row: number, kind: number): void {
    switch (kind) {
      case K.lost:
        this.forget();
        return;
      case K.map:
        this.#map(batch, row);
        return;
      case K.map_ret:
        this.#mapReturned(batch, row);
        return;
      case K.unmap:
      case K.unmap_range:
      case K.apply_range:
        this.#unmap(batch, row, kind);
        return;
      case K.wp_range:
      case K.wrprotect:
        this.#writeProtect(batch, row);
        return;
      case K.commit_region:
        this.#committed(batch, row);
        this.#leave(this.#tasks.get(batch.pid[row]!));
        return;
      case K.free_pgd:
        this.#free(batch.mmu[row]!);
        return;
      case K.kvm_entry:
      case K.kvm_exit:
      case K.guest_fault:
      case K.userspace_exit:
      case K.nested_exception:
        this.#leave(this.#tasks.get(batch.pid[row]!));
        return;
      case K.marker:
        this.#marker(batch, row);
        return;
      default:
        this.#nestedEvent(batch, row, kind);
    }
  }

  #nestedEvent(batch: EventBatch, row: number, kind: number): void {
    switch (kind) {
      case K.handle_ipas2e1is:
      case K.handle_ripas2e1is:
      case K.handle_vmalls12e1is:
      case K.handle_alle1is:
      case K.handle_tlbi_el1:
      case K.handle_tlbi_el2:
        this.#begin(batch, row, this.#opener.ofHandler(batch, row, kind));
        return;
      case K.iterate_by_vmid:
      case K.nested_tlbi_ipa:
      case K.nested_tlbi_range:
      case K.nested_tlbi_s1:
        this.#reach(batch, row, kind);
        return;
      case K.compute_inval_ret: {
        const { open } = this.#taskOf(batch, row);
        open?.sizes.push(batch.len[row]!);
        return;
      }
      case K.unmap_gfn:
        this.#hostRange(batch, row, "host_unmap");
        return;
      case K.flush_shadow_memslot:
        this.#hostRange(batch, row, "memslot");
        return;
      case K.nested_unmap:
        this.#begin(batch, row, this.#opener.ofHost(batch, row, this.#taskOf(batch, row)));
        return;
      case K.nested_wp:
        this.#begin(batch, row, this.#opener.ofCause(batch, row, "write_protect"));
        return;
      case K.lookup_s2_mmu_ret:
        this.#lookedUp(batch, row);
        return;
      case K.walk_nested:
        this.#taskOf(batch, row).walkedBytes = batch.addr[row]!;
        return;
      case K.nested_perm:
        this.#taskOf(batch, row).guestOutput = batch.phys[row]!;
        return;
      case K.nested_eret:
        this.#enterNested(this.#taskOf(batch, row));
        return;
      default:
    }
  }

  #taskOf(batch: EventBatch, row: number): NestedTask {
    const pid = batch.pid[row]!;
    let task = this.#tasks.get(pid);
    if (task === undefined) {
      task = new NestedTask();
      this.#tasks.set(pid, task);
    }
    return task;
  }

  // ── invalidations ────────────────────────────────────────────────────────────────────────────

  #begin(batch: EventBatch, row: number, open: OpenInvalidation): void {
    const task = this.#taskOf(batch, row);
    this.#leave(task);
    task.open = open;
  }

  /** The thread goes on to something else: what it had open is complete. */
  #leave(task: NestedTask | undefined): void {
    if (task === undefined) return;
    this.#installPending(task);
    if (task.open === undefined) return;
    const { open } = task;
    task.open = undefined;
    this.#judge.settle(open);
    if (open.cause === "host_unmap" || open.cause === "memslot") {
      task.hostFirstPage = Number.NaN;
      task.hostEndPage = Number.NaN;
    }
  }

  #reach(batch: EventBatch, row: number, kind: number): void {
    const task = this.#taskOf(batch, row);
    task.open ??= this.#opener.ofCallback(batch, row, kind);
    this.#opener.reach(task.open, batch, row, kind);
  }

  #hostRange(batch: EventBatch, row: number, cause: NestedCause): void {
    const task = this.#taskOf(batch, row);
    this.#leave(task);
    this.#directory.showVm(batch.kvm[row]!, false);
    task.hostCause = cause;
    task.hostFirstPage = batch.addr[row]!;
    task.hostEndPage = batch.addr[row]! + batch.len[row]!;
  }

  #unmap(batch: EventBatch, row: number, kind: number): void {
    if (kind === K.apply_range && batch.arg0[row] !== APPLIED_UNMAP) return;
    const mmu = this.#directory.mmuOf(batch.pgt[row]!, batch.mmu[row]!);
    if (!this.#directory.isShadow(mmu)) return;
    if (kind === K.unmap) this.#hasUnmapCalls = true;
    else if (this.#hasUnmapCalls) return;
    const task = this.#taskOf(batch, row);
    const context = this.#contextOf(task, mmu, batch.arg3[row]!);
    task.open ??= this.#opener.ofLoose(batch, row);
    this.#opener.unmapped(task.open, context, batch.addr[row]!, batch.len[row]!, this.#pageBytes);
  }

  #writeProtect(batch: EventBatch, row: number): void {
    const mmu = this.#directory.mmuOf(batch.pgt[row]!, batch.mmu[row]!);
    if (!this.#directory.isShadow(mmu)) return;
    const task = this.#taskOf(batch, row);
    const context = this.#contextOf(task, mmu, batch.arg3[row]!);
    task.open ??= this.#opener.ofCause(batch, row, "write_protect");
    this.#opener.unmapped(task.open, context, batch.addr[row]!, batch.len[row]!, this.#pageBytes);
  }

  #free(mmu: number): void {
    const context = this.#directory.drop(mmu);
    if (context !== undefined) this.#worlds.forget(context);
  }

  // ── faults and accesses ──────────────────────────────────────────────────────────────────────

  #map(batch: EventBatch, row: number): void {
    const mmu = this.#directory.mmuOf(batch.pgt[row]!, batch.mmu[row]!);
    if (!this.#directory.isShadow(mmu)) {
      this.#leave(this.#tasks.get(batch.pid[row]!));
      return;
    }
    const task = this.#taskOf(batch, row);
    this.#leave(task);
    const page = Math.floor(batch.addr[row]! / this.#pageBytes);
    const lenPages = Math.ceil(batch.len[row]! / this.#pageBytes);
    const physPage = Math.floor(batch.phys[row]! / this.#pageBytes);
    const context = this.#contextOf(task, mmu, batch.arg3[row]!);
    task.context = context;
    const { spanPages, minBlockLevel } = this.#config.geometry;
    const level = spanPages.indexOf(lenPages);
    // What no leaf can be was not executed: the replay of the VM's own table counts it.
    if (level < minBlockLevel || page % lenPages !== 0 || !(page < MOST_PAGES)) return;
    const flags = leafFlagsOf(batch.prot[row]!, this.#config.hasTwoExecuteBits);
    const meta = withTag(flags, tagOfProt(batch.protHigh[row]!));
    if (!Number.isNaN(task.guestOutput)) {
      const target = Math.floor(task.guestOutput / this.#pageBytes);
      const walked = Math.floor(task.walkedBytes / this.#pageBytes);
      const isInLeaf = walked >= page && walked < page + lenPages;
      context.targets.set(page, isInLeaf ? target - (walked - page) : target - (target % lenPages));
      task.guestOutput = Number.NaN;
    }
    task.mapping = { context, leaf: { page, lenPages, level, meta, physPage } };
    if (this.#hasMapReturns === false) this.#installPending(task);
  }

  #mapReturned(batch: EventBatch, row: number): void {
    this.#hasMapReturns = true;
    const task = this.#tasks.get(batch.pid[row]!);
    if (task?.mapping === undefined) return;
    if (batch.arg0[row] !== 0) task.mapping = undefined;
    this.#installPending(task);
  }

  #installPending(task: NestedTask): void {
    if (task.mapping === undefined) return;
    const { context, leaf } = task.mapping;
    task.mapping = undefined;
    this.#applyAccess(task, context);
    this.#worlds.fault(context, leaf);
  }

  #lookedUp(batch: EventBatch, row: number): void {
    const task = this.#taskOf(batch, row);
    const mmu = batch.mmu[row]!;
    if (mmu === 0) {
      task.awaitsNew = true;
      task.context = undefined;
      return;
    }
    task.awaitsNew = false;
    task.context = this.#contextOf(task, mmu, Number.NaN);
    this.#applyAccess(task, task.context);
  }

  #enterNested(task: NestedTask): void {
    this.#leave(task);
    if (task.context !== undefined) this.#applyAccess(task, task.context);
  }

  #marker(batch: EventBatch, row: number): void {
    const task = this.#tasks.get(batch.pid[row]!);
    this.#leave(task);
    const op = batch.arg1[row]!;
    const isNested = op === MarkerOp.nestedRead || op === MarkerOp.nestedWrite;
    if (!isNested || !(batch.arg0[row]! > 0)) return;
    this.#taskOf(batch, row).access = {
      addrBytes: batch.addr[row]!,
      strideBytes: batch.len[row]! > 0 ? batch.len[row]! : this.#pageBytes,
      count: Math.min(batch.arg0[row]!, MOST_ACCESSES),
    };
  }

  /** The context of what a marker announced is known: those pages that are mapped are used. */
  #applyAccess(task: NestedTask, context: ShadowContext): void {
    const { access } = task;
    if (access === undefined) return;
    task.access = undefined;
    this.#worlds.access(context, access);
  }

  #contextOf(task: NestedTask, mmu: number, hardwareVmid: number): ShadowContext {
    const context = this.#directory.contextOf(mmu);
    if (!Number.isNaN(hardwareVmid)) context.hardwareVmid = hardwareVmid;
    if (task.awaitsNew) {
      task.awaitsNew = false;
      context.guestVmid = Number.NaN;
    }
    return context;
  }

  get #pageBytes(): number {
    return 2 ** this.#config.geometry.pageShift;
  }
}

/** 52 bits of IPA in pages of 64 KiB: in smaller ones a table has more. */
const MOST_PAGES = 2 ** 36;

/** Accesses of one marker, at most: a text must not be able to keep the program busy for days. */
const MOST_ACCESSES = 2 ** 20;
