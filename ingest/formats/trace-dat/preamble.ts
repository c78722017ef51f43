import { TraceError } from "../../errors.ts";
import { startsWith } from "../../source/compression.ts";
import { ByteReader, DatDamage } from "./byte-reader.ts";

/** What a trace.dat file begins with. */
export const TRACE_DAT_MAGIC: readonly number[] = [0x17, 0x08, 0x44, ...Buffer.from("tracing")];

/** The first fields of a trace.dat file: what all others are read with. */
export interface Preamble {
  readonly version: 6 | 7;
  readonly littleEndian: boolean;
  /** Size of the recorded kernel's `long`. */
  readonly longBytes: 4 | 8;
  readonly pageBytes: number;
  /** Name of the compression of version 7; `none` where there is none. */
  readonly compression: string;
  /** Offset of the first options section; 0 in version 6. */
  readonly optionsOffset: number;
  /** Offset of what follows. */
  readonly endOffset: number;
  /** Fields that could not be right and what was taken instead, in words. */
  readonly doubts: readonly string[];
}

/** Enough for the preamble of either version. */
export const PREAMBLE_BYTES = 4096;

/**
 * Reads the preamble.
 * @throws TraceError UNSUPPORTED_LAYOUT for another version, WRONG_FORMAT where it is cut.
 */
export function readPreamble(head: Uint8Array, path: string): Preamble {
  try {
    return parsePreamble(head, path);
  } catch (error) {
    if (!(error instanceof DatDamage)) throw error;
    throw new TraceError(
      "WRONG_FORMAT",
      `this trace.dat file ends or is damaged in its first fields (offset ${error.at}: ${error.message})`,
      path,
    );
  }
}

function parsePreamble(head: Uint8Array, path: string): Preamble {
  if (!startsWith(head, TRACE_DAT_MAGIC)) {
    throw new TraceError("WRONG_FORMAT", "this is no trace.dat file", path);
  }
  const plain = new ByteReader(head, true, TRACE_DAT_MAGIC.length);
  const version = plain.text(16);
  if (version !== "6" && version !== "7") {
    throw new TraceError(
      "UNSUPPORTED_LAYOUT",
      `this is a trace.dat file of version ${version}; versions 6 and 7 are read`,
      path,
      "convert it with trace-cmd: trace-cmd convert --file-version 7",
    );
  }
  const doubts: string[] = [];
  const [endianByte = 0, longByte = 0] = plain.take(2);
  const littleEndian = byteOrderOf(endianByte, head, plain.at, doubts);
  const reader = new ByteReader(head, littleEndian, plain.at);
  const pageBytes = pageSizeOf(reader.u32(), doubts);
  if (longByte !== 4 && longByte !== 8) {
    doubts.push(`a long of ${longByte} bytes; 8 taken`);
  }
  const isPacked = version === "7";
  const compression = isPacked ? reader.text(64) : "none";
  if (isPacked) reader.text(64); // Version of the compression library.
  const optionsOffset = isPacked ? reader.u64() : 0;
  return {
    version: version === "6" ? 6 : 7,
    littleEndian,
    longBytes: longByte === 4 ? 4 : 8,
    pageBytes,
    compression: compression === "" ? "none" : compression,
    optionsOffset,
    endOffset: reader.at,
    doubts,
  };
}

/** The page size, which is a power of two, tells whether the byte before it can be right. */
function byteOrderOf(byte: number, head: Uint8Array, at: number, doubts: string[]): boolean {
  const little = isPageSize(new ByteReader(head, true, at).u32());
  const big = isPageSize(new ByteReader(head, false, at).u32());
  const stated = byte === 0;
  if (byte <= 1 && (stated ? little : big)) return stated;
  if (little === big) {
    if (byte > 1) doubts.push(`byte order ${byte}; little-endian taken`);
    return byte !== 1;
  }
  doubts.push(`byte order ${byte}; ${little ? "little" : "big"}-endian taken, by the page size`);
  return little;
}

function pageSizeOf(pageBytes: number, doubts: string[]): number {
  if (isPageSize(pageBytes)) return pageBytes;
  doubts.push(`pages of ${pageBytes} bytes; 4096 taken`);
  return 4096;
}

/** Whether a page or sub-buffer can have this size. */
export function isPageSize(bytes: number): boolean {
  return bytes >= 4096 && bytes <= 524_288 && (bytes & (bytes - 1)) === 0;
}
