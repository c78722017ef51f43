import type { FlatTable } from "../../formats/arrow-events/flat-table.ts";
import { ArrowDamage, type BatchLayout } from "../../formats/arrow-events/messages.ts";

const TYPE_INT = 2;

/** An integer column of an Arrow table. */
export interface IntegerColumn {
  readonly name: string;
  readonly bits: 8 | 16 | 32 | 64;
  readonly isSigned: boolean;
}

/** The columns of a schema; a text for one that is no plain integer. */
export function integerColumns(schema: FlatTable): readonly (IntegerColumn | string)[] {
  return schema.tables(1).map((field) => {
    const name = field.text(0) ?? "";
    const details = field.table(3);
    if (field.uint8(2) !== TYPE_INT || details === undefined || field.table(4) !== undefined)
      return name;
    const bits = details.int32(0);
    if (bits !== 8 && bits !== 16 && bits !== 32 && bits !== 64) return name;
    return { name, bits, isSigned: details.uint8(1) !== 0 };
  });
}

/** Values of the integer columns of a batch, as two halves. */
export class ArrowCells {
  high = 0;
  low = 0;
  readonly #columns: readonly IntegerColumn[];
  #view: DataView = new DataView(new ArrayBuffer(0));
  #values: readonly number[] = [];
  #validity: readonly number[] = [];

  constructor(columns: readonly IntegerColumn[]) {
    this.#columns = columns;
  }

  /** @throws ArrowDamage for buffers that cannot be those of the columns. */
  open(body: Uint8Array, { rows, nullCounts, buffers }: BatchLayout): void {
    if (nullCounts.length !== this.#columns.length || buffers.length !== 2 * this.#columns.length) {
      throw new ArrowDamage("a batch with other columns");
    }
    const validity: number[] = [];
    const values: number[] = [];
    for (const [i, { name, bits }] of this.#columns.entries()) {
      const [validityAt, validityBytes] = buffers[2 * i]!;
      const [valuesAt, valueBytes] = buffers[2 * i + 1]!;
      const nulls = nullCounts[i]!;
      const isShort = valueBytes * 8 < rows * bits || (nulls > 0 && validityBytes * 8 < rows);
      if (nulls < 0 || nulls > rows || isShort)
        throw new ArrowDamage(`column ${name} does not fit`);
      validity.push(nulls > 0 ? validityAt : -1);
      values.push(valuesAt);
    }
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    this.#validity = validity;
    this.#values = values;
  }

  isNull(column: number, row: number): boolean {
    const at = this.#validity[column]!;
    return at >= 0 && ((this.#view.getUint8(at + (row >> 3)) >> (row & 7)) & 1) === 0;
  }

  /** Sets the halves; a negative value is spread over both, as two's complement. */
  read(column: number, row: number): void {
    const { bits, isSigned } = this.#columns[column]!;
    const at = this.#values[column]! + row * (bits / 8);
    const view = this.#view;
    if (bits === 64) {
      this.low = view.getUint32(at, true);
      this.high = view.getUint32(at + 4, true);
      return;
    }
    const value =
      bits === 32
        ? view.getInt32(at, true)
        : bits === 16
          ? view.getInt16(at, true)
          : view.getInt8(at);
    const unsigned = bits === 32 ? value >>> 0 : value & (2 ** bits - 1);
    this.low = isSigned ? value >>> 0 : unsigned;
    this.high = isSigned && value < 0 ? 0xffffffff : 0;
  }
}
