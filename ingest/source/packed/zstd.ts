import { Decompress } from "fzstd";

import { type Decoding, PulledDecoder } from "./pulled-decoder.ts";
import type { Emit, StreamDecoder } from "./stream-decoder.ts";

/** What unpacks zstd, given whole parts of a stream: frame headers, blocks, checksums. */
interface ZstdStream {
  push(bytes: Uint8Array): void;
}

/** The only line that knows which package does it. */
const zstdStream = (emit: Emit): ZstdStream => new Decompress(emit);

/** RFC 8878. */
const FRAME = 0xfd2fb528;
const isSkippable = (magic: number): boolean => magic >>> 4 === 0x184d2a5;

const MAX_BLOCK_BYTES = 128 * 1024;
/** What zstd itself unpacks unless it is told to use more memory. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;
const BLOCK_TYPE = { rle: 1, reserved: 3 } as const;

/**
 * Unpacks one or more zstd frames, skippable ones included. The stream is cut into its blocks here, so
 * that no part that is handed over unpacks to more than one block, and damage has a place.
 */
export function zstdDecoder(emit: Emit): StreamDecoder {
  return new PulledDecoder("zstd", frames, emit);
}

function* frames(emit: Emit): Decoding {
  for (;;) {
    const start = (yield { bytes: 4, mayEnd: true }).slice();
    const magic = word(start);
    if (isSkippable(magic)) {
      for (let left = word(yield { bytes: 4 }); left > 0; left -= MAX_BLOCK_BYTES) {
        yield { bytes: Math.min(left, MAX_BLOCK_BYTES) };
      }
    } else if (magic === FRAME) {
      yield* frame(start, emit);
    } else if (magic !== 0) throw new Error("no frame begins here");
  }
}

function* frame(magic: Uint8Array, emit: Emit): Decoding {
  const descriptor = (yield { bytes: 1 })[0]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const windowBytes = isSingleSegment ? 0 : 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const rest = (yield { bytes: windowBytes + dictionaryBytes + sizeBytes }).slice();
  if (rest.subarray(windowBytes, windowBytes + dictionaryBytes).some((byte) => byte !== 0)) {
    throw new Error("a frame that needs a dictionary");
  }
  const content = rest.subarray(windowBytes + dictionaryBytes);
  const needed = isSingleSegment ? littleEndian(content) : windowSizeOf(rest[0]!);
  if (needed > MAX_WINDOW_BYTES) throw new Error(`a frame that needs ${needed} bytes of memory`);
  const stream = zstdStream(emit);
  stream.push(Uint8Array.of(...magic, descriptor, ...rest));
  for (let isLast = false; !isLast; ) {
    const head = (yield { bytes: 3 }).slice();
    const bits = littleEndian(head);
    isLast = (bits & 1) === 1;
    const type = (bits >> 1) & 3;
    const size = bits >> 3;
    if (type === BLOCK_TYPE.reserved) throw new Error("a block of an unknown type");
    if (size > MAX_BLOCK_BYTES) throw new Error("a block larger than the format allows");
    const block = yield { bytes: type === BLOCK_TYPE.rle ? 1 : size };
    stream.push(Uint8Array.from(Buffer.concat([head, block])));
  }
  if ((descriptor & 4) !== 0) stream.push((yield { bytes: 4 }).slice());
}

function windowSizeOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function word(bytes: Uint8Array): number {
  return littleEndian(bytes.subarray(0, 4));
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
