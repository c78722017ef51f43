import type { Stage2Context, VirtualMachine } from "../contexts/context.ts";
import { GuestRecord, type RecordOptions } from "./guest-record.ts";

/** Records by table and by struct kvm; either may be seen first. */
export class GuestRecords {
  readonly all: GuestRecord[] = [];
  readonly #options: RecordOptions;
  readonly #byContext = new Map<Stage2Context, GuestRecord>();
  readonly #byKvm = new Map<number, GuestRecord>();
  /** A request may be settled after its VM is gone, when the pointer is free for another. */
  readonly #byVm = new Map<VirtualMachine, GuestRecord>();
  readonly #byNumber = new Map<number, GuestRecord>();
  #next = 1;
  #lastContext: Stage2Context | undefined;
  #lastRecord: GuestRecord | undefined;

  constructor(options: RecordOptions) {
    this.#options = options;
  }

  /** Made where new. */
  ofKvm(kvm: number, tsNs: number): GuestRecord {
    let record = this.#byKvm.get(kvm);
    if (record === undefined) {
      record = this.#make(kvm, tsNs);
      this.#byKvm.set(kvm, record);
    }
    return record;
  }

  findKvm(kvm: number): GuestRecord | undefined {
    return this.#byKvm.get(kvm);
  }

  find(number: number): GuestRecord | undefined {
    return this.#byNumber.get(number);
  }

  /** Made where new. */
  ofContext(context: Stage2Context, tsNs: number): GuestRecord {
    if (context === this.#lastContext && this.#lastRecord!.kvm !== 0) {
      return this.#withTable(this.#lastRecord!, context);
    }
    let record = this.#byContext.get(context);
    const vm = ownerOf(context);
    const kvm = vm?.kvm ?? 0;
    if (record === undefined) {
      const known = vm === undefined ? undefined : this.#byVm.get(vm);
      record = known ?? (kvm === 0 ? this.#make(0, tsNs) : this.ofKvm(kvm, tsNs));
      this.#byContext.set(context, record);
    } else if (record.kvm === 0 && kvm !== 0) {
      record = this.#join(record, kvm);
      this.#byContext.set(context, record);
    }
    if (vm !== undefined) this.#byVm.set(vm, record);
    this.#lastContext = context;
    this.#lastRecord = record;
    return this.#withTable(record, context);
  }

  findContext(context: Stage2Context): GuestRecord | undefined {
    return this.#byContext.get(context);
  }

  /** Its table is another after a loss; that of a VM that is gone holds nothing any more. */
  #withTable(record: GuestRecord, context: Stage2Context): GuestRecord {
    const { vm } = context;
    if (vm !== undefined && vm.canonical !== context && record.kvm === vm.kvm) return record;
    if (!record.isGone) record.table = context.table;
    return record;
  }

  /** The VM is torn down: its pointer may come back for another. */
  goneKvm(kvm: number): void {
    this.#byKvm.delete(kvm);
  }

  goneContext(context: Stage2Context): void {
    this.#byContext.delete(context);
    if (this.#lastContext === context) this.#lastContext = undefined;
  }

  /** A table's VM is known now. */
  #join(record: GuestRecord, kvm: number): GuestRecord {
    const other = this.#byKvm.get(kvm);
    if (other === undefined) {
      record.kvm = kvm;
      this.#byKvm.set(kvm, record);
      return record;
    }
    other.absorbEarlier(record);
    this.all.splice(this.all.indexOf(record), 1);
    // Threads that were bound to it meet the other one from now on.
    this.#byNumber.set(record.number, other);
    return other;
  }

  #make(kvm: number, tsNs: number): GuestRecord {
    const record = new GuestRecord(this.#next, kvm, tsNs, this.#options);
    this.#next += 1;
    this.#byNumber.set(record.number, record);
    this.all.push(record);
    return record;
  }
}

/**
 * The VM that a table is the own one of. Where the trace shows one VM only, the replay takes every table for
 * its own: a second one is another VM's, of which nothing else is known, or the shadow of a nested guest.
 */
function ownerOf(context: Stage2Context): VirtualMachine | undefined {
  const { vm } = context;
  if (vm === undefined) return undefined;
  return vm.canonical === undefined || vm.canonical === context ? vm : undefined;
}
