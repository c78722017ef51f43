import type { Diagnostics } from "../../ingest/diagnostics.ts";
import { Path } from "../paths.ts";
import type { Tally } from "../tally.ts";
import { Aligner } from "../verify/alignment.ts";
import type { AgreementTally } from "../verify/agreement.ts";
import type { X86Bracket } from "./bracket.ts";
import type { RunningVcpus } from "./guests.ts";
import type { X86PolicyReplay } from "./policy-replay.ts";
import type { X86RefillModel } from "./refills.ts";
import type { PresentForm } from "./spte.ts";
import { X86Task } from "./task.ts";
import { TdpTable } from "./tdp-table.ts";

/** More than a VM has: usual mode and system management mode. */
const ADDRESS_SPACES = 256;

/** Told of each flush of a policy and of each operation that ends, before its books are cleared. */
export interface X86Listener {
  settled(bracket: X86Bracket, policies: readonly X86PolicyReplay[], nowNs: number): void;
}

/** The kernel's own statistics of a VM, from its end. */
export interface VmStatistics {
  readonly kvm: number;
  /** Flushes that interrupted a vCPU, and all that were asked for; NaN where the kernel does not count them. */
  readonly kicks: number;
  readonly requests: number;
  /** Flushes of this VM that the trace recorded. */
  readonly recorded: number;
}

export interface BookParts {
  readonly running: RunningVcpus;
  readonly policies: readonly X86PolicyReplay[];
  readonly tallies: readonly Tally[];
  readonly recorded: Tally;
  /** Empty where nothing is to be compared. */
  readonly agreements: readonly AgreementTally[];
  readonly diagnostics: Diagnostics;
  /** Undefined: the trace has to show it. */
  readonly presentForm: PresentForm | undefined;
  readonly listener: X86Listener | undefined;
  /** Modelled TLBs; without them nothing is spent on them. */
  readonly refills: X86RefillModel | undefined;
}

/** What a replay of an x86 trace keeps: its threads, its VMs' tables, and the sums of each policy. */
export class X86Books {
  readonly policies: readonly X86PolicyReplay[];
  readonly running: RunningVcpus;
  readonly statistics: VmStatistics[] = [];
  tablesRemoved = 0;
  /** Changes are told by probes, which name the VM; a tracepoint may tell them again. */
  isProbed = false;
  /** Flushes for which the vCPUs that run are known, those that interrupted one, and interrupts. */
  kicks = 0;
  interrupts = 0;
  readonly #parts: BookParts;
  readonly #tasks = new Map<number, X86Task>();
  readonly #tables = new Map<number, TdpTable>();
  readonly #recordedByVm = new Map<number, number>();
  readonly #aligner = new Aligner();
  #lastTask: X86Task | undefined;
  #form: PresentForm | undefined;
  #onlyKvm = 0;
  #nowNs = 0;

  constructor(parts: BookParts) {
    this.#parts = parts;
    this.policies = parts.policies;
    this.running = parts.running;
    this.#form = parts.presentForm;
  }

  tasks(): Iterable<X86Task> {
    return this.#tasks.values();
  }

  tables(): Iterable<TdpTable> {
    return this.#tables.values();
  }

  task(pid: number): X86Task {
    const last = this.#lastTask;
    if (last !== undefined && last.pid === pid) return last;
    let task = this.#tasks.get(pid);
    if (task === undefined) {
      task = new X86Task(pid, this.policies.length);
      this.#tasks.set(pid, task);
    }
    this.#lastTask = task;
    return task;
  }

  /** Modelled TLBs; undefined: none is asked for. */
  get refills(): X86RefillModel | undefined {
    return this.#parts.refills;
  }

  now(tsNs: number): void {
    this.#nowNs = tsNs;
    this.#parts.refills?.now(tsNs);
    for (const policy of this.policies) policy.nowNs = tsNs;
  }

  /** How this kernel marks what is present: as it is known, or as an entry shows it. */
  formOf(shown: PresentForm | undefined, line: number): PresentForm {
    if (this.#form !== undefined) return this.#form;
    if (shown === undefined) return "bit-11";
    this.#form = shown;
    const text = shown === "bit-11" ? "5.13 or later" : "before 5.13";
    const detail = `entries of page tables are marked as kernels of ${text} mark them`;
    this.#parts.diagnostics.add("LEARNED", detail, line);
    return shown;
  }

  badLevel(level: number, line: number): void {
    const detail = `an entry at level ${level}, which no page table has`;
    this.#parts.diagnostics.add("BAD_NUMBER", detail, line);
  }

  /** A tracepoint names no VM: a thread that has named none works for the first one. */
  vmOf(task: X86Task): number {
    return task.kvm === 0 ? this.#onlyKvm : task.kvm;
  }

  /** The tables of an address space of the VM that the thread works for: all its roots agree. */
  tableOf(task: X86Task, space: number): TdpTable {
    if (this.#onlyKvm === 0) this.#onlyKvm = task.kvm;
    const key = this.vmOf(task) * ADDRESS_SPACES + space;
    const known = this.#tables.get(key);
    if (known !== undefined) return known;
    const table = new TdpTable();
    this.#tables.set(key, table);
    return table;
  }

  /** @param kvm VM that the event names, 0 where it names none: then any agrees. */
  open(task: X86Task, path: number, line: number, kvm: number): void {
    task.isSplitting = false;
    task.bracket.open(path, kvm, line, this.#nowNs);
  }

  entered(task: X86Task, cpu: number): void {
    this.running.enter(task.kvm, task.pid);
    this.#parts.refills?.entered(this.vmOf(task), cpu, task.pid);
  }

  left(task: X86Task, cpu: number): void {
    this.running.leave(task.pid);
    this.#parts.refills?.left(cpu);
  }

  /** @param gpa NaN where the event does not say. */
  faulted(task: X86Task, gpa: number): void {
    this.#parts.refills?.faulted(this.vmOf(task), gpa);
  }

  flushRecorded(kvm: number): void {
    this.#recordedByVm.set(kvm, (this.#recordedByVm.get(kvm) ?? 0) + 1);
    const running = this.running.count(kvm);
    if (running > 0) this.kicks += 1;
    this.interrupts += running;
  }

  destroyed(kvm: number, kicks: number, requests: number): void {
    const recorded = this.#recordedByVm.get(kvm) ?? 0;
    this.#recordedByVm.delete(kvm);
    this.statistics.push({ kvm, kicks, requests, recorded });
    this.#parts.refills?.destroyed(kvm);
  }

  /** The thread's operation ends. @param mayHaveYielded whether its walk may have flushed before. */
  close(task: X86Task, mayHaveYielded = false): void {
    const { bracket, isPlaced } = task;
    task.isPlaced = true;
    if (!bracket.isOpen) return;
    const allowed = mayHaveYielded ? bracket.changes : 0;
    for (const policy of this.policies) policy.ended(bracket, allowed);
    this.#settle(task, false, !isPlaced);
    bracket.close();
  }

  /** Events are missing: what threads have open is cut, and nothing is known of the tables. */
  lost(): void {
    for (const task of this.#tasks.values()) {
      if (task.bracket.isOpen) {
        this.#settle(task, true, !task.isPlaced);
        task.bracket.close();
      }
      task.isPlaced = false;
      task.askedPages = 0;
      task.isNamed = false;
      task.toldGfn = -1;
    }
    for (const table of this.#tables.values()) table.forget();
    this.running.forget();
    this.#parts.refills?.stateForgotten();
  }

  #settle(task: X86Task, isCut: boolean, isBegunBefore: boolean): void {
    const { bracket } = task;
    const { tallies, agreements, recorded, listener } = this.#parts;
    if (bracket.changes > 0) this.#parts.refills?.settled(task.pid, bracket);
    if (bracket.recorded.length === 0 && bracket.books.every(({ queue }) => queue.length === 0)) {
      return;
    }
    for (const [i, tally] of tallies.entries()) {
      const { queue } = bracket.books[i]!;
      tally.addQueue(queue, "as-assumed");
      const agreement = agreements[i];
      if (agreement === undefined) continue;
      const mismatches = agreement.listenFor(bracket, isCut, isBegunBefore);
      this.#aligner.align(queue, bracket.recorded, bracket.kvm, false, mismatches);
      agreement.add(this.#aligner.report);
    }
    listener?.settled(bracket, this.policies, this.#nowNs);
    const path = bracket.path === Path.collapse ? bracket.faultPath : bracket.path;
    const calls = bracket.recorded;
    for (let at = 0; at < calls.length; at += 1) {
      recorded.add(path, calls.primitive[at]!, calls.page[at]!, calls.pages[at]!, 1);
    }
  }
}
