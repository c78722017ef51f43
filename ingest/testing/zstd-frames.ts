import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { SLACK_BYTES } from "../source/zstd/block-source.ts";
import { ZstdError } from "../source/zstd/zstd-error.ts";
import { ZstdFrames } from "../source/zstd/zstd-frames.ts";
import { ZstdStream } from "../source/zstd/zstd-stream.ts";
import { ZSTD_CONTENTS } from "./zstd-contents.ts";

const FOLDER = fileURLToPath(new URL("../../fixtures/zstd/", import.meta.url));
/** Files of frames that zstd made. */
export const FRAMES: readonly string[] = readdirSync(FOLDER).filter((name) =>
  name.endsWith(".zst"),
);

export function frame(name: string): Buffer {
  return readFileSync(`${FOLDER}${name}`);
}

export function contentOf(name: string): Buffer {
  return ZSTD_CONTENTS[name.split(".")[0]!]!();
}

/** Unpacks through the stream, in pushes of these sizes, the last one again and again. */
export function streamed(packed: Uint8Array, ...sizes: readonly number[]): Buffer {
  const chunks: Uint8Array[] = [];
  const stream = new ZstdStream((chunk) => chunks.push(chunk));
  for (let at = 0, i = 0; at < packed.length; i += 1) {
    const size = sizes[Math.min(i, sizes.length - 1)]!;
    stream.push(packed.subarray(at, at + size));
    at += size;
  }
  stream.end();
  return Buffer.concat(chunks);
}

/** Keeps its tables from test to test, damage in between included: nothing of a piece may show in the next. */
export const frames: ZstdFrames = new ZstdFrames();

export function unpacked(packed: Uint8Array, maxBytes: number): Buffer {
  const target = new Uint8Array(maxBytes + SLACK_BYTES);
  return Buffer.from(target.subarray(0, frames.unpack(packed, target, maxBytes)));
}

export function errorOf(run: () => unknown): ZstdError {
  try {
    run();
  } catch (error) {
    if (error instanceof ZstdError) return error;
    throw error;
  }
  throw new Error("no error");
}

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** A frame without checksum: descriptor and what follows it. */
export const built = (...bytes: readonly number[]): Uint8Array =>
  Uint8Array.from([...MAGIC, ...bytes]);
/** Head of a block: last or not, kind, size. */
export const block = (isLast: boolean, kind: number, size: number): readonly number[] => {
  const head = (isLast ? 1 : 0) | (kind << 1) | (size << 3);
  return [head & 0xff, (head >> 8) & 0xff, head >> 16];
};
export const SKIPPABLE: Uint8Array = Uint8Array.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

/** What comes out, or what is wrong. */
export function outcomeOf(run: () => Buffer): Buffer | string {
  try {
    return run();
  } catch (error) {
    if (error instanceof ZstdError) return error.fault;
    throw error;
  }
}
