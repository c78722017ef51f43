import type { EventBatch } from "../../ingest/events/columns.ts";
import { UNKNOWN_CPU } from "../../ingest/events/kinds.ts";
import type { NameTable } from "../../ingest/events/names.ts";
import type { PointerTable } from "../../ingest/events/pointers.ts";
import { NameTexts } from "./name-texts.ts";

const TWO_32 = 4294967296;
const NO_NULLS = 0;

/** Values of one column: little-endian 32-bit words (two a value), and a bit for each row that has one. */
export class WideColumn {
  /** A buffer of its own: Arrow's library may merge views of one buffer. */
  readonly words: Uint32Array;
  readonly validity: Uint8Array;
  nullCount: number = NO_NULLS;

  constructor(capacity: number) {
    this.words = new Uint32Array(capacity * 2);
    this.validity = new Uint8Array(bitmapBytes(capacity));
  }
}

/** Rows of the event table as Arrow keeps them, up to a capacity. */
export class TableColumns {
  readonly capacity: number;
  length = 0;
  readonly time: Uint32Array;
  readonly cpu: Uint16Array;
  readonly cpuValidity: Uint8Array;
  cpuNulls: number = NO_NULLS;
  readonly pid: Int32Array;
  readonly pidValidity: Uint8Array;
  pidNulls: number = NO_NULLS;
  readonly names: NameTexts;
  readonly kind: Uint8Array;
  readonly line: Uint32Array;
  /** pgt, mmu, kvm. */
  readonly pointers: readonly WideColumn[];
  /** addr, len, phys. */
  readonly numbers: readonly WideColumn[];
  readonly prot: WideColumn;
  /** arg0 … arg3. */
  readonly args: readonly WideColumn[];

  constructor(capacity: number) {
    const wide = (count: number): readonly WideColumn[] =>
      Array.from({ length: count }, () => new WideColumn(capacity));
    this.capacity = capacity;
    this.time = new Uint32Array(capacity * 2);
    this.cpu = new Uint16Array(capacity);
    this.cpuValidity = new Uint8Array(bitmapBytes(capacity));
    this.pid = new Int32Array(capacity);
    this.pidValidity = new Uint8Array(bitmapBytes(capacity));
    this.names = new NameTexts(capacity);
    this.kind = new Uint8Array(capacity);
    this.line = new Uint32Array(capacity);
    this.pointers = wide(3);
    this.numbers = wide(3);
    this.prot = new WideColumn(capacity);
    this.args = wide(4);
  }

  /** Forgets all rows. */
  clear(): void {
    this.length = 0;
    this.names.clear();
    this.cpuNulls = NO_NULLS;
    this.pidNulls = NO_NULLS;
    this.cpuValidity.fill(0);
    this.pidValidity.fill(0);
    for (const column of [...this.pointers, ...this.numbers, this.prot, ...this.args]) {
      column.nullCount = NO_NULLS;
      column.validity.fill(0);
    }
  }

  /** Adds the rows `from`…`to` of a batch; there is room for them. */
  append(
    batch: EventBatch,
    from: number,
    to: number,
    baseNs: bigint,
    pointers: PointerTable,
    names: NameTable,
  ): void {
    const at = this.length;
    this.#times(batch.tsNs, from, to, baseNs);
    this.#cpus(batch.cpu, from, to);
    this.#pids(batch.pid, from, to);
    this.names.append(batch.name, from, to, at, names);
    this.kind.set(batch.kind.subarray(from, to), at);
    this.line.set(batch.line.subarray(from, to), at);
    this.#ids(this.pointers[0]!, batch.pgt, from, to, pointers);
    this.#ids(this.pointers[1]!, batch.mmu, from, to, pointers);
    this.#ids(this.pointers[2]!, batch.kvm, from, to, pointers);
    storeNumbers(this.numbers[0]!, batch.addr, from, to, at);
    storeNumbers(this.numbers[1]!, batch.len, from, to, at);
    storeNumbers(this.numbers[2]!, batch.phys, from, to, at);
    this.#prots(batch, from, to);
    storeNumbers(this.args[0]!, batch.arg0, from, to, at);
    storeNumbers(this.args[1]!, batch.arg1, from, to, at);
    storeNumbers(this.args[2]!, batch.arg2, from, to, at);
    storeNumbers(this.args[3]!, batch.arg3, from, to, at);
    this.length = at + to - from;
  }

  /** `baseNs + tsNs` in 64 bits, without a bigint a row: both are whole, and the sum carries once. */
  #times(tsNs: Float64Array, from: number, to: number, baseNs: bigint): void {
    const words = this.time;
    const baseHigh = Number(BigInt.asIntN(32, baseNs >> 32n));
    const baseLow = Number(BigInt.asUintN(32, baseNs));
    let at = this.length * 2;
    for (let row = from; row < to; row += 1) {
      const ns = tsNs[row]!;
      const high = Math.floor(ns / TWO_32);
      const low = ns - high * TWO_32 + baseLow;
      const carry = low >= TWO_32 ? 1 : 0;
      words[at] = low - carry * TWO_32;
      words[at + 1] = high + baseHigh + carry;
      at += 2;
    }
  }

  #cpus(cpu: Uint16Array, from: number, to: number): void {
    const validity = this.cpuValidity;
    let at = this.length;
    for (let row = from; row < to; row += 1) {
      const value = cpu[row]!;
      this.cpu[at] = value;
      if (value === UNKNOWN_CPU) this.cpuNulls += 1;
      else validity[at >> 3] = validity[at >> 3]! | (1 << (at & 7));
      at += 1;
    }
  }

  #pids(pid: Int32Array, from: number, to: number): void {
    const validity = this.pidValidity;
    let at = this.length;
    for (let row = from; row < to; row += 1) {
      const value = pid[row]!;
      this.pid[at] = value;
      if (value === -1) this.pidNulls += 1;
      else validity[at >> 3] = validity[at >> 3]! | (1 << (at & 7));
      at += 1;
    }
  }

  #ids(
    column: WideColumn,
    ids: Uint32Array,
    from: number,
    to: number,
    pointers: PointerTable,
  ): void {
    const { words, validity } = column;
    let at = this.length;
    let [lastId, high, low] = [0, 0, 0];
    for (let row = from; row < to; row += 1) {
      const id = ids[row]!;
      if (id === 0) {
        column.nullCount += 1;
        words[at * 2] = 0;
        words[at * 2 + 1] = 0;
      } else {
        if (id !== lastId) {
          high = pointers.high(id);
          low = pointers.low(id);
          lastId = id;
        }
        words[at * 2] = low;
        words[at * 2 + 1] = high;
        validity[at >> 3] = validity[at >> 3]! | (1 << (at & 7));
      }
      at += 1;
    }
  }

  #prots({ prot, protHigh }: EventBatch, from: number, to: number): void {
    const { words, validity } = this.prot;
    let at = this.length;
    for (let row = from; row < to; row += 1) {
      const low = prot[row]!;
      const high = protHigh[row]!;
      words[at * 2] = low;
      words[at * 2 + 1] = high;
      if (low === 0 && high === 0) this.prot.nullCount += 1;
      else validity[at >> 3] = validity[at >> 3]! | (1 << (at & 7));
      at += 1;
    }
  }
}

/** Whole numbers as 64 bits in two's complement; NaN is null. */
function storeNumbers(
  column: WideColumn,
  values: Float64Array,
  from: number,
  to: number,
  start: number,
): void {
  const { words, validity } = column;
  let at = start;
  let nulls = 0;
  for (let row = from; row < to; row += 1) {
    const value = values[row]!;
    if (value === value) {
      const high = Math.floor(value / TWO_32);
      words[at * 2] = value - high * TWO_32;
      words[at * 2 + 1] = high;
      validity[at >> 3] = validity[at >> 3]! | (1 << (at & 7));
    } else {
      words[at * 2] = 0;
      words[at * 2 + 1] = 0;
      nulls += 1;
    }
    at += 1;
  }
  column.nullCount += nulls;
}

/** Arrow wants bitmaps padded to 8 bytes. */
function bitmapBytes(rows: number): number {
  return Math.ceil(rows / 64) * 8;
}
