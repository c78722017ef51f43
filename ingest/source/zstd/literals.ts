import { BLOCK_AT, type BlockSource, MAX_BLOCK_BYTES, SLACK_BYTES } from "./block-source.ts";
import { highBit } from "./fse-table.ts";
import { HuffmanTable } from "./huffman-table.ts";
import { ZstdDamage } from "./zstd-error.ts";

const KIND_RAW = 0;
const KIND_REPEATED_BYTE = 1;
const KIND_WITHOUT_TABLE = 3;

/** Reads the literals of a block. */
export class Literals {
  /** Where the literals are: `count` bytes at `at`; in the block itself where they are not packed. */
  bytes: Uint8Array;
  view: DataView;
  at = 0;
  count = 0;
  readonly table: HuffmanTable = new HuffmanTable();
  readonly #source: BlockSource;
  readonly #buffer = new Uint8Array(MAX_BLOCK_BYTES + SLACK_BYTES);
  readonly #bufferView = new DataView(this.#buffer.buffer);

  constructor(source: BlockSource) {
    this.#source = source;
    this.bytes = this.#buffer;
    this.view = this.#bufferView;
  }

  /** Reads the literals of the block up to `end`. @returns where they end. @throws ZstdDamage. */
  read(end: number): number {
    const { bytes } = this.#source;
    const at = BLOCK_AT;
    if (at >= end) throw new ZstdDamage("a packed block without content");
    const head = bytes[at]!;
    const kind = head & 3;
    const form = (head >> 2) & 3;
    if (kind > KIND_REPEATED_BYTE) return this.#readPacked(kind, form, end);
    const headBytes = (form & 1) === 0 ? 1 : form === 1 ? 2 : 3;
    const word = head | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
    const count = headBytes === 1 ? head >> 3 : headBytes === 2 ? (word & 0xffff) >> 4 : word >>> 4;
    const from = at + headBytes;
    this.#begin(count, count);
    if (kind === KIND_RAW) {
      if (count > end - from) throw new ZstdDamage("literals run beyond their block");
      this.bytes = bytes;
      this.view = this.#source.view;
      this.at = from;
      return from + count;
    }
    if (from >= end) throw new ZstdDamage("literals run beyond their block");
    this.#buffer.fill(bytes[from]!, 0, count);
    return from + 1;
  }

  #begin(count: number, packedBytes: number): void {
    if (count > MAX_BLOCK_BYTES || packedBytes > MAX_BLOCK_BYTES) {
      throw new ZstdDamage("more literals than a block can hold");
    }
    this.bytes = this.#buffer;
    this.view = this.#bufferView;
    this.at = 0;
    this.count = count;
  }

  #readPacked(kind: number, form: number, end: number): number {
    const { bytes, view } = this.#source;
    const low = view.getUint32(BLOCK_AT, true);
    const sizeBits = form < 2 ? 10 : form === 2 ? 14 : 18;
    const headBytes = form < 2 ? 3 : form === 2 ? 4 : 5;
    const mask = (1 << sizeBits) - 1;
    const count = (low >>> 4) & mask;
    const packedBytes =
      form === 3
        ? ((low >>> 22) | (bytes[BLOCK_AT + 4]! << 10)) & mask
        : (low >>> (4 + sizeBits)) & mask;
    this.#begin(count, packedBytes);
    let from = BLOCK_AT + headBytes;
    const to = from + packedBytes;
    if (to > end) throw new ZstdDamage("literals run beyond their block");
    if (kind === KIND_WITHOUT_TABLE) {
      if (!this.table.isFilled) throw new ZstdDamage("literals without a table in front of them");
    } else from = this.table.read(bytes, from, to);
    if (form === 0) this.#readStream(from, to, 0, count);
    else this.#readFourStreams(from, to, count);
    return to;
  }

  /** Bits of a stream up to the mark that ends it. */
  #bitsIn(from: number, to: number): number {
    const last = from < to ? this.#source.bytes[to - 1]! : 0;
    if (last === 0) throw new ZstdDamage("literals without their end mark");
    return (to - 1 - from) * 8 + highBit(last);
  }

  #readStream(from: number, to: number, outAt: number, outEnd: number): void {
    this.#finishStream(from, this.#bitsIn(from, to), outAt, outEnd);
  }

  /** One literal at a time, until there are enough; all bits must be used then. */
  #finishStream(from: number, bitsLeft: number, outAt: number, outEnd: number): void {
    const { view } = this.#source;
    const { cells, bits: tableBits } = this.table;
    const out = this.#buffer;
    const shift = 25 - tableBits;
    const mask = (1 << tableBits) - 1;
    let bits = bitsLeft;
    for (let at = outAt; at < outEnd; at += 1) {
      const place = bits - 25;
      const word = view.getInt32(from + (place >> 3), true) >>> (place & 7);
      const cell = cells[(word >>> shift) & mask]!;
      out[at] = cell;
      bits -= cell >> 8;
      if (bits < 0) break;
    }
    if (bits !== 0) throw new ZstdDamage("literals do not end where they should");
  }

  /** Four streams side by side: the first three give a quarter each, the last what is left. */
  #readFourStreams(from: number, to: number, count: number): void {
    const { view } = this.#source;
    if (to - from < 10) throw new ZstdDamage("literals in four parts that are too short");
    const from1 = from + 6;
    const from2 = from1 + view.getUint16(from, true);
    const from3 = from2 + view.getUint16(from + 2, true);
    const from4 = from3 + view.getUint16(from + 4, true);
    const quarter = (count + 3) >> 2;
    if (from4 >= to || quarter * 3 > count) {
      throw new ZstdDamage("literals in four parts that do not add up");
    }
    const { cells, bits: tableBits } = this.table;
    const out = this.#buffer;
    const shift = 25 - tableBits;
    const mask = (1 << tableBits) - 1;
    let bits1 = this.#bitsIn(from1, from2);
    let bits2 = this.#bitsIn(from2, from3);
    let bits3 = this.#bitsIn(from3, from4);
    let bits4 = this.#bitsIn(from4, to);
    const pairs = (count - quarter * 3) >> 1;
    let at = 0;
    // Two literals from each word: 25 bits of it are sure, a literal has 11 at most.
    for (const end = pairs * 2; at < end; at += 2) {
      let place = bits1 - 25;
      let word = view.getInt32(from1 + (place >> 3), true) >>> (place & 7);
      let cell = cells[(word >>> shift) & mask]!;
      out[at] = cell;
      let used = cell >> 8;
      cell = cells[(word >>> (shift - used)) & mask]!;
      out[at + 1] = cell;
      bits1 -= used + (cell >> 8);

      place = bits2 - 25;
      word = view.getInt32(from2 + (place >> 3), true) >>> (place & 7);
      cell = cells[(word >>> shift) & mask]!;
      out[at + quarter] = cell;
      used = cell >> 8;
      cell = cells[(word >>> (shift - used)) & mask]!;
      out[at + quarter + 1] = cell;
      bits2 -= used + (cell >> 8);

      place = bits3 - 25;
      word = view.getInt32(from3 + (place >> 3), true) >>> (place & 7);
      cell = cells[(word >>> shift) & mask]!;
      out[at + 2 * quarter] = cell;
      used = cell >> 8;
      cell = cells[(word >>> (shift - used)) & mask]!;
      out[at + 2 * quarter + 1] = cell;
      bits3 -= used + (cell >> 8);

      place = bits4 - 25;
      word = view.getInt32(from4 + (place >> 3), true) >>> (place & 7);
      cell = cells[(word >>> shift) & mask]!;
      out[at + 3 * quarter] = cell;
      used = cell >> 8;
      cell = cells[(word >>> (shift - used)) & mask]!;
      out[at + 3 * quarter + 1] = cell;
      bits4 -= used + (cell >> 8);
      if ((bits1 | bits2 | bits3 | bits4) < 0) break;
    }
    this.#finishStream(from1, bits1, at, quarter);
    this.#finishStream(from2, bits2, at + quarter, 2 * quarter);
    this.#finishStream(from3, bits3, at + 2 * quarter, 3 * quarter);
    this.#finishStream(from4, bits4, at + 3 * quarter, count);
  }
}
