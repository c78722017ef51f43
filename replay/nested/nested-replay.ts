import type { Diagnostics } from "../../ingest/diagnostics.ts";
import type { EventBatch } from "../../ingest/events/columns.ts";
import { APPLIED_FUNCTIONS, EventKind } from "../../ingest/events/kinds.ts";
import { MarkerOp } from "../../ingest/events/marker-ops.ts";
import type { PointerTable } from "../../ingest/events/pointers.ts";
import { InvalidationJudge } from "./invalidation-judge.ts";
import type { NestedCause } from "./invalidation.ts";
import { NestedFaults } from "./nested-faults.ts";
import { NestedEvidence } from "./nested-level.ts";
import { type NestedConfig, type NestedResult, resultOf } from "./nested-result.ts";
import { NestedTask, type OpenInvalidation } from "./nested-task.ts";
import { NestedWatch } from "./nested-watch.ts";
import { NestedWorlds } from "./nested-worlds.ts";
import { OpenInvalidations } from "./open-invalidations.ts";
import type { ShadowContext } from "./shadow-context.ts";
import { ShadowDirectory } from "./shadow-directory.ts";

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
  readonly #faults: NestedFaults;
  readonly #evidence = new NestedEvidence();
  readonly #watch: NestedWatch;
  readonly #tasks = new Map<number, NestedTask>();
  readonly #diagnostics: Diagnostics;
  #lastLine = 0;
  #hasUnmapCalls = false;

  constructor(config: NestedConfig, pointers: PointerTable, diagnostics: Diagnostics) {
    this.#config = config;
    this.#diagnostics = diagnostics;
    this.#directory = new ShadowDirectory(pointers);
    this.#watch = new NestedWatch(this.#evidence, this.#directory, diagnostics);
    this.#worlds = new NestedWorlds(config, this.#directory);
    this.#judge = new InvalidationJudge(this.#worlds, this.#directory);
    this.#opener = new OpenInvalidations(this.#directory);
    this.#faults = new NestedFaults(config, this.#worlds);
  }

  /** Batches in order, each before the replay of the same trace, which passes the gaps in it. */
  consume(batch: EventBatch): void {
    const gapsFrom = this.#diagnostics.nextGapLine;
    for (let row = this.#watch.firstRow(batch); row < batch.length; row += 1) {
      const line = batch.line[row]!;
      if (line > gapsFrom && this.#diagnostics.hasGapBetween(this.#lastLine, line)) this.forget();
      this.#lastLine = line;
      const kind = batch.kind[row]!;
      if (kind === K.other) continue;
      this.#evidence.see(kind);
      this.#event(batch, row, kind);
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

  #event(batch: EventBatch, row: number, kind: number): void {
    switch (kind) {
      case K.lost:
        this.forget();
        return;
      case K.map:
        this.#map(batch, row);
        return;
      case K.map_ret:
        this.#faults.returned(this.#tasks.get(batch.pid[row]!), batch.arg0[row]!);
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
        this.#directory.showVm(batch.kvm[row]!, batch.arg0[row] === 0);
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
        this.#leave(this.#taskOf(batch, row));
        this.#faults.entered(this.#taskOf(batch, row));
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
    // A handler names its vCPU: the VM is that of the context which the thread ran on.
    if (open.kvm === 0) open.kvm = task.context?.kvm ?? 0;
    task.open = open;
  }

  /** The thread goes on to something else: what it had open is complete. */
  #leave(task: NestedTask | undefined): void {
    if (task === undefined) return;
    this.#faults.install(task);
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

  // ── faults and accesses: see NestedFaults ────────────────────────────────────────────────────

  #map(batch: EventBatch, row: number): void {
    const mmu = this.#directory.mmuOf(batch.pgt[row]!, batch.mmu[row]!);
    if (!this.#directory.isShadow(mmu)) {
      this.#leave(this.#tasks.get(batch.pid[row]!));
      return;
    }
    const task = this.#taskOf(batch, row);
    this.#leave(task);
    this.#faults.map(batch, row, task, this.#contextOf(task, mmu, batch.arg3[row]!));
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
    this.#faults.entered(task);
  }

  #marker(batch: EventBatch, row: number): void {
    this.#leave(this.#tasks.get(batch.pid[row]!));
    const op = batch.arg1[row]!;
    const isNested = op === MarkerOp.nestedRead || op === MarkerOp.nestedWrite;
    if (isNested && batch.arg0[row]! > 0)
      this.#faults.announced(batch, row, this.#taskOf(batch, row));
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
