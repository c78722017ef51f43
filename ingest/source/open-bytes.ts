import type { Compression } from "./compression.ts";
import { detectCompression, MAGIC_BYTES, UNPACKING } from "./compression.ts";
import type { StreamDamage } from "./packed/stream-decoder.ts";
import { fileChunks, openFile, READ_BYTES, streamChunks } from "./stored-bytes.ts";
import { StoredDigest } from "./stored-digest.ts";
import { TraceError } from "../errors.ts";

export interface OpenBytesOptions {
  /** Stands in for standard input when the path is `-`. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Size of the reads; for tests. */
  readonly readBytes?: number;
  /** More content than this ends the reading with TOO_LARGE: a small file may unpack to any size. */
  readonly maxContentBytes?: number | undefined;
  /** Told of each piece of the file, as stored, that was read. */
  readonly onStored?: ((bytes: number) => void) | undefined;
}

/** An opened source: its content, unpacked, and what is known of its stored form. */
export interface ByteSource {
  readonly path: string;
  readonly compression: Compression;
  /** The first bytes of the content (fewer only where the content is shorter); they come again in `chunks`. */
  readonly head: Uint8Array;
  /** The content. Each chunk is valid until the next is asked for. Can be read once. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Why the compressed stream could not be read to its end, and where; undefined where it could. */
  damage(): StreamDamage | undefined;
  /** Size and digest as stored; complete after the last chunk. */
  readonly stored: StoredDigest;
  /** Gives the file back without reading it; not needed after the last chunk. */
  close(): Promise<void>;
}

/** Bytes of content that are looked at to recognise format and layout. */
export const HEAD_BYTES: number = 64 * 1024;

/**
 * Opens a file, or standard input for `-`; recognises a compression by content and unpacks it.
 * @throws TraceError UNREADABLE, EMPTY, UNSUPPORTED_COMPRESSION.
 */
export async function openBytes(path: string, options: OpenBytesOptions = {}): Promise<ByteSource> {
  const stored = new StoredDigest();
  const stream =
    path === "-"
      ? streamChunks(options.stdin ?? process.stdin, stored)
      : fileChunks(await openFile(path), path, stored, options.readBytes ?? READ_BYTES);
  const raw = options.onStored === undefined ? stream : tellingOf(stream, options.onStored);
  try {
    const packed = await takeHead(raw, MAGIC_BYTES);
    if (packed.head.length === 0) throw new TraceError("EMPTY", "the file is empty", path);
    const compression = detectCompression(packed.head, path);
    let damage: StreamDamage | undefined;
    const content =
      compression === "none"
        ? packed.chunks
        : UNPACKING[compression](packed.chunks, (found) => {
            damage = found;
          });
    const { maxContentBytes } = options;
    const bounded = maxContentBytes === undefined ? content : upTo(content, maxContentBytes, path);
    const { head, chunks } = await takeHead(bounded, HEAD_BYTES);
    if (head.length === 0) {
      const why = damage?.reason ?? `the ${compression} stream holds nothing`;
      throw new TraceError("EMPTY", `nothing could be unpacked: ${why}`, path);
    }
    const close = async (): Promise<void> => {
      await bounded.return();
      await content.return();
      await raw.return();
    };
    return { path, compression, head, chunks, damage: () => damage, stored, close };
  } catch (error) {
    await raw.return();
    throw error;
  }
}

async function* tellingOf(
  chunks: AsyncGenerator<Uint8Array, void, undefined>,
  tell: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of chunks) {
      tell(chunk.length);
      yield chunk;
    }
  } finally {
    await chunks.return();
  }
}

async function* upTo(
  content: AsyncGenerator<Uint8Array, void, undefined>,
  maxBytes: number,
  path: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  try {
    for await (const chunk of content) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new TraceError("TOO_LARGE", `its content is larger than ${maxBytes} bytes`, path);
      }
      yield chunk;
    }
  } finally {
    await content.return();
  }
}

interface Headed {
  readonly head: Uint8Array;
  readonly chunks: AsyncGenerator<Uint8Array, void, undefined>;
}

/** Reads at least `wanted` bytes ahead; `chunks` gives everything, from the beginning. */
async function takeHead(
  source: AsyncGenerator<Uint8Array, void, undefined>,
  wanted: number,
): Promise<Headed> {
  const ahead: Uint8Array[] = [];
  let size = 0;
  while (size < wanted) {
    const next = await source.next();
    if (next.done === true) break;
    ahead.push(next.value.slice());
    size += next.value.length;
  }
  const joined = Buffer.concat(ahead, size);
  return { head: joined.subarray(0, wanted), chunks: chain(joined, source) };
}

async function* chain(
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (first.length > 0) yield first;
    yield* rest;
  } finally {
    await rest.return();
  }
}
