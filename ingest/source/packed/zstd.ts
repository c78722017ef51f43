import { ZstdError } from "../zstd/zstd-error.ts";
import { ZstdStream } from "../zstd/zstd-stream.ts";
import { DamagedStream, type Emit, type StreamDecoder } from "./stream-decoder.ts";

/** Unpacks one or more zstd frames (RFC 8878), skippable ones included; checksums are verified. */
export function zstdDecoder(emit: Emit): StreamDecoder {
  const stream = new ZstdStream(emit);
  const named = (step: () => void): void => {
    try {
      step();
    } catch (error) {
      if (!(error instanceof ZstdError)) throw error;
      throw new DamagedStream(`the zstd stream is damaged (${error.reason})`, error.byteOffset);
    }
  };
  return {
    push: (bytes) => named(() => stream.push(bytes)),
    end: () => named(() => stream.end()),
  };
}
