import zlib from "node:zlib";

import { TraceError } from "../../errors.ts";
import { SLACK_BYTES } from "../../source/zstd/block-source.ts";
import { ZstdError } from "../../source/zstd/zstd-error.ts";
import { ZstdFrames } from "../../source/zstd/zstd-frames.ts";

/** Memory that pieces are unpacked into, one behind the other; it grows where a piece is larger. */
export interface UnpackTarget {
  bytes: Uint8Array;
}

/**
 * Unpacks one independent piece.
 * @param unpackedBytes its size as the file states it; the result has exactly this size.
 * @param target its memory is used again: the result is valid until the next piece goes there.
 * @throws Error in words where the piece is damaged.
 */
export type Unpack = (
  packed: Uint8Array,
  unpackedBytes: number,
  target: UnpackTarget,
) => Uint8Array;

/** One compression of trace.dat version 7. */
export interface Packing {
  readonly unpack: Unpack;
  /** Whether a packed piece can begin with these bytes: to find the next one behind a damaged place. */
  readonly canBegin: (bytes: Uint8Array, at: number) => boolean;
}

/** The packing of this name; undefined for `none`. @throws TraceError UNSUPPORTED_COMPRESSION. */
export function packingOf(name: string, path: string): Packing | undefined {
  switch (name) {
    case "none":
      return undefined;
    case "zstd":
      return { unpack: exactly(zstdUnpacker()), canBegin: beginsZstd };
    case "zlib":
      return { unpack: exactly(unpackZlib), canBegin: beginsZlib };
    default:
      throw new TraceError(
        "UNSUPPORTED_COMPRESSION",
        `this trace.dat is compressed with ${name}, which is not read`,
        path,
        "convert it with trace-cmd: trace-cmd convert --compression none",
      );
  }
}

function exactly(unpack: Unpack): Unpack {
  return (packed, unpackedBytes, target) => {
    const bytes = unpack(packed, unpackedBytes, target);
    if (bytes.length === unpackedBytes) return bytes;
    throw new Error(`${bytes.length} bytes came out instead of ${unpackedBytes}`);
  };
}

function unpackZlib(packed: Uint8Array, unpackedBytes: number): Uint8Array {
  return zlib.inflateSync(packed, { maxOutputLength: Math.max(1, unpackedBytes) });
}

/** One decoder for all pieces of a file. */
function zstdUnpacker(): Unpack {
  const frames = new ZstdFrames();
  return (packed, unpackedBytes, target) => {
    // Before anything is allocated for it: a damaged size may announce far more than there is.
    const announced = frames.announcedBytes(packed);
    if (announced !== undefined && announced !== unpackedBytes) {
      throw new Error(`its header announces ${announced} bytes instead of ${unpackedBytes}`);
    }
    const needed = unpackedBytes + SLACK_BYTES;
    if (target.bytes.length < needed) target.bytes = new Uint8Array(needed);
    try {
      return target.bytes.subarray(0, frames.unpack(packed, target.bytes, unpackedBytes));
    } catch (error) {
      if (!(error instanceof ZstdError)) throw error;
      throw new Error(`${error.reason}, ${error.byteOffset} bytes into it`, { cause: error });
    }
  };
}

function beginsZstd(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x28 && bytes[at + 1] === 0xb5 && bytes[at + 2] === 0x2f && bytes[at + 3] === 0xfd
  );
}

function beginsZlib(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x78 && ((0x78 << 8) | bytes[at + 1]!) % 31 === 0;
}
