import { createHash } from "node:crypto";
import zlib from "node:zlib";

import { Crc64 } from "./crc64.ts";
import { lzma2 } from "./lzma2.ts";
import { type Decoding, PulledDecoder, type Wanted } from "./pulled-decoder.ts";
import type { Emit, StreamDecoder } from "./stream-decoder.ts";

/** The .xz file format 1.2.1: https://tukaani.org/xz/xz-file-format.txt */
const MAGIC = Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00);
const FOOTER_MAGIC = Uint8Array.of(0x59, 0x5a);
const LZMA2_FILTER = 0x21;
/** `xz -9` needs 64 MiB. */
const MAX_DICTIONARY_BYTES = 128 * 1024 * 1024;
/** Of each check, by its number. */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64] as const;

/** Unpacks one or more xz streams with padding between them; checks are verified. */
export function xzDecoder(emit: Emit): StreamDecoder {
  return new PulledDecoder("xz", streams, emit);
}

function* streams(emit: Emit): Decoding {
  for (;;) {
    const start = (yield { bytes: 4, mayEnd: true }).slice();
    if (start.every((byte) => byte === 0)) continue;
    if (!start.every((byte, i) => MAGIC[i] === byte)) throw new Error("no stream begins here");
    const rest = (yield { bytes: 8 }).slice();
    const header = Uint8Array.of(...start, ...rest);
    if (!MAGIC.every((byte, i) => header[i] === byte)) throw new Error("no stream begins here");
    if (!endsInCrc32(header.subarray(MAGIC.length))) throw new Error("a stream's header");
    const check = header[7]! & 15;
    yield* blocks(check, emit);
    const footer = yield { bytes: 12 };
    const isFooter = FOOTER_MAGIC.every((byte, i) => footer[10 + i] === byte);
    if (!isFooter) throw new Error("a stream's end mark");
  }
}

/** The blocks of a stream and the index behind them. */
function* blocks(check: number, emit: Emit): Decoding {
  let count = 0;
  for (;;) {
    const size = (yield { bytes: 1 })[0]!;
    if (size === 0) break;
    yield* block(size, check, emit);
    count += 1;
  }
  yield* index(count);
}

function* block(sizeCode: number, check: number, emit: Emit): Decoding {
  const rest = (yield { bytes: sizeCode * 4 + 3 }).slice();
  const header = Uint8Array.of(sizeCode, ...rest);
  if (!endsInCrc32(header)) throw new Error("a block's header");
  const dictionaryBytes = dictionaryOf(header);
  if (dictionaryBytes > MAX_DICTIONARY_BYTES) {
    throw new Error(`a block that needs ${dictionaryBytes} bytes of memory`);
  }
  const checker = checkerOf(check);
  const stored = yield* lzma2(dictionaryBytes, (piece) => {
    checker.update(piece);
    emit(piece);
  });
  const padding = -stored & 3;
  if ((yield { bytes: padding }).some((byte) => byte !== 0)) throw new Error("a block's padding");
  const expected = yield { bytes: CHECK_BYTES[check]! };
  const found = checker.digest();
  if (found?.every((byte, i) => expected[i] === byte) === false) throw new Error("a block's check");
}

/** The dictionary of a block's only filter. @throws Error where it has others. */
function dictionaryOf(header: Uint8Array): number {
  const flags = header[1]!;
  let at = 2;
  for (const isThere of [(flags & 0x40) !== 0, (flags & 0x80) !== 0]) {
    if (isThere) at = behindNumber(header, at);
  }
  const isOnlyLzma2 = (flags & 3) === 0 && header[at] === LZMA2_FILTER && header[at + 1] === 1;
  const bits = header[at + 2]!;
  if (!isOnlyLzma2 || bits > 40) throw new Error("a block with filters that are not read");
  return bits === 40 ? 2 ** 32 - 1 : (2 | (bits & 1)) * 2 ** ((bits >> 1) + 11);
}

/** The index repeats the sizes of the blocks; only their number is compared. */
function* index(blockCount: number): Decoding {
  let bytes = 1;
  let crc = zlib.crc32(Uint8Array.of(0));
  function* number(): Generator<Wanted, number, Uint8Array> {
    let value = 0;
    for (let i = 0; i < 9; i += 1) {
      const piece = yield { bytes: 1 };
      crc = zlib.crc32(piece, crc);
      bytes += 1;
      value += (piece[0]! & 0x7f) * 2 ** (7 * i);
      if (piece[0]! < 0x80) return value;
    }
    throw new Error("a number in the index");
  }
  const count = yield* number();
  if (count !== blockCount) throw new Error(`${blockCount} blocks instead of ${count}`);
  for (let i = 0; i < count * 2; i += 1) yield* number();
  const padding = yield { bytes: -bytes & 3 };
  crc = zlib.crc32(padding, crc);
  const expected = yield { bytes: 4 };
  if (crc !== littleEndian32(expected, 0)) throw new Error("the index");
}

function behindNumber(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at]! >= 0x80) at += 1;
  return at + 1;
}

interface Checker {
  update(piece: Uint8Array): void;
  /** Undefined where it is not verified. */
  digest(): Uint8Array | undefined;
}

function checkerOf(check: number): Checker {
  if (check === 4) return new Crc64();
  if (check === 10) {
    const hash = createHash("sha256");
    return {
      update: (piece) => void hash.update(piece),
      digest: () => Uint8Array.from(hash.digest()),
    };
  }
  if (check !== 1) return { update: () => undefined, digest: () => undefined };
  let crc = 0;
  return {
    update: (piece) => {
      crc = zlib.crc32(piece, crc);
    },
    digest: () => Uint8Array.of(crc, crc >>> 8, crc >>> 16, crc >>> 24),
  };
}

function endsInCrc32(bytes: Uint8Array): boolean {
  const end = bytes.length - 4;
  return zlib.crc32(bytes.subarray(0, end)) === littleEndian32(bytes, end);
}

function littleEndian32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}
