import { TraceError } from "../errors.ts";

/** Compressions that are read here. */
export type Compression = "none" | "gzip";

interface Magic {
  readonly name: string;
  readonly bytes: readonly number[];
  /** Program that decompresses to its output, for the hint. */
  readonly command: string;
}

const UNSUPPORTED: readonly Magic[] = [
  { name: "zstd", bytes: [0x28, 0xb5, 0x2f, 0xfd], command: "zstd -dc" },
  { name: "xz", bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], command: "xz -dc" },
  { name: "lz4", bytes: [0x04, 0x22, 0x4d, 0x18], command: "lz4 -dc" },
  { name: "bzip2", bytes: [0x42, 0x5a, 0x68], command: "bzip2 -dc" },
  { name: "zip", bytes: [0x50, 0x4b, 0x03, 0x04], command: "unzip -p" },
];

const GZIP = [0x1f, 0x8b] as const;

/** Bytes that `detectCompression` looks at. */
export const MAGIC_BYTES = 10;

/**
 * Compression of a stored stream by its first bytes (its name does not count).
 * @throws TraceError UNSUPPORTED_COMPRESSION with the command that unpacks it.
 */
export function detectCompression(head: Uint8Array, path: string): Compression {
  if (startsWith(head, GZIP)) return "gzip";
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

export function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return bytes.length >= magic.length && magic.every((byte, i) => bytes[i] === byte);
}
