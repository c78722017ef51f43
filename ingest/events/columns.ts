/**
 * The event table: a batch of columns, reused from batch to batch.
 *
 * Ownership: the reader owns the arrays and overwrites them after the consumer's turn; who wants to
 * keep a value copies it. No event is an object. Absent values: 0 in a pointer column, NaN in a
 * number column. Addresses and sizes are exact: an IPA has at most 52 bits and the reader refuses
 * (counts as a loss) what a double cannot hold exactly. Kernel pointers are identities, not numbers:
 * they are interned (`PointerTable`), and the columns hold their ids.
 */
export interface EventColumns {
  /** Code of the kind, an index into EVENT_KINDS. */
  readonly kind: Uint8Array;
  /** Name that the trace gives the event: an id of NameTable, 0 where it has none. */
  readonly name: Uint32Array;
  readonly cpu: Uint16Array;
  readonly pid: Int32Array;
  /** Nanoseconds since the trace's `baseNs` (a bigint, kept in the reader's info). */
  readonly tsNs: Float64Array;
  /** 1-based line of the source (record number where a format has no lines). */
  readonly line: Uint32Array;
  /** struct kvm_pgtable, struct kvm_s2_mmu, struct kvm: ids of PointerTable. */
  readonly pgt: Uint32Array;
  readonly mmu: Uint32Array;
  readonly kvm: Uint32Array;
  /** Start address and length; unit by kind (bytes, or pages where EVENT_KINDS says so). */
  readonly addr: Float64Array;
  readonly len: Float64Array;
  /** Output address in bytes. */
  readonly phys: Float64Array;
  /** enum kvm_pgtable_prot, low and high 32 bits. */
  readonly prot: Uint32Array;
  readonly protHigh: Uint32Array;
  /** Meaning by kind, see EVENT_KINDS. */
  readonly arg0: Float64Array;
  readonly arg1: Float64Array;
  readonly arg2: Float64Array;
  readonly arg3: Float64Array;
}

export interface EventBatch extends EventColumns {
  /** Rows in use. */
  length: number;
  readonly capacity: number;
}

/** 16 Ki rows: 1.5 MB of columns, which stays in the second-level cache while a consumer reads them. */
export const BATCH_CAPACITY = 16_384;

export function createEventBatch(capacity: number = BATCH_CAPACITY): EventBatch {
  const f64 = (): Float64Array => new Float64Array(capacity);
  const u32 = (): Uint32Array => new Uint32Array(capacity);
  return {
    length: 0,
    capacity,
    kind: new Uint8Array(capacity),
    name: u32(),
    cpu: new Uint16Array(capacity),
    pid: new Int32Array(capacity),
    tsNs: f64(),
    line: u32(),
    pgt: u32(),
    mmu: u32(),
    kvm: u32(),
    addr: f64(),
    len: f64(),
    phys: f64(),
    prot: u32(),
    protHigh: u32(),
    arg0: f64(),
    arg1: f64(),
    arg2: f64(),
    arg3: f64(),
  };
}
