import { describe, expect, it } from "vitest";

import { block, built, errorOf, streamed, unpacked } from "../../testing/zstd-frames.ts";
import { ZstdStream } from "./zstd-stream.ts";

/** A last block of this many bytes as they are. */
const raw = (size: number): readonly number[] => [
  ...block(true, 0, size),
  ...Array.from({ length: size }, () => 65),
];

describe("what a zstd frame may not be", () => {
  // Single segment, content size of one byte.
  const cases: readonly (readonly [string, Uint8Array, string, number, RegExp])[] = [
    ["another magic number", Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]), "damaged", 0, /no zstd/],
    ["a dictionary", built(0x21, 7, 1, ...raw(1)), "unsupported", 0, /dictionary/],
    ["a reserved bit", built(0x28, 1, ...raw(1)), "unsupported", 0, /reserved/],
    ["a block of an unknown kind", built(0x20, 1, ...block(true, 3, 1), 0), "damaged", 6, /kind/],
    ["a block beyond the window", built(0x20, 1, ...raw(2)), "damaged", 6, /2 bytes/],
    ["less content than announced", built(0x20, 2, ...raw(1)), "damaged", 0, /1 bytes/],
    ["a packed block of nothing", built(0x20, 9, ...block(true, 2, 0)), "damaged", 6, /content/],
    [
      "bytes behind the last frame",
      built(0x20, 1, ...raw(1), 1, 2, 3, 4, 5, 6, 7, 8),
      "damaged",
      10,
      /frame/,
    ],
    [
      "a match in front of the content",
      built(0x20, 9, ...block(true, 2, 10), 0x08, 65, 1, 0x54, 1, 3, 0, 0b1111, 0, 1),
      "damaged",
      6,
      /./,
    ],
  ];
  for (const [what, bytes, fault, byteOffset, words] of cases) {
    it(`refuses ${what}`, () => {
      for (const run of [() => streamed(bytes, 3), () => unpacked(bytes, 100)]) {
        const error = errorOf(run);
        expect([error.fault, error.byteOffset]).toEqual([fault, byteOffset]);
        expect(error.message).toMatch(words);
      }
    });
  }

  it("takes a dictionary of number 0 for none", () => {
    expect(streamed(built(0x21, 0, 1, ...raw(1)), 9).toString()).toBe("A");
  });

  it("refuses a window over 128 MiB before any memory is taken for it", () => {
    const window = built(0x00, 0x91, ...raw(1));
    expect(errorOf(() => streamed(window, 9))).toMatchObject({
      fault: "unsupported",
      byteOffset: 0,
    });
    expect(errorOf(() => streamed(window, 9)).reason).toContain("window of 301989888 bytes");
  });

  it("does not believe what is announced: memory grows with the content", () => {
    // 100 MiB of content, by the header; one byte comes.
    const size = 100 * 1024 * 1024;
    const head = [0, 8, 16, 24].map((shift) => (size >>> shift) & 0xff);
    const before = process.memoryUsage().arrayBuffers;
    const stream = new ZstdStream(() => undefined);
    const error = errorOf(() => {
      stream.push(built(0xa0, ...head, ...raw(1)));
    });
    expect(error.reason).toContain(`announces ${size}`);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
  });

  it("hands a bomb over piece by piece", () => {
    // Sixteen thousand blocks of 128 KiB from 64 KB.
    const blocks = 16_000;
    const parts: number[] = [0x00, 0x38];
    for (let i = 1; i <= blocks; i += 1) parts.push(...block(i === blocks, 1, 131_072), 66);
    const stream = new ZstdStream(() => undefined);
    const before = process.memoryUsage().arrayBuffers;
    let total = 0;
    for (const piece of stream.pieces(built(...parts))) {
      total += piece.length;
      expect(piece.length).toBe(131_072);
    }
    stream.end();
    expect(total).toBe(blocks * 131_072);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
  });
});
