import { once } from "node:events";
import { createGunzip } from "node:zlib";

/** Size of the inflated pieces; at most this much before a damaged place is lost. */
const PIECE_BYTES = 128 * 1024;
/** Deflate can grow a thousandfold; small helpings bound what is inflated ahead of the consumer. */
const HELPING_BYTES = 16 * 1024;

/**
 * Inflates a gzip stream of one or more members. A damaged or cut stream gives what came before the
 * damage and then calls `onDamage` once with the reason, in words; it never throws for damage.
 */
export async function* inflate(
  stored: AsyncIterable<Uint8Array>,
  onDamage: (reason: string) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  // Listening (instead of reading) hands each piece over at once: an error would drop queued ones.
  const pieces: Uint8Array[] = [];
  let damage: Error | undefined;
  gunzip.on("data", (piece: Uint8Array) => pieces.push(piece));
  // On an error the write in progress is never called back: the error itself has to end the wait.
  let stopWaiting: (() => void) | undefined;
  gunzip.on("error", (error) => {
    damage ??= error;
    stopWaiting?.();
  });

  const written = async (chunk: Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      stopWaiting = resolve;
      gunzip.write(chunk, () => {
        resolve();
      });
    });

  const sound = (): boolean => damage === undefined;
  try {
    for await (const chunk of stored) {
      // After damage the rest is still read: size and digest are those of the whole file.
      for (let at = 0; at < chunk.length && sound(); at += HELPING_BYTES) {
        await written(chunk.subarray(at, at + HELPING_BYTES));
        yield* pieces.splice(0);
      }
    }
    if (sound()) {
      const ended = once(gunzip, "end").catch(() => undefined);
      gunzip.end();
      await ended;
      yield* pieces.splice(0);
    }
    if (damage !== undefined) onDamage(describe(damage));
  } finally {
    gunzip.destroy();
  }
}

function describe(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  return code === "Z_BUF_ERROR"
    ? "the gzip stream ends before its end mark"
    : `the gzip stream is damaged (${error.message})`;
}
