import type { FormatField } from "./format-texts.ts";

/** Reads fields of any width as 64 bits in two signed halves, as NumberScanner gives printed numbers. */
export class FieldValues {
  high = 0;
  low = 0;
  readonly #littleEndian: boolean;

  constructor(littleEndian: boolean) {
    this.#littleEndian = littleEndian;
  }

  /** @param sizeBytes 1, 2, 4 or 8. */
  read(view: DataView, at: number, sizeBytes: number, isSigned: boolean): void {
    const littleEndian = this.#littleEndian;
    switch (sizeBytes) {
      case 8: {
        const first = view.getInt32(at, littleEndian);
        const second = view.getInt32(at + 4, littleEndian);
        this.high = littleEndian ? second : first;
        this.low = littleEndian ? first : second;
        return;
      }
      case 4:
        this.low = view.getInt32(at, littleEndian);
        break;
      case 2:
        this.low = isSigned ? view.getInt16(at, littleEndian) : view.getUint16(at, littleEndian);
        break;
      default:
        this.low = isSigned ? view.getInt8(at) : view.getUint8(at);
        break;
    }
    this.high = isSigned && this.low < 0 ? -1 : 0;
  }

  /** The last value as an exact, non-negative quantity; NaN where a double cannot hold it. */
  quantity(): number {
    const high = this.high >>> 0;
    return high > 0x1fffff ? Number.NaN : high * 4_294_967_296 + (this.low >>> 0);
  }
}

/** Size of a field that is one number; 0 for texts, arrays and what else cannot be one. */
export function numberBytesOf({ type, sizeBytes }: FormatField): number {
  if (/\[|__data_loc|__rel_loc/.test(type)) return 0;
  return sizeBytes === 1 || sizeBytes === 2 || sizeBytes === 4 || sizeBytes === 8 ? sizeBytes : 0;
}
