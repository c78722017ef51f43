import zlib from "node:zlib";

import { decompress } from "fzstd";

import { TraceError } from "../../errors.ts";

/**
 * Unpacks one independent piece.
 * @param unpackedBytes its size as the file states it; the result has exactly this size.
 * @throws Error in words where the piece is damaged.
 */
export type Unpack = (packed: Uint8Array, unpackedBytes: number) => Uint8Array;

/** One compression of trace.dat version 7. */
export interface Packing {
  readonly unpack: Unpack;
  /** Whether a packed piece can begin with these bytes: to find the next one behind a damaged place. */
  readonly canBegin: (bytes: Uint8Array, at: number) => boolean;
}

/** Newer runtimes have zstd built in; the types of Node 20 do not know it. */
const builtIn = zlib as typeof zlib & {
  readonly zstdDecompressSync?: (
    packed: Uint8Array,
    options: { readonly maxOutputLength: number },
  ) => Uint8Array;
};

/** The packing of this name; undefined for `none`. @throws TraceError UNSUPPORTED_COMPRESSION. */
export function packingOf(name: string, path: string): Packing | undefined {
  switch (name) {
    case "none":
      return undefined;
    case "zstd":
      return { unpack: exactly(unpackZstd), canBegin: beginsZstd };
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
  return (packed, unpackedBytes) => {
    const bytes = unpack(packed, unpackedBytes);
    if (bytes.length === unpackedBytes) return bytes;
    throw new Error(`${bytes.length} bytes came out instead of ${unpackedBytes}`);
  };
}

function unpackZlib(packed: Uint8Array, unpackedBytes: number): Uint8Array {
  return zlib.inflateSync(packed, { maxOutputLength: Math.max(1, unpackedBytes) });
}

function unpackZstd(packed: Uint8Array, unpackedBytes: number): Uint8Array {
  // Before anything is allocated for it: a damaged header may announce gigabytes.
  const announced = zstdContentBytes(packed);
  if (announced !== undefined && announced !== unpackedBytes) {
    throw new Error(`its header announces ${announced} bytes instead of ${unpackedBytes}`);
  }
  if (builtIn.zstdDecompressSync !== undefined) {
    return builtIn.zstdDecompressSync(packed, { maxOutputLength: unpackedBytes });
  }
  // Given a buffer, fzstd turns it into a text to see whether it is the number 1; without one it
  // allocates what the header announces, or a window of any size where that says nothing.
  return announced === undefined
    ? decompress(packed, new Uint8Array(unpackedBytes))
    : decompress(packed);
}

/** Content size in a zstd frame header; undefined where the header does not say. */
function zstdContentBytes(packed: Uint8Array): number | undefined {
  if (!beginsZstd(packed, 0) || packed.length < 14) {
    if (packed.length >= 9 && beginsZstd(packed, 0)) return undefined;
    throw new Error("no zstd frame begins here");
  }
  const descriptor = packed[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeCode = descriptor >> 6;
  if (sizeCode === 0 && !isSingleSegment) return undefined;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes;
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  if (at + 8 > packed.length) return undefined;
  if (sizeCode === 0) return view.getUint8(at);
  if (sizeCode === 1) return view.getUint16(at, true) + 256;
  if (sizeCode === 2) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}

function beginsZstd(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === 0x28 && bytes[at + 1] === 0xb5 && bytes[at + 2] === 0x2f && bytes[at + 3] === 0xfd
  );
}

function beginsZlib(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x78 && ((0x78 << 8) | bytes[at + 1]!) % 31 === 0;
}
