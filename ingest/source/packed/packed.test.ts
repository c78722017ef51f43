import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Compression, detectCompression, UNPACKING } from "../compression.ts";
import { lz4Decoder } from "./lz4.ts";
import type { StreamDamage } from "./stream-decoder.ts";
import { Xxh32 } from "./xxh32.ts";
import { xzDecoder } from "./xz.ts";
import { zstdDecoder } from "./zstd.ts";

const FOLDER = fileURLToPath(new URL("../../../fixtures/packed/", import.meta.url));
const sample = (name: string): Buffer => readFileSync(`${FOLDER}${name}`);
/** The runtime's own gzip is the judge of the text. */
const TEXT = gunzipSync(sample("text.gz"));

const SAMPLES: readonly (readonly [string, Compression])[] = [
  ["text.gz", "gzip"],
  ["members.gz", "gzip"],
  ["text.zst", "zstd"],
  ["frames.zst", "zstd"],
  ["text.lz4", "lz4"],
  ["linked.lz4", "lz4"],
  ["legacy.lz4", "lz4"],
  ["frames.lz4", "lz4"],
  ["text.xz", "xz"],
  ["blocks.xz", "xz"],
  ["streams.xz", "xz"],
];

interface Unpacked {
  readonly content: Buffer;
  readonly damage: StreamDamage | undefined;
}

async function unpacked(stored: Uint8Array, size = 1000): Promise<Unpacked> {
  const compression = detectCompression(stored, "-");
  if (compression === "none") throw new Error("not recognised");
  const pieces: Uint8Array[] = [];
  let damage: StreamDamage | undefined;
  const chunks = UNPACKING[compression](inPieces(stored, size), (found) => {
    damage = found;
  });
  for await (const piece of chunks) pieces.push(Uint8Array.from(piece));
  return { content: Buffer.concat(pieces), damage };
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  // One buffer for all of them, as the file reader has it: nobody may keep a chunk.
  const chunk = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    chunk.fill(0xaa);
    chunk.set(piece);
    yield await Promise.resolve(chunk.subarray(0, piece.length));
  }
}

describe("what was compressed by others", () => {
  for (const [name, compression] of SAMPLES) {
    it(`is unpacked, whatever the pieces: ${name}`, async () => {
      expect(detectCompression(sample(name), "-")).toBe(compression);
      for (const size of [1, 7, 4096, 1 << 20]) {
        const { content, damage } = await unpacked(sample(name), size);
        expect(damage).toBeUndefined();
        expect(content.equals(TEXT)).toBe(true);
      }
    });

    it(`gives what came before a cut, and says where: ${name}`, async () => {
      const whole = sample(name);
      let most = 0;
      for (const cut of [30, 1000, 2500, whole.length - 700, whole.length - 1]) {
        // Members, frames and streams may end there: then nothing is missing.
        const { content, damage } = await unpacked(whole.subarray(0, cut));
        expect(TEXT.subarray(0, content.length).equals(content)).toBe(true);
        if (damage === undefined) {
          expect(content.length).toBeGreaterThan(20_000);
        } else expect(damage.byteOffset).toBe(cut);
        expect(content.length).toBeGreaterThanOrEqual(most);
        most = content.length;
      }
      expect(most).toBeGreaterThan(20_000);
    });

    it(`tells of what follows and is none of it: ${name}`, async () => {
      const stored = Buffer.concat([sample(name), Buffer.from("garbage")]);
      const { content, damage } = await unpacked(stored);
      expect(content.equals(TEXT)).toBe(true);
      expect(damage?.byteOffset).toBe(sample(name).length);
      const zeros = Buffer.concat([sample(name), Buffer.alloc(1024)]);
      expect(await unpacked(zeros)).toMatchObject({ damage: undefined });
    });

    // A frame in each of these has no check of what is unpacked.
    if (["legacy.lz4", "frames.lz4", "frames.zst"].includes(name)) continue;
    it(`never gives other bytes in silence: ${name}`, async () => {
      const whole = sample(name);
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 16, max: whole.length - 1 }),
          fc.integer({ min: 1, max: 255 }),
          async (at, bits) => {
            const damaged = Uint8Array.from(whole);
            damaged[at]! ^= bits;
            const { content, damage } = await unpacked(damaged);
            expect(content.equals(TEXT) || damage !== undefined).toBe(true);
          },
        ),
        { numRuns: 60 },
      );
    });
  }
});

describe("a stream of nothing but repetitions", () => {
  const MOST_AT_ONCE = 16 * 1024 * 1024;
  const HELPING = 2048;

  it("is never unpacked far ahead of its consumer", () => {
    // 60 MB of zeros in 9 KB, 3 MB in 110 bytes, 100 MB as blocks of one repeated match.
    for (const [decoderFor, stored, bytes] of [
      [xzDecoder, sample("zeros.xz"), 60_000_000],
      [zstdDecoder, sample("zeros.zst"), 3_000_000],
      [
        lz4Decoder,
        lz4Frame(
          Array.from({ length: 25 }, () => zerosBlock(4_000_000)),
          7,
        ),
        1e8,
      ],
    ] as const) {
      let atOnce = 0;
      let most = 0;
      let total = 0;
      const decoder = decoderFor((piece) => {
        atOnce += piece.length;
        total += piece.length;
      });
      for (let at = 0; at < stored.length; at += HELPING) {
        atOnce = 0;
        decoder.push(stored.subarray(at, at + HELPING));
        most = Math.max(most, atOnce);
      }
      decoder.end();
      expect(total).toBe(bytes);
      expect(most).toBeLessThan(MOST_AT_ONCE);
    }
  });

  it("is refused where its header asks for more memory than there should be", async () => {
    // A window of 2 GiB; the last block, empty.
    const window = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, (21 << 3) | 0, 1, 0, 0);
    const { content, damage } = await unpacked(window);
    expect(content).toHaveLength(0);
    expect(damage?.reason).toContain("window of 2147483648 bytes");
  });
});

describe("LZ4 blocks", () => {
  /** A literal run and a match, or only literals at the end. */
  const sequence = fc.record({
    literals: fc.uint8Array({ maxLength: 300 }),
    distance: fc.integer({ min: 1, max: 70_000 }),
    length: fc.integer({ min: 4, max: 600 }),
  });

  it("are unpacked as a slow model does, linked or not", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(sequence, { maxLength: 12 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 5000 }),
        async (blocks, isLinked, size) => {
          const output: number[] = [];
          const stored = blocks.map((sequences) => {
            const oldest = isLinked ? 0 : output.length;
            const bytes: number[] = [];
            for (const { literals, distance, length } of sequences) {
              output.push(...literals);
              const reach = Math.min(output.length - oldest, 65_535);
              if (reach === 0) continue;
              const back = ((distance - 1) % reach) + 1;
              bytes.push(...lz4Sequence(literals, back, length));
              for (let i = 0; i < length; i += 1) output.push(output[output.length - back]!);
            }
            output.push(65, 66);
            return Uint8Array.from([...bytes, ...lz4Sequence(Uint8Array.of(65, 66))]);
          });
          const { content, damage } = await unpacked(lz4Frame(stored, 4, isLinked), size);
          expect(damage).toBeUndefined();
          expect(content.equals(Buffer.from(output))).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("may not reach back behind what there is, nor unpack to too much", async () => {
    const tooFar = lz4Frame([Uint8Array.from(lz4Sequence(Uint8Array.of(1), 2, 4))], 4);
    expect((await unpacked(tooFar)).damage?.reason).toContain("from before the beginning");
    const tooMuch = lz4Frame([zerosBlock(70_000)], 4);
    expect((await unpacked(tooMuch)).damage?.reason).toContain("more than its frame allows");
  });
});

describe("the checks", () => {
  it("are those of their specifications", () => {
    // Test vectors that the xxHash project publishes.
    for (const [text, hash] of [
      ["", 0x02cc5d05],
      ["a", 0x550d7456],
      ["Nobody inspects the spammish repetition", 0xe2293b2f],
    ] as const) {
      const whole = new Xxh32();
      whole.update(Buffer.from(text));
      expect(whole.digest()).toBe(hash);
      const inBytes = new Xxh32();
      for (const byte of Buffer.from(text)) inBytes.update(Uint8Array.of(byte));
      expect(inBytes.digest()).toBe(hash);
    }
  });

  it("of a gzip member are verified", async () => {
    const stored = gzipSync("some text that is deflated\n".repeat(10));
    stored[stored.length - 6]! ^= 1;
    const { content, damage } = await unpacked(stored);
    expect(content.toString()).toBe("some text that is deflated\n".repeat(10));
    expect(damage).toEqual({
      reason: "the gzip stream is damaged (incorrect data check)",
      byteOffset: stored.length - 8,
    });
  });
});

function lz4Length(length: number): number[] {
  if (length < 15) return [];
  const rest = length - 15;
  return [...Array.from({ length: Math.floor(rest / 255) }, () => 255), rest % 255];
}

function lz4Sequence(literals: Uint8Array, distance = 0, length = 4): number[] {
  const isLast = distance === 0;
  const token = (Math.min(literals.length, 15) << 4) | (isLast ? 0 : Math.min(length - 4, 15));
  const match = isLast ? [] : [distance & 255, distance >> 8, ...lz4Length(length - 4)];
  return [token, ...lz4Length(literals.length), ...literals, ...match];
}

/** A block of `bytes` zeros. */
function zerosBlock(bytes: number): Uint8Array {
  const last = Uint8Array.of(0);
  return Uint8Array.from([...lz4Sequence(last, 1, bytes - 2), ...lz4Sequence(last)]);
}

function lz4Frame(blocks: readonly Uint8Array[], sizeCode: number, isLinked = false): Buffer {
  const descriptor = Uint8Array.of(0x40 | (isLinked ? 0 : 0x20), sizeCode << 4);
  const hash = new Xxh32();
  hash.update(descriptor);
  const parts = blocks.flatMap((block) => [word32(block.length), block]);
  const head = [word32(0x184d2204), descriptor, Uint8Array.of((hash.digest() >>> 8) & 255)];
  return Buffer.concat([...head, ...parts, word32(0)]);
}

function word32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
