import { createHash } from "node:crypto";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { HashThread } from "./hash-thread.ts";
import { openBytes } from "./open-bytes.ts";

/** Bytes that differ from slot to slot, so that an exchanged or repeated piece shows. */
function bytesOf(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i += 1) words[i] = Math.imul(i + seed, 0x9e3779b1);
  return new Uint8Array(words.buffer, 0, length);
}

function sha256(chunks: readonly Uint8Array[]): string {
  return createHash("sha256").update(Buffer.concat(chunks)).digest("hex");
}

describe("HashThread", () => {
  it("gives the digest of the chunks one behind the other, whatever their sizes", () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 2_500_000 }), { maxLength: 14 });
    fc.assert(
      fc.property(lengths, (sizes) => {
        const chunks = sizes.map((size, i) => bytesOf(size, i));
        const thread = new HashThread();
        for (const [i, chunk] of chunks.entries()) {
          // Asking in between changes nothing.
          if (i === 3) expect(thread.digest()).toBe(sha256(chunks.slice(0, i)));
          const reused = chunk.slice();
          thread.update(reused);
          // The thread has its own copy: a reader uses its buffer again.
          reused.fill(0);
        }
        expect(thread.digest()).toBe(sha256(chunks));
        expect(thread.end()).toBe(sha256(chunks));
      }),
      { numRuns: 12 },
    );
  });

  it("ends without a digest when it is given up", async () => {
    const thread = new HashThread();
    for (let i = 0; i < 20; i += 1) thread.update(bytesOf(1_000_000, i));
    await expect(thread.abandon()).resolves.toBeUndefined();
  });
});

describe("openBytes of a large file", () => {
  const SIZE = 70_000_000;
  let folder: string;
  let file: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "tlbi-replay-digest-"));
    file = path.join(folder, "large");
    // Sparse: only its two ends take room.
    const handle = await open(file, "w");
    await handle.write("# tracer: nop\n");
    await handle.write("end\n", SIZE - 4);
    await handle.close();
  });

  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  it("gives the size and the digest of what is stored", async () => {
    const source = await openBytes(file);
    const hash = createHash("sha256");
    let chunks = 0;
    for await (const chunk of source.chunks) {
      hash.update(chunk);
      chunks += 1;
      // In the middle it is that of what has come so far.
      if (chunks === 9) expect(source.stored.sha256()).toBe(hash.copy().digest("hex"));
    }
    expect(source.stored.bytes).toBe(SIZE);
    expect(source.stored.sha256()).toBe(hash.digest("hex"));
    // Asked again, it says the same.
    expect(source.stored.sha256()).toHaveLength(64);
  });

  it("can be closed in the middle", async () => {
    const source = await openBytes(file);
    for await (const chunk of source.chunks) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await source.close();
  });
});
