import { ZstdError } from "../zstd/zstd-error.ts";
import { ZstdStream } from "../zstd/zstd-stream.ts";
import { DamagedStream, type Emit, type StreamDecoder } from "./stream-decoder.ts";

/** Unpacks one or more zstd frames (RFC 8878), skippable ones included; checksums are verified. */
export function zstdDecoder(emit: Emit): StreamDecoder {
  const stream = new ZstdStream(emit);
  return {
    push: (bytes) => namingDamage(() => stream.push(bytes)),
    end: () => namingDamage(() => stream.end()),
  };
}

function namingDamage(step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof ZstdError)) throw error;
    const { fault, reason, byteOffset } = error;
    const isDamage = fault === "damaged";
    throw new DamagedStream(
      isDamage ? `the zstd stream is damaged (${reason})` : reason,
      byteOffset,
    );
  }
}
