import { ZstdDamage } from "./zstd-error.ts";
import { SLACK_BYTES } from "./block-source.ts";

/**
 * Where a frame's content goes, and what a match can reach back to: the bytes from `begin` to `at`, and
 * in front of them those up to `olderEnd`, which stand at another place of the same memory.
 */
export class Output {
  bytes: Uint8Array;
  view: DataView;
  /** Where the next byte goes. */
  at = 0;
  begin = 0;
  /** 0: nothing is in front of `begin`. */
  olderEnd = 0;
  /** No match reaches farther back. */
  windowBytes: number = Number.POSITIVE_INFINITY;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }

  /** Content of a new frame goes into `bytes` from `at` on; behind its end there are SLACK_BYTES. */
  reset(bytes: Uint8Array, at: number, windowBytes: number): void {
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.view = viewOf(bytes);
    }
    this.at = at;
    this.begin = at;
    this.olderEnd = 0;
    this.windowBytes = windowBytes;
  }

  /** A match that begins in front of `begin`. @returns where the output ends. @throws ZstdDamage. */
  copyOlder(at: number, offset: number, length: number): number {
    const { bytes, begin, olderEnd } = this;
    const back = offset - (at - begin);
    if (back > olderEnd || offset > this.windowBytes) {
      throw new ZstdDamage(`a match ${offset} bytes back, where there is nothing`);
    }
    const older = Math.min(length, back);
    bytes.copyWithin(at, olderEnd - back, olderEnd - back + older);
    for (let i = older; i < length; i += 1) bytes[at + i] = bytes[begin + i - older]!;
    return at + length;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Memory for `contentBytes` with the room that copies need. */
export function withSlack(contentBytes: number): Uint8Array {
  return new Uint8Array(contentBytes + SLACK_BYTES);
}
