import type { Diagnostics } from "../ingest/diagnostics.ts";
import type { ContextRegistry } from "./contexts/registry.ts";
import type { Stage2Context } from "./contexts/context.ts";
import { FanOut } from "./fan-out.ts";
import { Ledger, NO_LEDGER } from "./operations/ledger.ts";
import { Task } from "./operations/task.ts";
import type { OperationContext } from "./policies/operation.ts";
import type { PolicyReplay } from "./policies/policy-replay.ts";
import type { Settlement } from "./settlement.ts";
import type { Geometry } from "./stage2/geometry.ts";

/** Facts about the trace's operations that reports explain differences with. */
export interface OperationCounts {
  map: number;
  mapAgain: number;
  unmap: number;
  /** Unmap calls that found nothing mapped. */
  unmapEmpty: number;
  /** Of those, calls that repeat the range of the same thread's unmap just before. */
  unmapRepeated: number;
  wrprotect: number;
  relax: number;
  relaxAgain: number;
  split: number;
  collapse: number;
  blockBroken: number;
  /** Calls that overlapped in time with another call on the same context. */
  overlapping: number;
  /** Write-protect sequences that may have been several ioctls (without request probes). */
  ambiguousSequences: number;
}

/** What all handlers of the replay share. */
export class ReplayState {
  readonly geometry: Geometry;
  readonly contexts: ContextRegistry;
  readonly diagnostics: Diagnostics;
  readonly policies: readonly PolicyReplay[];
  readonly operation: OperationContext;
  readonly fanOut: FanOut;
  /** Of the policies that unmap a table before it is freed (≤ 5.9); undefined where none does. */
  readonly teardownFanOut: FanOut | undefined;
  readonly settlement: Settlement;
  readonly counts: OperationCounts = {
    map: 0,
    mapAgain: 0,
    unmap: 0,
    unmapEmpty: 0,
    unmapRepeated: 0,
    wrprotect: 0,
    relax: 0,
    relaxAgain: 0,
    split: 0,
    collapse: 0,
    blockBroken: 0,
    overlapping: 0,
    ambiguousSequences: 0,
  };
  /** enum kvm_pgtable_prot of 7.0 on. */
  readonly hasTwoExecuteBits: boolean;
  /**
   * The recorded kernel asks for a memslot's flush by its range (6.6 on): a request without one means
   * the whole VM. Where the kernel is not known, the first such request tells.
   */
  requestsNameRanges: boolean;
  /** Recorded before 5.15: a map call that changes nothing succeeds, and one that changes permissions flushes. */
  readonly mapToleratesUnchanged: boolean;
  readonly pageBytes: number;
  readonly #tasks = new Map<number, Task>();
  #lastTask: Task | undefined;
  readonly #ledgers: Ledger[] = [];

  constructor(parts: {
    geometry: Geometry;
    contexts: ContextRegistry;
    diagnostics: Diagnostics;
    policies: readonly PolicyReplay[];
    operation: OperationContext;
    fanOut: FanOut;
    settlement: Settlement;
    hasTwoExecuteBits: boolean;
    mapToleratesUnchanged: boolean;
    requestsNameRanges: boolean;
  }) {
    this.geometry = parts.geometry;
    this.contexts = parts.contexts;
    this.diagnostics = parts.diagnostics;
    this.policies = parts.policies;
    this.operation = parts.operation;
    this.fanOut = parts.fanOut;
    const unmapping = parts.policies.filter(({ policy }) => policy.flags.teardown === "unmap");
    this.teardownFanOut =
      unmapping.length === 0 ? undefined : new FanOut(unmapping, parts.operation);
    this.settlement = parts.settlement;
    this.hasTwoExecuteBits = parts.hasTwoExecuteBits;
    this.requestsNameRanges = parts.requestsNameRanges;
    this.mapToleratesUnchanged = parts.mapToleratesUnchanged;
    this.pageBytes = 2 ** parts.geometry.pageShift;
  }

  task(pid: number): Task {
    if (this.#lastTask !== undefined && this.#lastTask.pid === pid) return this.#lastTask;
    let task = this.#tasks.get(pid);
    if (task === undefined) {
      task = new Task(pid);
      this.#tasks.set(pid, task);
    }
    this.#lastTask = task;
    return task;
  }

  get tasks(): Iterable<Task> {
    return this.#tasks.values();
  }

  /** Gives a thread that opens something a ledger, unless it has one. */
  holdLedger(task: Task): Ledger {
    if (task.ledger === NO_LEDGER) {
      task.ledger = this.#ledgers.pop() ?? new Ledger(this.policies.length);
    }
    return task.ledger;
  }

  /** Takes the ledger back once nothing in it is waiting. */
  releaseLedger(task: Task): void {
    if (task.ledger === NO_LEDGER || !task.ledger.isIdle) return;
    this.#ledgers.push(task.ledger);
    task.ledger = NO_LEDGER;
  }

  /** Points the policies at a task's ledger and sets what the next walk is about. */
  enter(task: Task, context: Stage2Context, path: number): void {
    const { queues, scopes } = this.holdLedger(task);
    this.operation.contextId = context.id;
    this.operation.path = path;
    this.operation.rootLevel = context.rootLevel;
    this.operation.rootAssumed = context.rootAssumed;
    this.fanOut.watcher?.entered(task, context);
    for (let i = 0; i < this.policies.length; i += 1) {
      const policy = this.policies[i]!;
      policy.queue = queues[i]!;
      policy.scope = scopes[i]!;
    }
  }

  /** Number of the page that holds a byte address. */
  pageOf(bytes: number): number {
    return Math.floor(bytes / this.pageBytes);
  }

  /** Pages that a length in bytes takes, from a page's start. */
  pagesIn(bytes: number): number {
    return Math.ceil(bytes / this.pageBytes);
  }
}
