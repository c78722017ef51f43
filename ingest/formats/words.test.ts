import { describe, expect, it } from "vitest";

import { literal } from "./bytes.ts";
import { hasNewlineAt, matchesWordsAt, wordsOf } from "./words.ts";

describe("hasNewlineAt", () => {
  it("finds a line end at every place, and none where there is none", () => {
    // What differs from a line end by a borrow, a high bit or a neighbour.
    for (const filler of [0x00, 0x09, 0x0b, 0x20, 0x41, 0x80, 0x8a, 0x8b, 0xff]) {
      const bytes = new Uint8Array(24).fill(filler);
      for (let at = 0; at < bytes.length; at += 1) {
        bytes[at] = 10;
        expect(hasNewlineAt(bytes, 3, 4), `${filler} at ${at}`).toBe(at >= 3 && at < 19);
        bytes[at] = filler;
      }
      expect(hasNewlineAt(bytes, 3, 4)).toBe(false);
    }
  });
});

describe("matchesWordsAt", () => {
  it("compares every byte, also in a part of a larger buffer", () => {
    for (const length of [0, 1, 3, 4, 5, 8, 11]) {
      const expected = literal("0123456789ab".slice(0, length));
      const words = wordsOf(expected);
      const bytes = Uint8Array.from(Buffer.concat([literal("xyz"), expected, literal("###")]));
      const part = bytes.subarray(1);
      expect(matchesWordsAt(part, 2, expected, words)).toBe(true);
      for (let at = 0; at < length; at += 1) {
        part[2 + at]! ^= 1;
        expect(matchesWordsAt(part, 2, expected, words), `${length} at ${at}`).toBe(false);
        part[2 + at]! ^= 1;
      }
    }
  });
});
