import zlib from "node:zlib";

import { ByteFeed } from "./byte-feed.ts";
import { DamagedStream, type StreamDamage } from "./stream-decoder.ts";

/** Size of the inflated pieces; at most this much before a damaged place is lost. */
const PIECE_BYTES = 128 * 1024;
/** Deflate can grow a thousandfold; small helpings bound what is inflated ahead of the consumer. */
const HELPING_BYTES = 16 * 1024;

/** RFC 1952. */
const MAGIC = [0x1f, 0x8b] as const;
const DEFLATE = 8;
const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const;

/**
 * Inflates a gzip stream of one or more members, zeros between and behind them left out. A damaged or cut
 * stream gives what came before the damage and then calls `onDamage` once; it never throws for damage.
 */
export async function* gunzip(
  stored: AsyncIterable<Uint8Array>,
  onDamage: (damage: StreamDamage) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const feed = new ByteFeed(stored);
  try {
    while (await beginsMember(feed)) {
      await skipHeader(feed);
      yield* member(feed);
    }
  } catch (error) {
    if (!(error instanceof DamagedStream)) throw error;
    onDamage({ reason: error.message, byteOffset: error.byteOffset });
  }
  // Size and digest are those of the whole file.
  await feed.drain();
}

async function beginsMember(feed: ByteFeed): Promise<boolean> {
  for (;;) {
    const start = feed.offset;
    const byte = await feed.byte();
    if (byte === undefined) return false;
    if (byte === 0 && start > 0) continue;
    if (byte === MAGIC[0] && (await feed.byte()) === MAGIC[1]) return true;
    throw new DamagedStream("what follows the gzip stream is none of it", start);
  }
}

async function skipHeader(feed: ByteFeed): Promise<void> {
  const start = feed.offset - MAGIC.length;
  const method = await take(feed);
  const flags = await take(feed);
  if (method !== DEFLATE || flags > 31) {
    throw new DamagedStream("the gzip stream is damaged (a member's header)", start);
  }
  await skip(feed, 6);
  if ((flags & FLAG.extra) !== 0) {
    const low = await take(feed);
    await skip(feed, low + 256 * (await take(feed)));
  }
  for (const text of [FLAG.name, FLAG.comment]) {
    if ((flags & text) === 0) continue;
    while ((await take(feed)) !== 0);
  }
  if ((flags & FLAG.headerCrc) !== 0) await skip(feed, 2);
}

/** The deflated bytes of a member and the check behind them. */
async function* member(feed: ByteFeed): AsyncGenerator<Uint8Array, void, undefined> {
  const inflater = new Inflater();
  let crc = 0;
  let size = 0;
  try {
    while (!inflater.hasEnded) {
      const helping = await feed.peek(HELPING_BYTES);
      if (helping.length === 0) throw cut(feed);
      const start = feed.offset;
      feed.skip(await inflater.push(helping));
      for (const piece of inflater.pieces.splice(0)) {
        crc = zlib.crc32(piece, crc);
        size += piece.length;
        yield piece;
      }
      if (inflater.problem === undefined) continue;
      throw new DamagedStream(`the gzip stream is damaged (${inflater.problem})`, start);
    }
  } finally {
    inflater.close();
  }
  const start = feed.offset;
  if ((await word(feed)) !== crc || (await word(feed)) !== size % 2 ** 32) {
    throw new DamagedStream("the gzip stream is damaged (incorrect data check)", start);
  }
}

/** The runtime's raw inflate, given one helping after the other. */
class Inflater {
  readonly pieces: Uint8Array[] = [];
  hasEnded = false;
  /** In words. */
  problem: string | undefined;
  readonly #stream = zlib.createInflateRaw({ chunkSize: PIECE_BYTES });
  /** On an error the write in progress is never called back: the error itself has to end the wait. */
  #stopWaiting: (() => void) | undefined;

  constructor() {
    // Listening (instead of reading) hands each piece over at once: an error would drop queued ones.
    this.#stream.on("data", (piece: Uint8Array) => this.pieces.push(piece));
    this.#stream.on("error", (error) => {
      this.problem ??= error.message;
      this.#stopWaiting?.();
    });
  }

  /** Gives how many of the bytes were used: fewer than all where the deflated data end. */
  async push(helping: Uint8Array): Promise<number> {
    const before = this.#stream.bytesWritten;
    await new Promise<void>((resolve) => {
      this.#stopWaiting = resolve;
      this.#stream.write(helping, () => {
        resolve();
      });
    });
    const used = this.#stream.bytesWritten - before;
    if (this.problem === undefined) this.hasEnded = used < helping.length;
    return used;
  }

  close(): void {
    this.#stream.destroy();
  }
}

async function word(feed: ByteFeed): Promise<number> {
  let value = 0;
  for (let i = 0; i < 4; i += 1) value += (await take(feed)) * 2 ** (8 * i);
  return value;
}

async function skip(feed: ByteFeed, bytes: number): Promise<void> {
  for (let i = 0; i < bytes; i += 1) await take(feed);
}

async function take(feed: ByteFeed): Promise<number> {
  const byte = await feed.byte();
  if (byte === undefined) throw cut(feed);
  return byte;
}

function cut(feed: ByteFeed): DamagedStream {
  return new DamagedStream("the gzip stream ends before its end mark", feed.offset);
}
