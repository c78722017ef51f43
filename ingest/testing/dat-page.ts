import { ByteWriter } from "./byte-writer.ts";

/** Builds one ring-buffer page, record by record. */
export class DatPage {
  readonly stampNs: bigint;
  readonly #data: ByteWriter;
  readonly #littleEndian: boolean;
  readonly #longBytes: 4 | 8;
  #flags = 0;
  #missed: number | undefined;
  #commit: number | undefined;

  constructor(stampNs: bigint | number, littleEndian = true, longBytes: 4 | 8 = 8) {
    this.stampNs = BigInt(stampNs);
    this.#littleEndian = littleEndian;
    this.#longBytes = longBytes;
    this.#data = new ByteWriter(littleEndian);
  }

  /** A record of type 1…28: its length is in the type. */
  record(deltaNs: number, payload: Uint8Array): this {
    return this.head(payload.length / 4, deltaNs).#bytes(payload);
  }

  /** A record of type 0: its length stands in front of it. */
  longRecord(deltaNs: number, payload: Uint8Array): this {
    this.head(0, deltaNs);
    this.#data.u32(payload.length + 4);
    return this.#bytes(payload);
  }

  timeExtend(deltaNs: bigint): this {
    this.head(30, Number(deltaNs & 0x7ff_ffffn));
    this.#data.u32(Number(deltaNs >> 27n));
    return this;
  }

  absoluteStamp(stampNs: bigint): this {
    this.head(31, Number(stampNs & 0x7ff_ffffn));
    this.#data.u32(Number((stampNs >> 27n) & 0xffff_ffffn));
    return this;
  }

  /** A record that was taken back. */
  discarded(deltaNs: number, payloadBytes: number): this {
    this.head(29, deltaNs);
    this.#data.u32(payloadBytes + 4);
    return this.#bytes(new Uint8Array(payloadBytes).fill(0xee));
  }

  /** Padding up to the page's end. */
  endPadding(): this {
    return this.head(29, 0);
  }

  /** Events were lost in front of this page; a count is stored behind the records. */
  missed(count?: number): this {
    this.#flags = count === undefined ? 0x8000_0000 : 0xc000_0000;
    this.#missed = count;
    return this;
  }

  /** A commit field of one's own. */
  commit(bytes: number): this {
    this.#commit = bytes;
    return this;
  }

  /** The u32 in front of a record. */
  head(type: number, delta: number): this {
    this.#data.u32(this.#littleEndian ? (delta << 5) | type : (type << 27) | delta);
    return this;
  }

  build(pageBytes = 4096): Buffer {
    const page = new ByteWriter(this.#littleEndian).u64(this.stampNs);
    const commit = BigInt(this.#commit ?? this.#data.length) | BigInt(this.#flags >>> 0);
    if (this.#longBytes === 8) page.u64(commit);
    else page.u32(Number(commit));
    page.bytes(this.#data.build());
    if (this.#missed !== undefined) {
      if (this.#longBytes === 8) page.u64(this.#missed);
      else page.u32(this.#missed);
    }
    return page.align(pageBytes).build();
  }

  #bytes(payload: Uint8Array): this {
    this.#data.bytes(payload);
    return this;
  }
}
