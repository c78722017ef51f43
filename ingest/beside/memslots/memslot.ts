/** A memslot of a VM, as its owner saved it beside a trace (KVM_SET_USER_MEMORY_REGION's arguments). */
export interface MemslotFact {
  /** Which VM; one name stands for one VM. */
  readonly vm: string;
  /** Slot number; undefined where not said. */
  readonly slot: number | undefined;
  /** Guest-physical address and size, in bytes. */
  readonly ipaBytes: number;
  readonly lenBytes: number;
  /** Host-virtual address (userspace_addr); undefined: unmap notifications cannot be placed. */
  readonly hvaBytes: number | undefined;
  /** Size of the host's pages behind it; undefined: whatever fits. */
  readonly backingBytes: number | undefined;
  readonly isReadOnly: boolean;
  /** KVM_MEM_LOG_DIRTY_PAGES; undefined: it may have changed during the trace. */
  readonly isLogged: boolean | undefined;
  /** A thread of the process, as the trace numbers threads; undefined: not known. */
  readonly pid: number | undefined;
  /** In force from and until these times of the trace's clock; undefined: begin and end of the trace. */
  readonly fromNs: bigint | undefined;
  readonly toNs: bigint | undefined;
}

export interface MemslotTable {
  readonly slots: readonly MemslotFact[];
  /** `csv` or `qemu`, for the report. */
  readonly form: string;
  /** What was there and could not be used, as sentences. */
  readonly notes: readonly string[];
}

export const KVM_MEM_LOG_DIRTY_PAGES = 1;
export const KVM_MEM_READONLY = 2;
