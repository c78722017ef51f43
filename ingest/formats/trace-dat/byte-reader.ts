/** A place in the file's metadata that cannot be what it should be. */
export class DatDamage extends Error {
  /** In the bytes that were being read; the one who catches it knows where those stand in the file. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.name = "DatDamage";
    this.at = at;
  }
}

/** Reads the numbers and texts of metadata, one behind the other, in the file's byte order. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  at: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, littleEndian: boolean, at = 0) {
    this.bytes = bytes;
    this.littleEndian = littleEndian;
    this.at = at;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  u16(): number {
    return this.#view.getUint16(this.#step(2), this.littleEndian);
  }

  u32(): number {
    return this.#view.getUint32(this.#step(4), this.littleEndian);
  }

  /** @throws DatDamage also for what a double cannot hold exactly: no size or offset is that large. */
  u64(): number {
    const value = this.#view.getBigUint64(this.#step(8), this.littleEndian);
    if (value > Number.MAX_SAFE_INTEGER) {
      throw new DatDamage(`a size or offset of ${value}`, this.at - 8);
    }
    return Number(value);
  }

  /** A word of 64 bits that is no size or offset. */
  bits64(): bigint {
    return this.#view.getBigUint64(this.#step(8), this.littleEndian);
  }

  /** Text up to a NUL of at most `maxBytes`, as Latin-1. */
  text(maxBytes = 4096): string {
    const end = this.bytes.subarray(this.at, this.at + maxBytes).indexOf(0);
    if (end < 0) throw new DatDamage("a text without its end", this.at);
    const start = this.at;
    this.at += end + 1;
    return latin1(this.bytes.subarray(start, start + end));
  }

  take(lengthBytes: number): Uint8Array {
    const start = this.#step(lengthBytes);
    return this.bytes.subarray(start, start + lengthBytes);
  }

  skip(lengthBytes: number): void {
    this.#step(lengthBytes);
  }

  #step(lengthBytes: number): number {
    const start = this.at;
    if (lengthBytes > this.bytes.length - start) {
      throw new DatDamage(`${lengthBytes} bytes should follow`, start);
    }
    this.at = start + lengthBytes;
    return start;
  }
}

/** Bytes as text, each byte a character, so that nothing is lost or merged. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
