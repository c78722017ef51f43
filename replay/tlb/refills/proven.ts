import type { Stage2Context } from "../../contexts/context.ts";

/** Makes one visit; false where it could not: VM or CPU not known, or nothing mapped. */
export type Visit = (
  pid: number,
  cpu: number,
  page: number,
  isWrite: boolean,
  context: Stage2Context | undefined,
) => boolean;

/** KVM_EXIT_MMIO: how the guest code of the s2 driver says that it is done. */
const EXIT_MMIO = 6;
/** Accesses of one marker, at most: a text must not be able to keep the program busy for days. */
const MOST_ACCESSES = 2 ** 20;
/** ISS of a data abort: bit 6 says that it was a write; EC in bits 31:26. */
const WRITE_BIT = 0x40;
const DATA_ABORT_LOWER = 0x24;

/** A sequence of accesses that a marker announces, and how many of them were made. */
interface Announced {
  readonly ipa: number;
  readonly strideBytes: number;
  readonly count: number;
  readonly isWrite: boolean;
  readonly vm: number;
  done: number;
}

/**
 * Accesses that the trace itself proves: each guest fault is retried when its vCPU enters the guest
 * again, and the s2 driver's markers announce what its guest code touches, in order; a fault on a page
 * of such a sequence shows how far it has come.
 */
export class ProvenAccesses {
  /** Visits made, and those whose VM, CPU or mapping the trace does not show. */
  made = 0;
  lost = 0;
  readonly #pageBytes: number;
  readonly #visit: Visit;
  readonly #announced = new Map<number, Announced>();
  readonly #faulted = new Map<number, { page: number; isWrite: boolean }>();
  readonly #contextOfVm = new Map<number, Stage2Context>();

  constructor(pageBytes: number, visit: Visit) {
    this.#pageBytes = pageBytes;
    this.#visit = visit;
  }

  /** What a marker says of the VM that a thread runs; undefined where none does. */
  contextOf(pid: number): { readonly context: Stage2Context | undefined } | undefined {
    const announced = this.#announced.get(pid);
    if (announced === undefined || Number.isNaN(announced.vm)) return undefined;
    const context = this.#contextOfVm.get(announced.vm);
    return { context: context?.isGone === true ? undefined : context };
  }

  /** `op`: 0 reads, 1 writes; NaN addresses: a marker of another kind. */
  marker(
    pid: number,
    cpu: number,
    ipa: number,
    strideBytes: number,
    count: number,
    op: number,
    vm: number,
  ): void {
    this.#complete(pid, cpu);
    if (!(ipa >= 0) || !(count > 0)) return;
    this.#announced.set(pid, {
      ipa,
      strideBytes: strideBytes > 0 ? strideBytes : this.#pageBytes,
      count: Math.min(count, MOST_ACCESSES),
      isWrite: op === 1,
      vm,
      done: 0,
    });
  }

  fault(
    pid: number,
    cpu: number,
    addr: number,
    syndrome: number,
    context: Stage2Context | undefined,
  ): void {
    const page = Math.floor(addr / this.#pageBytes);
    const isData = Math.floor(syndrome / 2 ** 26) % 64 === DATA_ABORT_LOWER;
    this.#faulted.set(pid, { page, isWrite: isData && (syndrome & WRITE_BIT) !== 0 });
    const announced = this.#announced.get(pid);
    if (announced === undefined) return;
    const { ipa, strideBytes, count } = announced;
    const at = Math.max(0, Math.ceil((page * this.#pageBytes - ipa) / strideBytes));
    if (at < announced.done || at >= count || this.#pageAt(announced, at) !== page) return;
    this.#upTo(announced, at, pid, cpu, context);
  }

  /** A thread's fault is answered on this context: it is what its marker's VM is. */
  mapped(pid: number, context: Stage2Context): void {
    const announced = this.#announced.get(pid);
    if (announced === undefined || Number.isNaN(announced.vm) || !this.#faulted.has(pid)) return;
    this.#contextOfVm.set(announced.vm, context);
  }

  /** The thread enters the guest: what faulted is tried again. */
  entered(pid: number, cpu: number, context: Stage2Context | undefined): void {
    const faulted = this.#faulted.get(pid);
    if (faulted === undefined) return;
    this.#faulted.delete(pid);
    this.#make(pid, cpu, faulted.page, faulted.isWrite, context);
    const announced = this.#announced.get(pid);
    if (announced === undefined || announced.done >= announced.count) return;
    if (this.#pageAt(announced, announced.done) === faulted.page) announced.done += 1;
  }

  /** The guest code of the s2 driver is through with what its marker announced. */
  userspaceExit(pid: number, cpu: number, reason: number): void {
    if (reason === EXIT_MMIO) this.#complete(pid, cpu);
  }

  forget(): void {
    this.#announced.clear();
    this.#faulted.clear();
  }

  /** The trace is over: whether what is still announced was made, it does not show. */
  finish(): void {
    for (const { count, done } of this.#announced.values()) this.lost += count - done;
    this.forget();
  }

  #complete(pid: number, cpu: number): void {
    const announced = this.#announced.get(pid);
    if (announced === undefined) return;
    this.#upTo(announced, announced.count, pid, cpu, this.contextOf(pid)?.context);
  }

  #upTo(
    announced: Announced,
    end: number,
    pid: number,
    cpu: number,
    context: Stage2Context | undefined,
  ): void {
    for (; announced.done < end; announced.done += 1) {
      const page = this.#pageAt(announced, announced.done);
      this.#make(pid, cpu, page, announced.isWrite, context);
    }
  }

  #make(
    pid: number,
    cpu: number,
    page: number,
    isWrite: boolean,
    context: Stage2Context | undefined,
  ): void {
    if (this.#visit(pid, cpu, page, isWrite, context)) this.made += 1;
    else this.lost += 1;
  }

  #pageAt({ ipa, strideBytes }: Announced, at: number): number {
    return Math.floor((ipa + at * strideBytes) / this.#pageBytes);
  }
}
