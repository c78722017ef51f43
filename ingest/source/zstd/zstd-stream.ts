import { BlockDecoder, maxBlockBytes } from "./block-decoder.ts";
import { BLOCK_AT, MAX_BLOCK_BYTES, SLACK_BYTES } from "./block-source.ts";
import {
  type FrameHeader,
  headerBytesOf,
  readFrameHeader,
  refuseLargeWindow,
  SKIPPABLE_MAGIC,
  ZSTD_MAGIC,
} from "./frame-header.ts";
import { Output, withSlack } from "./output.ts";
import { Xxh64 } from "./xxh64.ts";
import { ZstdDamage, ZstdError } from "./zstd-error.ts";
import { unpackBlock } from "./zstd-frames.ts";

/** What the next bytes are. */
const Part = {
  magic: 0,
  header: 1,
  blockHead: 2,
  block: 3,
  checksum: 4,
  skippedSize: 5,
  skipped: 6,
};
const FIRST_MEMORY_BYTES = 512 * 1024;
/** Beyond the window: room for a block, and for what copies write beyond their end. */
const EXTRA_BYTES = 2 * (MAX_BLOCK_BYTES + SLACK_BYTES);

/**
 * Unpacks a stream of zstd frames. What is kept is the window of the frame (128 MiB at most, 8 MiB for
 * what `zstd -19` writes, 2 MiB by default), and only as much of it as there is content.
 *
 * Checksums are verified, though it takes as long again as unpacking a text that repeats itself: damage
 * that unpacks is not found otherwise. The runtime's own decoder (Node from 22.15 on) is not used: its
 * errors tell neither truncation from damage nor where it is.
 */
export class ZstdStream {
  readonly #emit: (chunk: Uint8Array) => void;
  readonly #blocks = new BlockDecoder();
  readonly #source = this.#blocks.source;
  readonly #hash = new Xxh64();
  readonly #output = new Output(withSlack(0));
  #header: FrameHeader | undefined;
  #frameAt = 0;
  #contentBytes = 0;
  /** Part that is being collected, of `#need` bytes, `#have` of which are in the source. */
  #part: number = Part.magic;
  #need = 4;
  #have = 0;
  #skip = 0;
  /** Place of that part in the stored bytes. */
  #partAt = 0;
  #frames = 0;
  #blockHead = 0;
  /** Where the content of the block at hand begins in the output. */
  #blockAt = 0;

  /** @param emit is given the content piece by piece; each piece is its own. */
  constructor(emit: (chunk: Uint8Array) => void) {
    this.#emit = emit;
  }

  /** Unpacks what can be unpacked so far. @throws ZstdError; the stream is of no use then. */
  push(bytes: Uint8Array): void {
    for (const chunk of this.pieces(bytes)) this.#emit(chunk.slice());
  }

  /**
   * The same, piece by piece, for a consumer that must not be overrun: a small chunk can hold
   * gigabytes. A piece is valid until the next is asked for; all must be asked for.
   * @throws ZstdError.
   */
  *pieces(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
    let at = 0;
    for (;;) {
      if (this.#part === Part.skipped) {
        const taken = Math.min(this.#skip, bytes.length - at);
        at += taken;
        this.#skip -= taken;
        this.#partAt += taken;
        if (this.#skip > 0) return;
        this.#expect(Part.magic, 4);
      }
      const taken = Math.min(this.#need - this.#have, bytes.length - at);
      this.#source.bytes.set(bytes.subarray(at, at + taken), BLOCK_AT + this.#have);
      this.#have += taken;
      at += taken;
      if (this.#have < this.#need) return;
      const wasBlock = this.#part === Part.block;
      this.#take();
      if (!wasBlock) continue;
      const { bytes: content, at: contentEnd } = this.#output;
      if (contentEnd > this.#blockAt) yield content.subarray(this.#blockAt, contentEnd);
      this.#endBlock();
    }
  }

  /** The stored bytes have ended. @throws ZstdError truncated. */
  end(): void {
    if (this.#part === Part.magic && this.#have === 0 && this.#frames > 0) return;
    const why =
      this.#frames === 0 && this.#partAt + this.#have === 0
        ? "there is nothing, not even an empty zstd frame"
        : "the zstd stream ends before its end mark";
    throw new ZstdError("truncated", why, this.#partAt + this.#have);
  }

  #expect(part: number, need: number): void {
    this.#partAt += this.#have;
    this.#part = part;
    this.#need = need;
    this.#have = 0;
  }

  /** More bytes of the part at hand. */
  #extend(part: number, need: number): void {
    this.#part = part;
    this.#need = need;
  }

  #take(): void {
    switch (this.#part) {
      case Part.magic:
        this.#takeMagic();
        return;
      case Part.header:
        this.#takeHeader();
        return;
      case Part.blockHead:
        this.#takeBlockHead();
        return;
      case Part.block:
        this.#takeBlock();
        return;
      case Part.checksum:
        this.#takeChecksum();
        return;
      default:
        this.#skip = this.#source.view.getUint32(BLOCK_AT, true);
        this.#frames += 1;
        this.#expect(Part.skipped, 0);
    }
  }

  #takeMagic(): void {
    const magic = this.#source.view.getUint32(BLOCK_AT, true);
    if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
      this.#expect(Part.skippedSize, 4);
      return;
    }
    // Zeros fill a tape's or a disk's last block.
    if (magic === 0 && this.#frames > 0) {
      this.#expect(Part.magic, 4);
      return;
    }
    if (magic !== ZSTD_MAGIC) {
      const why =
        this.#frames === 0 ? "no zstd frame begins here" : "what follows is no zstd frame";
      throw new ZstdError("damaged", why, this.#partAt);
    }
    this.#frameAt = this.#partAt;
    this.#extend(Part.header, 5);
  }

  #takeHeader(): void {
    const headerBytes = headerBytesOf(this.#source.bytes[BLOCK_AT + 4]!);
    if (this.#need < headerBytes) {
      this.#extend(Part.header, headerBytes);
      return;
    }
    const header = readFrameHeader(this.#source.view, BLOCK_AT, this.#frameAt);
    refuseLargeWindow(header, this.#frameAt);
    this.#header = header;
    this.#contentBytes = 0;
    this.#hash.reset();
    this.#blocks.beginFrame();
    this.#output.reset(this.#output.bytes, 0, header.windowBytes);
    this.#expect(Part.blockHead, 3);
  }

  #takeBlockHead(): void {
    const { bytes } = this.#source;
    const head = bytes[BLOCK_AT]! | (bytes[BLOCK_AT + 1]! << 8) | (bytes[BLOCK_AT + 2]! << 16);
    this.#blockHead = head;
    const size = head >>> 3;
    const kind = (head >> 1) & 3;
    if (kind === 3 || size > maxBlockBytes(this.#header!.windowBytes)) {
      const what = kind === 3 ? "a block of an unknown kind" : `a block of ${size} bytes`;
      throw new ZstdError("damaged", what, this.#partAt);
    }
    this.#expect(Part.block, kind === 1 ? 1 : size);
  }

  #takeBlock(): void {
    const output = this.#output;
    const blockBytes = maxBlockBytes(this.#header!.windowBytes);
    this.#makeRoom(blockBytes);
    const { at } = output;
    this.#blockAt = at;
    const size = this.#blockHead >>> 3;
    const kind = (this.#blockHead >> 1) & 3;
    const { bytes } = this.#source;
    try {
      const limit = at + blockBytes;
      unpackBlock(this.#blocks, output, kind, size, blockBytes, limit, bytes, BLOCK_AT);
    } catch (error) {
      if (!(error instanceof ZstdDamage)) throw error;
      throw new ZstdError("damaged", error.message, this.#partAt - 3);
    }
    const { contentBytes, hasChecksum } = this.#header!;
    this.#contentBytes += output.at - at;
    if (this.#contentBytes > contentBytes) this.#failSize();
    if (hasChecksum) this.#hash.add(output.bytes, output.view, at, output.at);
  }

  /** Behind a block whose content has been given out. */
  #endBlock(): void {
    if ((this.#blockHead & 1) === 0) {
      this.#expect(Part.blockHead, 3);
      return;
    }
    const { contentBytes, hasChecksum } = this.#header!;
    if (this.#contentBytes < contentBytes) this.#failSize();
    if (hasChecksum) this.#expect(Part.checksum, 4);
    else this.#endFrame();
  }

  #takeChecksum(): void {
    if (this.#hash.low32() !== this.#source.view.getUint32(BLOCK_AT, true)) {
      const why = "the frame's checksum does not fit its content";
      throw new ZstdError("damaged", why, this.#partAt);
    }
    this.#endFrame();
  }

  #endFrame(): void {
    this.#frames += 1;
    this.#expect(Part.magic, 4);
  }

  #failSize(): never {
    const { contentBytes } = this.#header!;
    const what = `${this.#contentBytes} bytes came out where the frame announces ${contentBytes}`;
    throw new ZstdError("damaged", what, this.#frameAt);
  }

  /** Room for one block behind the output: more memory, or its beginning again. */
  #makeRoom(blockBytes: number): void {
    const output = this.#output;
    const needed = output.at + blockBytes + SLACK_BYTES;
    if (needed <= output.bytes.length) return;
    const mostBytes = this.#header!.windowBytes + EXTRA_BYTES;
    if (output.bytes.length < mostBytes) {
      // What the header announces may be a lie: memory grows with the content itself.
      const doubled = Math.max(needed, FIRST_MEMORY_BYTES, 2 * output.bytes.length);
      const larger = new Uint8Array(Math.max(needed, Math.min(mostBytes, doubled)));
      larger.set(output.bytes.subarray(0, output.at));
      const { at } = output;
      output.reset(larger, 0, this.#header!.windowBytes);
      output.at = at;
      return;
    }
    output.olderEnd = output.at;
    output.at = 0;
    output.begin = 0;
  }
}
