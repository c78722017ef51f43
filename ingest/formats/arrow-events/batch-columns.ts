import type { EventBatch } from "../../events/columns.ts";
import { EVENT_TABLE_COLUMNS, type EventTableType } from "../../events/event-table.ts";
import { UNKNOWN_CPU } from "../../events/kinds.ts";
import type { PointerTable } from "../../events/pointers.ts";
import { ArrowDamage, type BatchLayout } from "./messages.ts";
import { NameColumn } from "./name-column.ts";

const TWO_32 = 4294967296;
/** Largest magnitude of a high half of a number that a double holds exactly. */
const MAX_EXACT_HIGH = 0x1fffff;

const VALUE_BYTES: Readonly<Record<EventTableType, number>> = {
  int64: 8,
  uint64: 8,
  int32: 4,
  uint32: 4,
  uint16: 2,
  utf8: 4,
  kind: 1,
};

/** Where a column stands in the body: its validity bits (absent: all valid) and its values. */
interface ColumnPlace {
  readonly hasNulls: boolean;
  readonly isAllNull: boolean;
  readonly validityAt: number;
  readonly valuesAt: number;
  readonly textAt: number;
  readonly textBytes: number;
}

const COLUMN_NAMES = EVENT_TABLE_COLUMNS.map(({ name }) => name);

/** Copies the columns of a record batch's body into the rows of event batches. */
export class BatchColumns {
  readonly names: NameColumn;
  readonly #pointers: PointerTable;
  readonly #baseHigh: number;
  readonly #baseLow: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #words: Uint32Array = new Uint32Array(0);
  #signed: Int32Array = new Int32Array(0);
  #halves: Uint16Array = new Uint16Array(0);
  #places: readonly ColumnPlace[] = [];
  #kinds: Uint8Array = new Uint8Array(0);

  constructor(pointers: PointerTable, names: NameColumn, baseNs: bigint) {
    this.#pointers = pointers;
    this.names = names;
    this.#baseHigh = Number(baseNs >> 32n);
    this.#baseLow = Number(baseNs & 0xffff_ffffn);
  }

  /**
   * Takes a body, 8-byte aligned and as long as the layout says, to copy from.
   * @throws ArrowDamage for buffers that cannot be those of the columns.
   */
  open(body: Uint8Array, layout: BatchLayout, kinds: Uint8Array): void {
    this.#bytes = body;
    this.#words = new Uint32Array(body.buffer, body.byteOffset, body.length >> 2);
    this.#signed = new Int32Array(body.buffer, body.byteOffset, body.length >> 2);
    this.#halves = new Uint16Array(body.buffer, body.byteOffset, body.length >> 1);
    this.#places = placesOf(layout);
    this.#kinds = kinds;
    const { valuesAt, textAt, textBytes } = this.#place("event");
    this.names.open(body, valuesAt, layout.rows, textAt, textBytes);
  }

  /** Copies `count` rows from row `from` of the body to row `to` of the batch. */
  copy(from: number, count: number, batch: EventBatch, to: number): void {
    this.#times(from, count, batch.tsNs, to);
    this.#cpus(from, count, batch.cpu, to);
    this.#pids(from, count, batch.pid, to);
    this.names.copy(from, count, batch.name, to);
    this.#kindCodes(from, count, batch.kind, to);
    const line = (this.#place("line").valuesAt >> 2) + from;
    batch.line.set(this.#words.subarray(line, line + count), to);
    for (const name of ["pgt", "mmu", "kvm"] as const) {
      this.#pointerIds(this.#place(name), from, count, batch[name], to);
    }
    for (const name of ["addr", "len", "phys"] as const) {
      this.#numbers(this.#place(name), from, count, batch[name], to, false);
    }
    this.#prots(from, count, batch, to);
    for (const name of ["arg0", "arg1", "arg2", "arg3"] as const) {
      this.#numbers(this.#place(name), from, count, batch[name], to, true);
    }
  }

  #place(name: string): ColumnPlace {
    return this.#places[COLUMN_NAMES.indexOf(name)]!;
  }

  #times(from: number, count: number, target: Float64Array, to: number): void {
    const start = (this.#place("ts_ns").valuesAt >> 2) + from * 2;
    const words = this.#words;
    const signed = this.#signed;
    for (let i = 0; i < count; i += 1) {
      const high = signed[start + i * 2 + 1]! - this.#baseHigh;
      if (high > MAX_EXACT_HIGH || high < -MAX_EXACT_HIGH) {
        throw new ArrowDamage("a time too far from the first");
      }
      target[to + i] = high * TWO_32 + (words[start + i * 2]! - this.#baseLow);
    }
  }

  #cpus(from: number, count: number, target: Uint16Array, to: number): void {
    const { hasNulls, validityAt, valuesAt } = this.#place("cpu");
    const start = (valuesAt >> 1) + from;
    target.set(this.#halves.subarray(start, start + count), to);
    if (!hasNulls) return;
    for (let i = 0; i < count; i += 1) {
      if (!this.#isValid(validityAt, from + i)) target[to + i] = UNKNOWN_CPU;
    }
  }

  #pids(from: number, count: number, target: Int32Array, to: number): void {
    const { hasNulls, validityAt, valuesAt } = this.#place("pid");
    const start = (valuesAt >> 2) + from;
    target.set(this.#signed.subarray(start, start + count), to);
    if (!hasNulls) return;
    for (let i = 0; i < count; i += 1) {
      if (!this.#isValid(validityAt, from + i)) target[to + i] = -1;
    }
  }

  #kindCodes(from: number, count: number, target: Uint8Array, to: number): void {
    const start = this.#place("kind").valuesAt + from;
    const kinds = this.#kinds;
    for (let i = 0; i < count; i += 1) {
      const index = this.#bytes[start + i]!;
      if (index >= kinds.length) throw new ArrowDamage("a kind outside the dictionary");
      target[to + i] = kinds[index]!;
    }
  }

  #pointerIds(
    place: ColumnPlace,
    from: number,
    count: number,
    target: Uint32Array,
    to: number,
  ): void {
    if (place.isAllNull) {
      target.fill(0, to, to + count);
      return;
    }
    const words = this.#words;
    const start = (place.valuesAt >> 2) + from * 2;
    let [lastHigh, lastLow, lastId] = [0, 0, 0];
    for (let i = 0; i < count; i += 1) {
      if (place.hasNulls && !this.#isValid(place.validityAt, from + i)) {
        target[to + i] = 0;
        continue;
      }
      const low = words[start + i * 2]!;
      const high = words[start + i * 2 + 1]!;
      if (low !== lastLow || high !== lastHigh) {
        lastId = this.#pointers.intern(high, low);
        [lastHigh, lastLow] = [high, low];
      }
      target[to + i] = lastId;
    }
  }

  #numbers(
    place: ColumnPlace,
    from: number,
    count: number,
    target: Float64Array,
    to: number,
    isSigned: boolean,
  ): void {
    if (place.isAllNull) {
      target.fill(Number.NaN, to, to + count);
      return;
    }
    const words = this.#words;
    const highs = isSigned ? this.#signed : words;
    const start = (place.valuesAt >> 2) + from * 2;
    for (let i = 0; i < count; i += 1) {
      if (place.hasNulls && !this.#isValid(place.validityAt, from + i)) {
        target[to + i] = Number.NaN;
        continue;
      }
      const high = highs[start + i * 2 + 1]!;
      if (high > MAX_EXACT_HIGH || high < -MAX_EXACT_HIGH - 1) {
        throw new ArrowDamage("a number beyond 2^53");
      }
      target[to + i] = high * TWO_32 + words[start + i * 2]!;
    }
  }

  #prots(from: number, count: number, batch: EventBatch, to: number): void {
    const { hasNulls, validityAt, valuesAt } = this.#place("prot");
    const start = (valuesAt >> 2) + from * 2;
    for (let i = 0; i < count; i += 1) {
      const isValid = !hasNulls || this.#isValid(validityAt, from + i);
      batch.prot[to + i] = isValid ? this.#words[start + i * 2]! : 0;
      batch.protHigh[to + i] = isValid ? this.#words[start + i * 2 + 1]! : 0;
    }
  }

  #isValid(validityAt: number, row: number): boolean {
    return ((this.#bytes[validityAt + (row >> 3)]! >> (row & 7)) & 1) === 1;
  }
}

function placesOf({ rows, nullCounts, buffers }: BatchLayout): readonly ColumnPlace[] {
  let next = 0;
  const take = (): readonly [number, number] => {
    const buffer = buffers[next];
    if (buffer === undefined) throw new ArrowDamage("a batch with too few columns");
    next += 1;
    return buffer;
  };
  const places = EVENT_TABLE_COLUMNS.map(({ name, type, nullable }, i): ColumnPlace => {
    const nulls = nullCounts[i] ?? -1;
    if (nulls < 0 || nulls > rows || (nulls > 0 && !nullable)) {
      throw new ArrowDamage(`column ${name} says that it has ${nulls} nulls`);
    }
    const [validityAt, validityBytes] = take();
    const [valuesAt, valueBytes] = take();
    const [textAt, textBytes] = type === "utf8" ? take() : [0, 0];
    // The offsets of texts are one more than the rows; a writer may leave them out where there is no row.
    const values = type === "utf8" && rows > 0 ? rows + 1 : rows;
    const isShort = valueBytes < values * VALUE_BYTES[type];
    if (isShort || (nulls > 0 && validityBytes * 8 < rows)) {
      throw new ArrowDamage(`column ${name} is shorter than the batch`);
    }
    return {
      hasNulls: nulls > 0,
      isAllNull: nulls === rows,
      validityAt,
      valuesAt,
      textAt,
      textBytes,
    };
  });
  if (next !== buffers.length || nullCounts.length !== places.length) {
    throw new ArrowDamage("a batch with too many columns");
  }
  return places;
}
