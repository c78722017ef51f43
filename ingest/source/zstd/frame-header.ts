import { ZstdError } from "./zstd-error.ts";

export const ZSTD_MAGIC = 0xfd2f_b528;
/** The sixteen magic numbers of frames that hold something else. */
export const SKIPPABLE_MAGIC = 0x184d_2a50;
/** Farther back than this no match may reach: what is kept for it must fit in memory. */
export const MAX_WINDOW_BYTES: number = 128 * 1024 * 1024;
/** Magic number, descriptor, window, dictionary and content size. */
export const MAX_HEADER_BYTES = 18;

/** What a frame says of itself. */
export interface FrameHeader {
  readonly headerBytes: number;
  /** How far back a match may reach. */
  readonly windowBytes: number;
  /** NaN: it does not say. */
  readonly contentBytes: number;
  readonly hasChecksum: boolean;
}

/** Size of the header whose descriptor (the byte behind the magic number) this is, magic included. */
export function headerBytesOf(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const sizeCode = descriptor >> 6;
  const sizeBytes = sizeCode === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeCode;
  return 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]! + sizeBytes;
}

/**
 * Reads the header that begins at `at` of the view and is there as a whole.
 * @param byteOffset its place in the stored bytes, for errors.
 * @throws ZstdError damaged, unsupported (dictionaries, too large a window).
 */
export function readFrameHeader(view: DataView, at: number, byteOffset: number): FrameHeader {
  const descriptor = view.getUint8(at + 4);
  if ((descriptor & 0x08) !== 0) {
    throw new ZstdError("unsupported", "a zstd frame with a reserved bit set", byteOffset);
  }
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const dictionaryAt = at + 5 + (isSingleSegment ? 0 : 1);
  for (let i = 0; i < dictionaryBytes; i += 1) {
    if (view.getUint8(dictionaryAt + i) === 0) continue;
    const why = "a zstd frame that needs a dictionary; unpack it with zstd -D first";
    throw new ZstdError("unsupported", why, byteOffset);
  }
  const contentBytes = contentBytesAt(view, dictionaryAt + dictionaryBytes, descriptor);
  const windowBytes = isSingleSegment ? contentBytes : windowBytesOf(view.getUint8(at + 5));
  return {
    headerBytes: headerBytesOf(descriptor),
    windowBytes,
    contentBytes,
    hasChecksum: (descriptor & 4) !== 0,
  };
}

/** @throws ZstdError unsupported. */
export function refuseLargeWindow({ windowBytes }: FrameHeader, byteOffset: number): void {
  if (windowBytes <= MAX_WINDOW_BYTES) return;
  const why = `a zstd frame with a window of ${windowBytes} bytes; at most ${MAX_WINDOW_BYTES} are read`;
  throw new ZstdError("unsupported", why, byteOffset);
}

function contentBytesAt(view: DataView, at: number, descriptor: number): number {
  switch (descriptor >> 6) {
    case 0:
      return (descriptor & 0x20) === 0 ? Number.NaN : view.getUint8(at);
    case 1:
      return view.getUint16(at, true) + 256;
    case 2:
      return view.getUint32(at, true);
    default:
      return view.getUint32(at + 4, true) * 4_294_967_296 + view.getUint32(at, true);
  }
}

function windowBytesOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}
