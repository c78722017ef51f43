import type { EventBatch } from "../../ingest/events/columns.ts";
import { leafFlagsOf } from "../operations/calls.ts";
import type { NestedConfig } from "./nested-result.ts";
import type { NestedTask } from "./nested-task.ts";
import type { NestedWorlds } from "./nested-worlds.ts";
import type { ShadowContext } from "./shadow-context.ts";
import { tagOfProt, withTag } from "./shadow-leaves.ts";

/** Faults that the recorded host answered on shadow tables, and accesses that the trace announces. */
export class NestedFaults {
  readonly #config: NestedConfig;
  readonly #worlds: NestedWorlds;
  readonly #pageBytes: number;

  constructor(config: NestedConfig, worlds: NestedWorlds) {
    this.#config = config;
    this.#worlds = worlds;
    this.#pageBytes = 2 ** config.geometry.pageShift;
  }

  /** kvm_pgtable_stage2_map on a shadow table: it takes effect when it returns, or its thread goes on. */
  map(batch: EventBatch, row: number, task: NestedTask, context: ShadowContext): void {
    task.context = context;
    const page = this.#pageOf(batch.addr[row]!);
    const lenPages = Math.ceil(batch.len[row]! / this.#pageBytes);
    const { spanPages, minBlockLevel } = this.#config.geometry;
    const level = spanPages.indexOf(lenPages);
    // What no leaf can be was not executed: the replay of the VM's own table counts it.
    if (level < minBlockLevel || page % lenPages !== 0 || !(page < MOST_PAGES)) return;
    const flags = leafFlagsOf(batch.prot[row]!, this.#config.hasTwoExecuteBits);
    const meta = withTag(flags, tagOfProt(batch.protHigh[row]!));
    const physPage = this.#pageOf(batch.phys[row]!);
    this.#showTarget(task, context, page, lenPages);
    task.mapping = { context, leaf: { page, lenPages, level, meta, physPage } };
  }

  /** Which page of the VM the leaf maps: what the walk of the guest's stage 2 gave for the fault. */
  #showTarget(task: NestedTask, context: ShadowContext, page: number, lenPages: number): void {
    context.targets.delete(page);
    if (Number.isNaN(task.guestOutput)) return;
    const target = this.#pageOf(task.guestOutput);
    const walked = this.#pageOf(task.walkedBytes);
    const isInLeaf = walked >= page && walked < page + lenPages;
    context.targets.set(page, isInLeaf ? target - (walked - page) : target - (target % lenPages));
    task.guestOutput = Number.NaN;
  }

  returned(task: NestedTask | undefined, ret: number): void {
    if (task?.mapping === undefined) return;
    if (ret !== 0) task.mapping = undefined;
    this.install(task);
  }

  install(task: NestedTask): void {
    if (task.mapping === undefined) return;
    const { context, leaf } = task.mapping;
    task.mapping = undefined;
    this.#use(task, context);
    this.#worlds.fault(context, leaf);
  }

  /** A marker announces accesses of the thread's nested guest. */
  announced(batch: EventBatch, row: number, task: NestedTask): void {
    task.access = {
      addrBytes: batch.addr[row]!,
      strideBytes: batch.len[row]! > 0 ? batch.len[row]! : this.#pageBytes,
      count: Math.min(batch.arg0[row]!, MOST_ACCESSES),
    };
  }

  /** The thread enters its nested guest. */
  entered(task: NestedTask): void {
    if (task.context !== undefined) this.#use(task, task.context);
  }

  /** The context of what a marker announced is known: those pages that are mapped are used. */
  #use(task: NestedTask, context: ShadowContext): void {
    const { access } = task;
    if (access === undefined) return;
    task.access = undefined;
    this.#worlds.access(context, access);
  }

  #pageOf(bytes: number): number {
    return Math.floor(bytes / this.#pageBytes);
  }
}

/** 48 bits of IPA in pages of 4 KiB, which is all that a nested guest has. */
const MOST_PAGES = 2 ** 36;

/** Accesses of one marker, at most: a text must not be able to keep the program busy for days. */
const MOST_ACCESSES = 2 ** 20;
