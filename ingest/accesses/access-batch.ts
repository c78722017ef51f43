/**
 * Accesses to memory as columns: what every recorded access stream is brought to. A batch is used again
 * and again; who wants to keep a value copies it. No access is an object.
 */
export interface AccessBatch {
  /** Rows in use. */
  length: number;
  readonly capacity: number;
  /** Nanoseconds since the reader's `baseNs`; NaN where the file tells no time. */
  readonly tsNs: Float64Array;
  /** Thread, or vCPU where the file tells it; 0 where it tells neither. */
  readonly thread: Int32Array;
  /** Address space (ASID); 0 where the file tells none. */
  readonly space: Uint16Array;
  /** Page number, see `PageNumbers`: of a VA or of an IPA, as `AccessInfo.address` says. */
  readonly page: Float64Array;
  /** An index into ACCESS_KINDS. */
  readonly kind: Uint8Array;
  /** How many accesses of this kind the thread made to this page one after the other. */
  readonly repeat: Uint32Array;
  /** 1-based line, or record where the format has no lines, of the first of them. */
  readonly record: Float64Array;
}

export const ACCESS_KINDS = ["read", "write", "fetch"] as const;
export type AccessKindName = (typeof ACCESS_KINDS)[number];

/** Codes of ACCESS_KINDS. */
export const READ = 0;
export const WRITE = 1;
export const FETCH = 2;

/** 16 Ki rows. */
export const ACCESS_BATCH_CAPACITY = 16_384;

export function createAccessBatch(capacity: number = ACCESS_BATCH_CAPACITY): AccessBatch {
  return {
    length: 0,
    capacity,
    tsNs: new Float64Array(capacity),
    thread: new Int32Array(capacity),
    space: new Uint16Array(capacity),
    page: new Float64Array(capacity),
    kind: new Uint8Array(capacity),
    repeat: new Uint32Array(capacity),
    record: new Float64Array(capacity),
  };
}
