import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { literal, NEWLINE } from "./bytes.ts";
import {
  decimalOfWord,
  hasNewlineAt,
  lineEndFrom,
  matchesWordsAt,
  READ_AHEAD_BYTES,
  wordAt,
  wordsOf,
} from "./words.ts";

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

describe("lineEndFrom", () => {
  it("finds the first line end, whatever stands before and behind it", () => {
    // Bytes that a borrow, a high bit or a neighbour could make look like a line end.
    const byte = fc.constantFrom(0x00, 0x09, 0x0a, 0x0b, 0x20, 0x41, 0x80, 0x8a, 0x8b, 0xff);
    const cases = fc.tuple(fc.array(byte, { maxLength: 40 }), fc.nat(8));
    fc.assert(
      fc.property(cases, ([content, from]) => {
        const bytes = new Uint8Array(from + content.length + 1 + READ_AHEAD_BYTES).fill(NEWLINE);
        bytes.set(content, from);
        const slow = content.indexOf(NEWLINE);
        expect(lineEndFrom(bytes, from)).toBe(from + (slow < 0 ? content.length : slow));
      }),
    );
  });
});

describe("decimalOfWord", () => {
  it("gives the value of four digits, and -1 where one of them is none", () => {
    for (const text of ["0000", "0001", "1000", "1234", "9999", "5608"]) {
      expect(decimalOfWord(wordAt(literal(text), 0)), text).toBe(Number(text));
    }
    for (let byte = 0; byte < 256; byte += 1) {
      for (let at = 0; at < 4; at += 1) {
        const bytes = literal("4095");
        bytes[at] = byte;
        const isDigit = byte >= 0x30 && byte <= 0x39;
        const expected = isDigit ? Number(Buffer.from(bytes).toString("latin1")) : -1;
        expect(decimalOfWord(wordAt(bytes, 0)), `${byte} at ${at}`).toBe(expected);
      }
    }
  });
});
