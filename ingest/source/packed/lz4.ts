import { unpackLz4Block } from "./lz4-block.ts";
import { type Decoding, PulledDecoder } from "./pulled-decoder.ts";
import type { Emit, StreamDecoder } from "./stream-decoder.ts";
import { Xxh32 } from "./xxh32.ts";

/** The LZ4 frame format 1.6.4: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
const FRAME = 0x184d2204;
const LEGACY_FRAME = 0x184c2102;
const isSkippable = (magic: number): boolean => magic >>> 4 === 0x184d2a5;

/** Matches reach back this far, into earlier blocks where those are linked. */
const WINDOW_BYTES = 64 * 1024;
const LEGACY_BLOCK_BYTES = 8 * 1024 * 1024;
/** Of a block's size word: its bytes are stored as they are. */
const UNCOMPRESSED = 0x80000000;

/** Unpacks one or more LZ4 frames, legacy and skippable ones included; checksums are verified. */
export function lz4Decoder(emit: Emit): StreamDecoder {
  return new PulledDecoder("lz4", frames, emit);
}

function* frames(emit: Emit): Decoding {
  for (;;) {
    let magic = word(yield { bytes: 4, mayEnd: true });
    // The end of a legacy frame is the next one's beginning.
    while (magic === LEGACY_FRAME) magic = yield* legacyFrame(emit);
    if (isSkippable(magic)) {
      yield* skip(word(yield { bytes: 4 }));
    } else if (magic === FRAME) {
      yield* frame(emit);
    } else if (magic !== 0) throw new Error("no frame begins here");
  }
}

function* skip(bytes: number): Decoding {
  for (let left = bytes; left > 0; left -= WINDOW_BYTES) {
    yield { bytes: Math.min(left, WINDOW_BYTES) };
  }
}

interface FrameHeader {
  readonly isLinked: boolean;
  readonly hasBlockChecksums: boolean;
  readonly hasContentChecksum: boolean;
  /** Size of what all blocks unpack to, where the frame says it. */
  readonly contentBytes: number | undefined;
  readonly maxBlockBytes: number;
}

function* frameHeader(): Generator<{ readonly bytes: number }, FrameHeader, Uint8Array> {
  const fixed = (yield { bytes: 2 }).slice();
  const flags = fixed[0]!;
  if (flags >> 6 !== 1) throw new Error("a frame of an unknown version");
  const hasSize = (flags & 8) !== 0;
  const hasDictionary = (flags & 1) !== 0;
  const optional = (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0);
  const rest = (yield { bytes: optional + 1 }).slice();
  const hash = new Xxh32();
  hash.update(fixed);
  hash.update(rest.subarray(0, optional));
  if (((hash.digest() >>> 8) & 0xff) !== rest[optional]) throw new Error("a frame's header");
  if (hasDictionary) throw new Error("a frame that needs a dictionary");
  const sizeCode = (fixed[1]! >> 4) & 7;
  if (sizeCode < 4) throw new Error("a frame with an unknown block size");
  return {
    isLinked: (flags & 0x20) === 0,
    hasBlockChecksums: (flags & 0x10) !== 0,
    hasContentChecksum: (flags & 4) !== 0,
    contentBytes: hasSize ? word(rest) + word(rest.subarray(4)) * 2 ** 32 : undefined,
    maxBlockBytes: 2 ** (8 + 2 * sizeCode),
  };
}

function* frame(emit: Emit): Decoding {
  const header = yield* frameHeader();
  const blocks = new Blocks(header.maxBlockBytes, header.isLinked, emit);
  const checksum = header.hasContentChecksum ? new Xxh32() : undefined;
  for (;;) {
    const sizeWord = word(yield { bytes: 4 });
    if (sizeWord === 0) break;
    const bytes = sizeWord & ~UNCOMPRESSED;
    if (bytes > header.maxBlockBytes) throw new Error("a block larger than its frame allows");
    const block = yield { bytes, takesFewer: true };
    const isCut = block.length < bytes;
    const piece = blocks.add(block, sizeWord >>> 31 === 1, isCut);
    checksum?.update(piece);
    if (!header.hasBlockChecksums || isCut) continue;
    const own = new Xxh32();
    own.update(block);
    if (word(yield { bytes: 4 }) !== own.digest()) throw new Error("a block's checksum");
  }
  if (header.contentBytes !== undefined && header.contentBytes !== blocks.unpackedBytes) {
    throw new Error(`${blocks.unpackedBytes} bytes came out instead of ${header.contentBytes}`);
  }
  if (checksum !== undefined && word(yield { bytes: 4 }) !== checksum.digest()) {
    throw new Error("the content's checksum");
  }
}

/** Blocks up to the stream's end, or to a word that is no size of one; gives that word. */
function* legacyFrame(
  emit: Emit,
): Generator<
  { readonly bytes: number; readonly mayEnd?: boolean; readonly takesFewer?: boolean },
  number,
  Uint8Array
> {
  const blocks = new Blocks(LEGACY_BLOCK_BYTES, false, emit);
  const maxBytes = LEGACY_BLOCK_BYTES + LEGACY_BLOCK_BYTES / 255 + 16;
  for (;;) {
    const bytes = word(yield { bytes: 4, mayEnd: true });
    if (bytes === 0 || bytes > maxBytes) return bytes;
    const block = yield { bytes, takesFewer: true };
    blocks.add(block, false, block.length < bytes);
  }
}

/** Unpacks blocks one behind the other, with the window that linked ones need before them. */
class Blocks {
  unpackedBytes = 0;
  readonly #out: Uint8Array;
  readonly #isLinked: boolean;
  readonly #emit: Emit;
  readonly #maxBlockBytes: number;
  /** Bytes of the window that are there. */
  #windowBytes = 0;

  constructor(maxBlockBytes: number, isLinked: boolean, emit: Emit) {
    this.#out = new Uint8Array(WINDOW_BYTES + maxBlockBytes);
    this.#isLinked = isLinked;
    this.#emit = emit;
    this.#maxBlockBytes = maxBlockBytes;
  }

  /** @param isCut the block's end is missing: what can be unpacked of it is. */
  add(block: Uint8Array, isStored: boolean, isCut: boolean): Uint8Array {
    const out = this.#out;
    const from = WINDOW_BYTES;
    let end = from + block.length;
    let problem: string | undefined;
    if (isStored) out.set(block, from);
    else {
      const limit = from + this.#maxBlockBytes;
      const oldest = from - this.#windowBytes;
      ({ end, problem } = unpackLz4Block(block, out, from, limit, oldest));
    }
    const piece = out.slice(from, end);
    this.unpackedBytes += piece.length;
    if (piece.length > 0) this.#emit(piece);
    if (problem !== undefined && !isCut) throw new Error(problem);
    if (this.#isLinked) {
      this.#windowBytes = Math.min(WINDOW_BYTES, this.#windowBytes + piece.length);
      out.copyWithin(from - this.#windowBytes, end - this.#windowBytes, end);
    }
    return piece;
  }
}

/** Four bytes as an unsigned number, the lowest first. */
function word(bytes: Uint8Array): number {
  return (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0;
}
