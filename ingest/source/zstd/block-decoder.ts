import { BLOCK_AT, BlockSource, MAX_BLOCK_BYTES } from "./block-source.ts";
import { highBit } from "./fse-table.ts";
import { Literals } from "./literals.ts";
import type { Output } from "./output.ts";
import { SequenceTables } from "./sequence-tables.ts";
import { ZstdDamage } from "./zstd-error.ts";

/** From here on the runtime's own copying is faster than copying by words. */
const LONG_COPY_BYTES = 96;

/** Unpacks the packed blocks of a frame, one behind the other; keeps its tables from frame to frame. */
export class BlockDecoder {
  /** The block that is unpacked next, from BLOCK_AT on. */
  readonly source: BlockSource = new BlockSource();
  readonly #literals = new Literals(this.source);
  readonly #tables = new SequenceTables();
  /** Offsets of the last three matches. */
  #repeat0 = 1;
  #repeat1 = 4;
  #repeat2 = 8;

  beginFrame(): void {
    this.#literals.table.isFilled = false;
    this.#tables.forget();
    this.#repeat0 = 1;
    this.#repeat1 = 4;
    this.#repeat2 = 8;
  }

  /**
   * Unpacks the block of `packedBytes` in `source` to `output.at`, which moves behind it.
   * @param limit the output may not go beyond. @throws ZstdDamage.
   */
  decode(packedBytes: number, output: Output, limit: number): void {
    const end = BLOCK_AT + packedBytes;
    const { bytes } = this.source;
    // What stands behind the block must not depend on the blocks before it.
    bytes.fill(0, end, Math.min(end + 8, bytes.length));
    let at = this.#literals.read(end);
    if (at >= end) throw new ZstdDamage("a packed block without sequences");
    let count = bytes[at]!;
    at += 1;
    if (count > 127) {
      const isLong = count === 255;
      if (at + (isLong ? 2 : 1) > end) throw new ZstdDamage("a packed block that is too short");
      count = isLong
        ? bytes[at]! + (bytes[at + 1]! << 8) + 0x7f00
        : ((count - 128) << 8) + bytes[at]!;
      at += isLong ? 2 : 1;
    }
    if (count === 0) {
      if (at !== end) throw new ZstdDamage("bytes behind the end of a block");
      this.#takeRest(output, this.#literals.at, limit);
      return;
    }
    this.#execute(this.#chooseTables(at, end), end, count, output, limit);
  }

  #chooseTables(at: number, end: number): number {
    const { source } = this;
    const modes = at < end ? source.bytes[at]! : 3;
    if ((modes & 3) !== 0) throw new ZstdDamage("sequences of an unknown kind");
    const { literalLengths, offsets, matchLengths } = this.#tables;
    const from = literalLengths.choose(modes >> 6, source, at + 1, end);
    const next = offsets.choose((modes >> 4) & 3, source, from, end);
    return matchLengths.choose((modes >> 2) & 3, source, next, end);
  }

  /** Reads `count` sequences from the bits between `from` and `end`, last bit first, and carries them out. */
  #execute(from: number, end: number, count: number, output: Output, limit: number): void {
    const { view: bitsView } = this.source;
    const last = from < end ? this.source.bytes[end - 1]! : 0;
    if (last === 0) throw new ZstdDamage("sequences without their end mark");
    const { literalLengths, offsets, matchLengths } = this.#tables;
    const llCells = literalLengths.current.cells;
    const ofCells = offsets.current.cells;
    const mlCells = matchLengths.current.cells;
    const { bytes, view, begin, windowBytes } = output;
    const { bytes: literals, view: literalView } = this.#literals;
    let literalAt = this.#literals.at;
    const literalEnd = literalAt + this.#literals.count;
    let outAt = output.at;
    let repeat0 = this.#repeat0;
    let repeat1 = this.#repeat1;
    let repeat2 = this.#repeat2;

    // Bits are numbered from the first byte; `bits` of them are left. A word gives at least 25.
    let bits = (end - 1 - from) * 8 + highBit(last);
    bits -= literalLengths.current.log;
    let ll = wordAt(bitsView, from, bits) & ((1 << literalLengths.current.log) - 1);
    bits -= offsets.current.log;
    let of = wordAt(bitsView, from, bits) & ((1 << offsets.current.log) - 1);
    bits -= matchLengths.current.log;
    let ml = wordAt(bitsView, from, bits) & ((1 << matchLengths.current.log) - 1);
    ll <<= 1;
    of <<= 1;
    ml <<= 1;

    for (let left = count; left > 0; left -= 1) {
      if (bits < 0) throw new ZstdDamage("sequences that need more bits than there are");
      const ofCell = ofCells[of]!;
      const llCell = llCells[ll]!;
      const mlCell = mlCells[ml]!;
      let literalBytes = llCells[ll + 1]!;
      let matchBytes = mlCells[ml + 1]!;
      let offset = ofCells[of + 1]!;
      let extra = ofCell >>> 24;
      if (extra > 24) {
        bits -= extra - 24;
        offset += (wordAt(bitsView, from, bits) & ((1 << (extra - 24)) - 1)) << 24;
        extra = 24;
      }
      bits -= extra;
      offset += wordAt(bitsView, from, bits) & ((1 << extra) - 1);
      if (((llCell | mlCell) & 0xff00_0000) !== 0) {
        extra = mlCell >>> 24;
        bits -= extra;
        matchBytes += wordAt(bitsView, from, bits) & ((1 << extra) - 1);
        extra = llCell >>> 24;
        bits -= extra;
        literalBytes += wordAt(bitsView, from, bits) & ((1 << extra) - 1);
      }
      if (left > 1) {
        const llBits = (llCell >>> 16) & 0xff;
        const mlBits = (mlCell >>> 16) & 0xff;
        const ofBits = (ofCell >>> 16) & 0xff;
        // 26 at most; the first of them is read on its own, the other 17 together.
        bits -= llBits;
        ll = (llCell & 0xffff) + ((wordAt(bitsView, from, bits) & ((1 << llBits) - 1)) << 1);
        bits -= mlBits + ofBits;
        const word = wordAt(bitsView, from, bits);
        of = (ofCell & 0xffff) + ((word & ((1 << ofBits) - 1)) << 1);
        ml = (mlCell & 0xffff) + (((word >>> ofBits) & ((1 << mlBits) - 1)) << 1);
      }

      if (offset > 3) {
        offset -= 3;
        repeat2 = repeat1;
        repeat1 = repeat0;
        repeat0 = offset;
      } else {
        const which = literalBytes === 0 ? offset + 1 : offset;
        if (which === 1) offset = repeat0;
        else {
          offset = which === 2 ? repeat1 : which === 3 ? repeat2 : repeat0 - 1;
          if (offset === 0) throw new ZstdDamage("a match 0 bytes back");
          if (which !== 2) repeat2 = repeat1;
          repeat1 = repeat0;
          repeat0 = offset;
        }
      }

      const matchAt = outAt + literalBytes;
      const matchEnd = matchAt + matchBytes;
      const literalTo = literalAt + literalBytes;
      if (literalTo > literalEnd || matchEnd > limit) {
        throw new ZstdDamage(
          literalTo > literalEnd ? "more literals used than there are" : "more content than fits",
        );
      }
      if (literalBytes > 0) {
        if (literalBytes > LONG_COPY_BYTES) {
          bytes.set(literals.subarray(literalAt, literalTo), outAt);
        } else {
          for (let to = outAt, at = literalAt; to < matchAt; to += 8, at += 8) {
            view.setInt32(to, literalView.getInt32(at, true), true);
            view.setInt32(to + 4, literalView.getInt32(at + 4, true), true);
          }
        }
        literalAt = literalTo;
      }
      outAt = matchEnd;
      let source = matchAt - offset;
      if (source < begin || offset > windowBytes) {
        output.copyOlder(matchAt, offset, matchBytes);
      } else if (offset >= 8) {
        if (matchBytes > LONG_COPY_BYTES && offset >= matchBytes) {
          bytes.copyWithin(matchAt, source, source + matchBytes);
        } else {
          for (let to = matchAt; to < matchEnd; to += 8, source += 8) {
            const first = view.getInt32(source, true);
            const second = view.getInt32(source + 4, true);
            view.setInt32(to, first, true);
            view.setInt32(to + 4, second, true);
          }
        }
      } else if (offset === 1 && matchBytes > 16) {
        bytes.fill(bytes[source]!, matchAt, matchEnd);
      } else {
        for (let to = matchAt; to < matchEnd; to += 1, source += 1) bytes[to] = bytes[source]!;
      }
    }
    if (bits !== 0) throw new ZstdDamage("sequences do not end where they should");
    this.#repeat0 = repeat0;
    this.#repeat1 = repeat1;
    this.#repeat2 = repeat2;
    output.at = outAt;
    this.#takeRest(output, literalAt, limit);
  }

  /** The literals behind the last match. */
  #takeRest(output: Output, from: number, limit: number): void {
    const { bytes, at, count } = this.#literals;
    const to = at + count;
    if (output.at + (to - from) > limit) throw new ZstdDamage("more content than fits");
    output.bytes.set(bytes.subarray(from, to), output.at);
    output.at += to - from;
  }
}

/** The bits from `bit` on; the lowest 25 of them are right. */
function wordAt(view: DataView, from: number, bit: number): number {
  return view.getInt32(from + (bit >> 3), true) >>> (bit & 7);
}

/** Most that a block can give. */
export function maxBlockBytes(windowBytes: number): number {
  return Math.min(windowBytes, MAX_BLOCK_BYTES);
}
