/** Unpacks a stream piece by piece; what it unpacks goes to the `emit` that it was made with. */
export interface StreamDecoder {
  /** @throws DamagedStream; what came before the damage has been emitted. */
  push(bytes: Uint8Array): void;
  /** The stored stream ends. @throws DamagedStream where it is not whole. */
  end(): void;
}

/** Takes a piece of what was unpacked; it is its own from then on. */
export type Emit = (piece: Uint8Array) => void;

export class DamagedStream extends Error {
  /** Of the stored stream: the part at or behind it could not be used. */
  readonly byteOffset: number;

  constructor(message: string, byteOffset: number) {
    super(message);
    this.name = "DamagedStream";
    this.byteOffset = byteOffset;
  }
}

/** What is wrong with a compressed stream, and from which stored byte on. */
export interface StreamDamage {
  /** In words. */
  readonly reason: string;
  readonly byteOffset: number;
}

/**
 * So small are the helpings that a stream of nothing but repetitions, which grows a thousandfold, is
 * never far ahead of its consumer.
 */
const HELPING_BYTES = 2048;

/**
 * Unpacks a stored stream. A damaged or cut one gives what came before the damage and then calls
 * `onDamage` once; it never throws for damage. After damage the rest is still read: size and digest are
 * those of the whole file.
 */
export async function* unpack(
  stored: AsyncIterable<Uint8Array>,
  decoderFor: (emit: Emit) => StreamDecoder,
  onDamage: (damage: StreamDamage) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces: Uint8Array[] = [];
  const decoder = decoderFor((piece) => pieces.push(piece));
  /** False: the stream is damaged. */
  const attempt = (step: () => void): boolean => {
    try {
      step();
      return true;
    } catch (error) {
      if (!(error instanceof DamagedStream)) throw error;
      onDamage({ reason: error.message, byteOffset: error.byteOffset });
      return false;
    }
  };
  let sound = true;
  for await (const chunk of stored) {
    for (let at = 0; sound && at < chunk.length; at += HELPING_BYTES) {
      sound = attempt(() => {
        decoder.push(chunk.subarray(at, at + HELPING_BYTES));
      });
      yield* pieces.splice(0);
    }
  }
  if (!sound) return;
  attempt(() => {
    decoder.end();
  });
  yield* pieces.splice(0);
}
