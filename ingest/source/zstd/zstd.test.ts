import { describe, expect, it } from "vitest";

import {
  block,
  built,
  contentOf,
  frame,
  FRAMES,
  SKIPPABLE,
  streamed,
  unpacked,
} from "../../testing/zstd-frames.ts";

describe("frames made by zstd", () => {
  for (const name of FRAMES) {
    it(`unpacks ${name}`, () => {
      const content = contentOf(name);
      const packed = frame(name);
      expect(unpacked(packed, content.length).equals(content)).toBe(true);
      expect(streamed(packed, packed.length).equals(content)).toBe(true);
      expect(streamed(packed, 1).equals(content)).toBe(true);
      expect(streamed(packed, 7, 1000).equals(content)).toBe(true);
    });
  }

  it("unpacks several frames with skippable ones between them", () => {
    const names = ["short.fast.zst", "empty.check.zst", "zeros.check.zst", "lines.l19.zst"];
    const packed = Buffer.concat(names.flatMap((name) => [SKIPPABLE, frame(name)]));
    const content = Buffer.concat(names.map(contentOf));
    expect(streamed(packed, 5, 4096).equals(content)).toBe(true);
    expect(unpacked(packed, content.length).equals(content)).toBe(true);
  });

  it("reuses the window's memory when a content is far longer than it", () => {
    // A window of 1 KiB: blocks of 1 KiB, of which each repeats bytes of the one before.
    const blocks = 900;
    const parts: number[] = [0x00, 0x00];
    const expected: Buffer[] = [Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251))];
    parts.push(...block(false, 0, 1000), ...expected[0]!);
    for (let i = 1; i <= blocks; i += 1) {
      // No literals, and one sequence with tables of one code each: literal length 0; offset 512 and 9
      // bits, less 3; match length 515 and 9 bits. The offset's bits come first, below the end mark.
      const length = 515 + 100;
      const bits = (1 << 18) | ((1000 + 3 - 512) << 9) | 100;
      const body = [0x00, 1, 0x54, 0, 9, 45, bits & 0xff, (bits >> 8) & 0xff, bits >> 16];
      parts.push(...block(i === blocks, 2, body.length), ...body);
      const before = Buffer.concat(expected.slice(-3)).subarray(-1000);
      expected.push(Buffer.from(before.subarray(0, length)));
    }
    const content = Buffer.concat(expected);
    expect(content.length).toBeGreaterThan(500_000);
    const packed = built(...parts);
    expect(streamed(packed, 4096).equals(content)).toBe(true);
    expect(unpacked(packed, content.length).equals(content)).toBe(true);
  });
});
