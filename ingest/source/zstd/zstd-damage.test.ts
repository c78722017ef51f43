import * as fc from "fast-check";
import { decompress } from "fzstd";
import { describe, expect, it } from "vitest";

import {
  contentOf,
  errorOf,
  frame,
  FRAMES,
  frames,
  outcomeOf,
  streamed,
  unpacked,
} from "../../testing/zstd-frames.ts";
import { SLACK_BYTES } from "./block-source.ts";
import { ZstdError } from "./zstd-error.ts";
import { ZstdStream } from "./zstd-stream.ts";

describe("zstd streams that are cut", () => {
  for (const name of FRAMES.filter((one) => frame(one).length < 4000)) {
    it(`tells that ${name} is cut, wherever it is`, () => {
      const packed = frame(name);
      const { length } = contentOf(name);
      for (let cut = 0; cut < packed.length; cut += 1) {
        const part = packed.subarray(0, cut);
        const fromStream = errorOf(() => streamed(part, 64));
        expect([cut, fromStream.fault, fromStream.byteOffset]).toEqual([cut, "truncated", cut]);
        expect([cut, errorOf(() => unpacked(part, length)).fault]).toEqual([cut, "truncated"]);
      }
    });
  }

  it("gives what came before the cut", () => {
    const packed = frame("lines.l1.zst");
    const chunks: Uint8Array[] = [];
    const stream = new ZstdStream((chunk) => chunks.push(chunk));
    stream.push(packed.subarray(0, packed.length - 10));
    expect(() => {
      stream.end();
    }).toThrow(ZstdError);
    const got = Buffer.concat(chunks);
    expect(got.length).toBeGreaterThan(100_000);
    expect(contentOf("lines").subarray(0, got.length).equals(got)).toBe(true);
  });
});

describe("damaged zstd frames", () => {
  const small = FRAMES.filter((one) => frame(one).length < 7000);

  it("finds every flipped bit in frames with a checksum: no other content comes out", () => {
    for (const name of ["short.check.zst", "zeros.check.zst", "one.check.zst", "short.fast.zst"]) {
      const packed = frame(name);
      const content = contentOf(name);
      for (let bit = 0; bit < packed.length * 8; bit += 1) {
        const damaged = Uint8Array.from(packed);
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        for (const run of [() => streamed(damaged, 100), () => unpacked(damaged, content.length)]) {
          const outcome = outcomeOf(run);
          const isSound = typeof outcome === "string" || outcome.equals(content);
          expect([name, bit, isSound]).toEqual([name, bit, true]);
        }
      }
    }
  });

  it("gives the same through both faces as fzstd does, or an error", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...small),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        (name, changes) => {
          const damaged = Uint8Array.from(frame(name));
          for (const [at, byte] of changes) damaged[at % damaged.length] = byte;
          const stream = outcomeOf(() => streamed(damaged, 300));
          const whole = outcomeOf(() => unpacked(damaged, 2_000_000));
          if (typeof stream === "string" || typeof whole === "string") return;
          expect(stream.equals(whole)).toBe(true);
          expect(Buffer.from(decompress(damaged)).equals(whole)).toBe(true);
        },
      ),
      { numRuns: 1500, seed: 20 },
    );
  });

  it("never goes beyond what it was given room for", () => {
    const content = contentOf("lines");
    const packed = frame("lines.l19.zst");
    for (const maxBytes of [0, 1, 1000, 131_072, content.length - 1]) {
      const target = new Uint8Array(content.length + SLACK_BYTES).fill(0xa5);
      const error = errorOf(() => frames.unpack(packed, target, maxBytes));
      expect(error.fault).toBe("damaged");
      const beyond = target.subarray(maxBytes + SLACK_BYTES);
      expect(beyond.every((byte) => byte === 0xa5)).toBe(true);
    }
  });
});
