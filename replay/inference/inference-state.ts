import type { MemslotFact } from "../../ingest/beside/memslots/memslot.ts";
import type { Diagnostics } from "../../ingest/diagnostics.ts";
import { FanOut } from "../fan-out.ts";
import type { OperationContext } from "../policies/operation.ts";
import type { PolicyReplay } from "../policies/policy-replay.ts";
import type { Geometry } from "../stage2/geometry.ts";
import type { Tally } from "../tally.ts";
import type { FaultOnTable } from "./bound-fault.ts";
import { BoundStore } from "./bound-store.ts";
import { BoundTable } from "./bound-table.ts";
import { BoundUnmap } from "./bound-unmap.ts";
import { InferenceCounts } from "./classes.ts";
import type { InferredVm } from "./machines.ts";
import { OpenQuestions } from "./open-questions.ts";

/** A thread as far as stock events show it. */
export class InferredThread {
  readonly pid: number;
  /** Page and syndrome of the fault that it is answering; -1: none. */
  faultPage = -1;
  syndrome = 0;
  /** Its fault's page was unmapped by itself before the fault was answered: KVM retries it. */
  isRetried = false;
  /** Another thread unmapped something of the VM meanwhile: whether the fault was answered is not known. */
  isDisturbed = false;
  /** Number of the event with which it entered the guest last. */
  enteredAt = 0;
  /** Owner of the VMs that it can run vCPUs of (see InferredVm.ownerPid); undefined: any. */
  ownerPid: number | undefined;
  /** The unmap notification that it repeats, and how often it came. */
  repeatedFrom = -1;
  repeatedLength = 0;
  repeats = 0;

  constructor(pid: number) {
    this.pid = pid;
  }
}

/** What all parts of the inference share. */
export class InferenceState {
  readonly geometry: Geometry;
  readonly pageBytes: number;
  readonly diagnostics: Diagnostics;
  readonly counts: InferenceCounts = new InferenceCounts();
  readonly operation: OperationContext;
  readonly fanOut: FanOut;
  readonly questions: OpenQuestions;
  readonly unmap: BoundUnmap;
  readonly store: BoundStore;
  /** For faults where no memslot is known: never filled. */
  readonly noTable: BoundTable;
  /** VMs that the fault at hand may be of, and what it does to one of them: used again for each. */
  readonly candidates: InferredVm[] = [];
  readonly fault: { -readonly [K in keyof FaultOnTable]: FaultOnTable[K] };
  /** VMs that have, or had, a memslot. */
  readonly vms: InferredVm[] = [];
  /** Threads that are answering a fault. */
  readonly busy: Set<InferredThread> = new Set<InferredThread>();
  /** Threads whose last event is an unmap notification: it may not be over. */
  readonly unmapping: Set<InferredThread> = new Set<InferredThread>();
  /** Number of the event at hand. */
  now = 0;
  /** The user's own memslot table; undefined where none was given. */
  readonly table: readonly MemslotFact[] | undefined;
  readonly beginsEmpty: boolean;
  readonly #policies: readonly PolicyReplay[];
  readonly #tallies: readonly Tally[];
  readonly #threads = new Map<number, InferredThread>();
  #last: InferredThread | undefined;

  constructor(parts: {
    geometry: Geometry;
    diagnostics: Diagnostics;
    operation: OperationContext;
    policies: readonly PolicyReplay[];
    tallies: readonly Tally[];
    table: readonly MemslotFact[] | undefined;
    beginsEmpty: boolean;
  }) {
    this.geometry = parts.geometry;
    this.pageBytes = 2 ** parts.geometry.pageShift;
    this.diagnostics = parts.diagnostics;
    this.operation = parts.operation;
    this.#policies = parts.policies;
    this.#tallies = parts.tallies;
    this.table = parts.table;
    this.beginsEmpty = parts.beginsEmpty;
    this.fanOut = new FanOut(parts.policies, parts.operation);
    this.questions = new OpenQuestions(this.fanOut, parts.operation, this.counts);
    this.unmap = new BoundUnmap(this.fanOut, this.questions, parts.operation);
    this.store = new BoundStore(parts.geometry.entriesPerTable);
    this.noTable = this.newTable(false);
    this.fault = {
      table: this.noTable,
      page: 0,
      level: 0,
      blockLevel: 0,
      isCertain: false,
      questions: this.questions,
    };
  }

  thread(pid: number): InferredThread {
    if (this.#last?.pid === pid) return this.#last;
    let thread = this.#threads.get(pid);
    if (thread === undefined) {
      thread = new InferredThread(pid);
      this.#threads.set(pid, thread);
    }
    this.#last = thread;
    return thread;
  }

  newTable(isEmpty: boolean): BoundTable {
    return new BoundTable(this.geometry, this.store, this.operation.rootLevel, isEmpty);
  }

  /** Hands the facts that `tell` gives to every policy, on one path, certain or only possible. */
  emit(path: number, isPossible: boolean, tell: (fanOut: FanOut) => void): void {
    this.operation.path = path;
    this.operation.isPossible = isPossible;
    tell(this.fanOut);
    this.operation.isPossible = false;
  }

  /** Takes the calls that gathered into the tallies. */
  settle(): void {
    for (let i = 0; i < this.#policies.length; i += 1) {
      const { queue } = this.#policies[i]!;
      if (queue.length === 0) continue;
      this.#tallies[i]!.addQueue(queue, "unresolved");
      queue.clear();
    }
  }
}
