/** Writes numbers and texts one behind the other, in either byte order; for building test files. */
export class ByteWriter {
  readonly littleEndian: boolean;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(littleEndian = true) {
    this.littleEndian = littleEndian;
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    return this.bytes(Buffer.from([value & 0xff]));
  }

  u16(value: number): this {
    const part = Buffer.alloc(2);
    if (this.littleEndian) part.writeUInt16LE(value & 0xffff);
    else part.writeUInt16BE(value & 0xffff);
    return this.bytes(part);
  }

  u32(value: number): this {
    const part = Buffer.alloc(4);
    if (this.littleEndian) part.writeUInt32LE(value >>> 0);
    else part.writeUInt32BE(value >>> 0);
    return this.bytes(part);
  }

  u64(value: bigint | number): this {
    const part = Buffer.alloc(8);
    const bits = BigInt.asUintN(64, BigInt(value));
    if (this.littleEndian) part.writeBigUInt64LE(bits);
    else part.writeBigUInt64BE(bits);
    return this.bytes(part);
  }

  /** A text and its NUL. */
  text(value: string): this {
    return this.bytes(Buffer.from(`${value}\0`, "latin1"));
  }

  bytes(value: Uint8Array): this {
    this.#parts.push(Buffer.from(value));
    this.#length += value.length;
    return this;
  }

  /** Zeros up to the next multiple of `unit`. */
  align(unit: number): this {
    const rest = this.#length % unit;
    return rest === 0 ? this : this.bytes(Buffer.alloc(unit - rest));
  }

  build(): Buffer {
    const joined = Buffer.concat(this.#parts, this.#length);
    this.#parts = [joined];
    return joined;
  }
}
