import { TraceError } from "../errors.ts";
import { gunzip } from "./packed/gzip.ts";
import { lz4Decoder } from "./packed/lz4.ts";
import { type StreamDamage, unpack } from "./packed/stream-decoder.ts";
import { xzDecoder } from "./packed/xz.ts";
import { zstdDecoder } from "./packed/zstd.ts";

/** Compressions that are read here. */
export type Compression = "none" | "gzip" | "zstd" | "xz" | "lz4";

type Unpacking = (
  stored: AsyncIterable<Uint8Array>,
  onDamage: (damage: StreamDamage) => void,
) => AsyncGenerator<Uint8Array, void, undefined>;

/** How each is unpacked; what was unpacked before a damaged place is given first. */
export const UNPACKING: Readonly<Record<Exclude<Compression, "none">, Unpacking>> = {
  gzip: gunzip,
  zstd: (stored, onDamage) => unpack(stored, zstdDecoder, onDamage),
  xz: (stored, onDamage) => unpack(stored, xzDecoder, onDamage),
  lz4: (stored, onDamage) => unpack(stored, lz4Decoder, onDamage),
};

interface Magic<Name> {
  readonly name: Name;
  readonly bytes: readonly number[];
}

const READ: readonly Magic<Exclude<Compression, "none">>[] = [
  { name: "gzip", bytes: [0x1f, 0x8b] },
  { name: "zstd", bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: "xz", bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: "lz4", bytes: [0x04, 0x22, 0x4d, 0x18] },
  { name: "lz4", bytes: [0x02, 0x21, 0x4c, 0x18] },
];

const UNSUPPORTED: readonly (Magic<string> & { readonly command: string })[] = [
  { name: "bzip2", bytes: [0x42, 0x5a, 0x68], command: "bzip2 -dc" },
  { name: "zip", bytes: [0x50, 0x4b, 0x03, 0x04], command: "unzip -p" },
];

/** Bytes that `detectCompression` looks at. */
export const MAGIC_BYTES = 10;

/**
 * Compression of a stored stream by its first bytes (its name does not count).
 * @throws TraceError UNSUPPORTED_COMPRESSION with the command that unpacks it.
 */
export function detectCompression(head: Uint8Array, path: string): Compression {
  const known = READ.find((magic) => startsWith(head, magic.bytes));
  if (known !== undefined) return known.name;
  // Frames that every reader skips stand before zstd's and lz4's own.
  if (isSkippableFrame(head)) return "zstd";
  const other = UNSUPPORTED.find((magic) => startsWith(head, magic.bytes));
  // "BZh" could begin a text; a bzip2 stream goes on with a digit and the block magic 1AY&SY.
  if (other === undefined || (other.name === "bzip2" && head[4] !== 0x31)) return "none";
  throw new TraceError(
    "UNSUPPORTED_COMPRESSION",
    `compressed with ${other.name}, which is not read directly`,
    path,
    `unpack it on the way in: ${other.command} ${path === "-" ? "FILE" : path} | tlbi-replay analyze -`,
  );
}

/** pzstd begins each file with such a frame; lz4 itself writes none. */
function isSkippableFrame(head: Uint8Array): boolean {
  return (head[0]! & 0xf0) === 0x50 && startsWith(head.subarray(1), [0x2a, 0x4d, 0x18]);
}

export function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, i) => bytes[i] === byte);
}
