import { MarkerOp } from "../../../ingest/events/marker-ops.ts";
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
  /** Whose accesses, as the driver numbers them; NaN: it does not say. */
  readonly owner: number;
  /** They are those of a nested guest, which `owner` numbers. */
  readonly isNested: boolean;
  done: number;
}

/** What a driver's thread works on. */
interface DriverState {
  /** The VM that it runs; NaN: it does not say. */
  vm: number;
  /** The nested guest that its VM runs next. */
  nested: number;
  announced: Announced | undefined;
  /** Of a VM with nested guests: its own stage 2. */
  own: Stage2Context | undefined;
}

interface Faulted {
  readonly page: number;
  readonly isWrite: boolean;
  /** What the fault was answered on. */
  context: Stage2Context | undefined;
}

/**
 * Accesses that the trace itself proves: each guest fault is retried when its vCPU enters the guest
 * again, and the markers of the s2 and the nested driver announce what their guests' code touches, in
 * order; a fault on a page of such a sequence shows how far it has come.
 */
export class ProvenAccesses {
  /** Visits made, and those whose VM, CPU or mapping the trace does not show. */
  made = 0;
  lost = 0;
  readonly #pageBytes: number;
  readonly #visit: Visit;
  readonly #drivers = new Map<number, DriverState>();
  readonly #faulted = new Map<number, Faulted>();
  readonly #contextOfVm = new Map<number, Stage2Context>();
  readonly #contextOfNested = new Map<number, Stage2Context>();

  constructor(pageBytes: number, visit: Visit) {
    this.#pageBytes = pageBytes;
    this.#visit = visit;
  }

  /** What a marker says of the VM that a thread runs; undefined where none does. */
  contextOf(pid: number): { readonly context: Stage2Context | undefined } | undefined {
    const vm = this.#drivers.get(pid)?.vm ?? Number.NaN;
    return Number.isNaN(vm) ? undefined : { context: living(this.#contextOfVm.get(vm)) };
  }

  /** @param op a MarkerOp; NaN: a marker that is no driver's. */
  marker(
    pid: number,
    cpu: number,
    ipa: number,
    strideBytes: number,
    count: number,
    op: number,
    number: number,
  ): void {
    this.#complete(pid, cpu);
    if (Number.isNaN(op)) return;
    const driver = this.#driverOf(pid);
    driver.announced = undefined;
    if (op === MarkerOp.nestedStart) driver.own = undefined;
    if (op === MarkerOp.nestedContext) driver.nested = number;
    if (op === MarkerOp.nestedStart || op === MarkerOp.nestedContext) return;
    const isNested = op === MarkerOp.nestedRead || op === MarkerOp.nestedWrite;
    if (!isNested) driver.vm = number;
    if (!(ipa >= 0) || !(count > 0)) return;
    driver.announced = {
      ipa,
      strideBytes: strideBytes > 0 ? strideBytes : this.#pageBytes,
      count: Math.min(count, MOST_ACCESSES),
      isWrite: op === MarkerOp.write || op === MarkerOp.nestedWrite,
      owner: isNested ? driver.nested : number,
      isNested,
      done: 0,
    };
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
    const isWrite = isData && (syndrome & WRITE_BIT) !== 0;
    this.#faulted.set(pid, { page, isWrite, context: undefined });
    const announced = this.#drivers.get(pid)?.announced;
    // Whether the guest or its nested guest has faulted shows only with what the fault is answered on.
    if (announced === undefined || announced.isNested) return;
    this.#reached(announced, page, pid, cpu, context);
  }

  /** A thread's fault is answered on this context: it is what its marker speaks of. */
  mapped(pid: number, cpu: number, context: Stage2Context): void {
    const faulted = this.#faulted.get(pid);
    const driver = this.#drivers.get(pid);
    if (faulted === undefined || driver === undefined) return;
    faulted.context = context;
    if (!Number.isNaN(driver.vm)) this.#contextOfVm.set(driver.vm, context);
    // A nested driver's own memory is mapped before that of its guest.
    else driver.own ??= context;
    const { announced } = driver;
    if (announced?.isNested !== true || driver.own === context) return;
    this.#contextOfNested.set(announced.owner, context);
    this.#reached(announced, faulted.page, pid, cpu, context);
  }

  /** The thread enters the guest: what faulted is tried again. */
  entered(pid: number, cpu: number, context: Stage2Context | undefined): void {
    const faulted = this.#faulted.get(pid);
    if (faulted === undefined) return;
    this.#faulted.delete(pid);
    const on = faulted.context ?? context;
    this.#make(pid, cpu, faulted.page, faulted.isWrite, on);
    const announced = this.#drivers.get(pid)?.announced;
    if (announced === undefined || announced.done >= announced.count) return;
    if (announced.isNested && on !== this.#contextOfNested.get(announced.owner)) return;
    if (this.#pageAt(announced, announced.done) === faulted.page) announced.done += 1;
  }

  /** The guest code of the drivers is through with what its marker announced. */
  userspaceExit(pid: number, cpu: number, reason: number): void {
    if (reason !== EXIT_MMIO) return;
    // The fault was the device's: nothing is mapped there to be tried again.
    this.#faulted.delete(pid);
    this.#complete(pid, cpu);
  }

  forget(): void {
    for (const driver of this.#drivers.values()) {
      // Whether what is announced was made, the trace does not show.
      if (driver.announced !== undefined) {
        this.lost += driver.announced.count - driver.announced.done;
      }
    }
    this.#drivers.clear();
    this.#faulted.clear();
  }

  /** The trace is over. */
  finish(): void {
    this.forget();
  }

  #driverOf(pid: number): DriverState {
    const known = this.#drivers.get(pid);
    if (known !== undefined) return known;
    const made: DriverState = {
      vm: Number.NaN,
      nested: Number.NaN,
      announced: undefined,
      own: undefined,
    };
    this.#drivers.set(pid, made);
    return made;
  }

  #complete(pid: number, cpu: number): void {
    const announced = this.#drivers.get(pid)?.announced;
    if (announced === undefined) return;
    const { isNested, owner, count } = announced;
    const nested = isNested ? living(this.#contextOfNested.get(owner)) : undefined;
    const context = isNested ? nested : this.contextOf(pid)?.context;
    this.#upTo(announced, count, pid, cpu, context);
  }

  /** A fault on a page of the sequence: what stands before it was made. */
  #reached(
    announced: Announced,
    page: number,
    pid: number,
    cpu: number,
    context: Stage2Context | undefined,
  ): void {
    const { ipa, strideBytes, count } = announced;
    const at = Math.max(0, Math.ceil((page * this.#pageBytes - ipa) / strideBytes));
    if (at < announced.done || at >= count || this.#pageAt(announced, at) !== page) return;
    this.#upTo(announced, at, pid, cpu, context);
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

function living(context: Stage2Context | undefined): Stage2Context | undefined {
  return context?.isGone === true ? undefined : context;
}
