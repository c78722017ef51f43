import { BLOCK_AT } from "./block-source.ts";
import { BlockDecoder, maxBlockBytes } from "./block-decoder.ts";
import {
  type FrameHeader,
  headerBytesOf,
  readFrameHeader,
  SKIPPABLE_MAGIC,
  ZSTD_MAGIC,
} from "./frame-header.ts";
import { Output, withSlack } from "./output.ts";
import { Xxh64 } from "./xxh64.ts";
import { ZstdDamage, ZstdError } from "./zstd-error.ts";

/**
 * Unpacks pieces that are in memory as a whole, one or more frames each. Tables and buffers are kept from
 * piece to piece: a small piece costs no allocation but that of its views.
 *
 * The runtime's own zstd (Node from 22.15 on) is not used: for pieces of some 10 KB setting up its
 * context costs as much as unpacking here, and two ways would have to be held to the same errors.
 */
export class ZstdFrames {
  readonly #blocks = new BlockDecoder();
  readonly #output = new Output(withSlack(0));
  readonly #hash = new Xxh64();

  /** Content size in the header of the first frame; undefined where there is none. @throws ZstdError. */
  announcedBytes(packed: Uint8Array): number | undefined {
    if (packed.length < 5 || packed.length < headerBytesOf(packed[4]!)) {
      throw new ZstdError("truncated", "no whole zstd frame is there", packed.length);
    }
    const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
    const magic = view.getUint32(0, true);
    if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) return undefined;
    if (magic !== ZSTD_MAGIC) throw new ZstdError("damaged", "no zstd frame begins here", 0);
    const { contentBytes } = readFrameHeader(view, 0, 0);
    return Number.isNaN(contentBytes) ? undefined : contentBytes;
  }

  /**
   * Unpacks all of `packed` to the beginning of `target`, of which at most `maxBytes` are used; the
   * target is SLACK_BYTES larger than that at least.
   * @returns how many bytes came out. @throws ZstdError; `byteOffset` counts from the piece's beginning.
   */
  unpack(packed: Uint8Array, target: Uint8Array, maxBytes: number): number {
    const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
    let at = 0;
    let outAt = 0;
    do {
      if (at + 8 > packed.length) throw new ZstdError("truncated", "cut in a zstd frame", at);
      const magic = view.getUint32(at, true);
      if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
        at += 8 + view.getUint32(at + 4, true);
        if (at > packed.length) {
          throw new ZstdError("truncated", "cut in a zstd frame", packed.length);
        }
        continue;
      }
      if (magic !== ZSTD_MAGIC) throw new ZstdError("damaged", "no zstd frame begins here", at);
      if (at + headerBytesOf(packed[at + 4]!) > packed.length) {
        throw new ZstdError("truncated", "cut in a zstd frame", packed.length);
      }
      const header = readFrameHeader(view, at, at);
      this.#output.reset(target, outAt, header.windowBytes);
      at = this.#unpackFrame(packed, view, at, header, maxBytes);
      outAt = this.#output.at;
    } while (at < packed.length);
    return outAt;
  }

  #unpackFrame(
    packed: Uint8Array,
    view: DataView,
    frameAt: number,
    header: FrameHeader,
    maxBytes: number,
  ): number {
    const output = this.#output;
    const begin = output.at;
    const blockBytes = maxBlockBytes(header.windowBytes);
    this.#blocks.beginFrame();
    let at = frameAt + header.headerBytes;
    for (let isLast = false; !isLast; ) {
      if (at + 3 > packed.length) throw cutAt(packed);
      const head = packed[at]! | (packed[at + 1]! << 8) | (packed[at + 2]! << 16);
      isLast = (head & 1) !== 0;
      const kind = (head >> 1) & 3;
      const size = head >>> 3;
      const stored = kind === 1 ? 1 : size;
      const limit = Math.min(output.at + blockBytes, maxBytes);
      if (at + 3 + stored > packed.length && size <= blockBytes) throw cutAt(packed);
      try {
        this.#unpackBlock(packed, at + 3, kind, size, blockBytes, limit);
      } catch (error) {
        if (error instanceof ZstdDamage) throw new ZstdError("damaged", error.message, at);
        throw error;
      }
      at += 3 + stored;
    }
    const contentBytes = output.at - begin;
    if (header.contentBytes === header.contentBytes && header.contentBytes !== contentBytes) {
      const what = `${contentBytes} bytes came out instead of ${header.contentBytes}`;
      throw new ZstdError("damaged", what, frameAt);
    }
    if (!header.hasChecksum) return at;
    if (at + 4 > packed.length) throw cutAt(packed);
    this.#hash.reset();
    this.#hash.add(output.bytes, output.view, begin, output.at);
    if (this.#hash.low32() !== view.getUint32(at, true)) {
      throw new ZstdError("damaged", "the frame's checksum does not fit its content", at);
    }
    return at + 4;
  }

  #unpackBlock(
    packed: Uint8Array,
    at: number,
    kind: number,
    size: number,
    blockBytes: number,
    limit: number,
  ): void {
    if (kind === 2 && size <= blockBytes) {
      this.#blocks.source.bytes.set(packed.subarray(at, at + size), BLOCK_AT);
    }
    unpackBlock(this.#blocks, this.#output, kind, size, blockBytes, limit, packed, at);
  }
}

/**
 * Unpacks one block of any kind to `output.at`.
 * @param stored where a block that is not packed has its content, at `at`; a packed one is in the
 * decoder's source already. @throws ZstdDamage.
 */
export function unpackBlock(
  blocks: BlockDecoder,
  output: Output,
  kind: number,
  size: number,
  blockBytes: number,
  limit: number,
  stored: Uint8Array,
  at: number,
): void {
  if (kind === 3) throw new ZstdDamage("a block of an unknown kind");
  if (size > blockBytes) throw new ZstdDamage(`a block of ${size} bytes; ${blockBytes} can be`);
  if (kind === 2) {
    blocks.decode(size, output, limit);
    return;
  }
  if (output.at + size > limit) throw new ZstdDamage("more content than fits");
  if (kind === 0) output.bytes.set(stored.subarray(at, at + size), output.at);
  else output.bytes.fill(stored[at]!, output.at, output.at + size);
  output.at += size;
}

function cutAt(packed: Uint8Array): ZstdError {
  return new ZstdError("truncated", "cut in a zstd frame", packed.length);
}
