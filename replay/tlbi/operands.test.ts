import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeIpaOperand,
  decodeRangeOperand,
  granuleCode,
  ipaOperand,
  rangeOperand,
  ttlHint,
} from "./operands.ts";
import { TLBI_TTL_UNKNOWN } from "./primitives.ts";
import { usesLpa2Base } from "./range-encoder.ts";
import type { PageShift, RangeEncoding } from "./range-encoder.ts";

const anyPageShift: fc.Arbitrary<PageShift> = fc.constantFrom(12, 14, 16);

describe("range operands", () => {
  it("places every field", () => {
    const encoding: RangeEncoding = { algorithm: "clamped", pageShift: 12, lpa2: false };
    expect(rangeOperand(encoding, 0x40000, 3, 31)).toBe(0x7f8000040000n);
    expect(rangeOperand(encoding, 0x40000, 0, 0, 3)).toBe(0x406000040000n);
    expect(rangeOperand({ ...encoding, pageShift: 14 }, 0x10000, 3, 31)).toBe(0xbf8000010000n);
    expect(rangeOperand({ ...encoding, pageShift: 16 }, 0x4000, 3, 31)).toBe(0xff8000004000n);
  });

  it("counts the base in 64 KiB under LPA2, from 6.8 on", () => {
    const encoding: RangeEncoding = { algorithm: "clamped", pageShift: 12, lpa2: true };
    expect(rangeOperand(encoding, 0x40010, 3, 30)).toBe(0x7f0000004001n);
    const ascending: RangeEncoding = { ...encoding, algorithm: "ascending" };
    expect(rangeOperand(ascending, 0x40010, 3, 30)).toBe(0x7f0000040010n);
  });

  it("takes no hint from 0, from TLBI_TTL_UNKNOWN and from a negative level", () => {
    const encoding: RangeEncoding = { algorithm: "clamped", pageShift: 12, lpa2: false };
    const bare = rangeOperand(encoding, 0x40000, 1, 2);
    for (const ttl of [0, -1, TLBI_TTL_UNKNOWN]) {
      expect(rangeOperand(encoding, 0x40000, 1, 2, ttl)).toBe(bare);
    }
  });

  it("are read back as they were written", () => {
    const property = fc.property(
      anyPageShift,
      fc.boolean(),
      fc.nat(2 ** 30),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 31 }),
      fc.integer({ min: 0, max: 3 }),
      (pageShift, lpa2, unit, scale, num, ttl) => {
        const encoding: RangeEncoding = { algorithm: "clamped", pageShift, lpa2 };
        const lpa2Base = usesLpa2Base(encoding);
        const ipaPage = lpa2Base ? unit * 2 ** (16 - pageShift) : unit;
        const operand = rangeOperand(encoding, ipaPage, scale, num, ttl);
        expect(decodeRangeOperand(operand, lpa2Base)).toEqual({
          ipa: BigInt(ipaPage) << BigInt(pageShift),
          ttl,
          num,
          scale,
          pageShift,
          pages: (num + 1) * 2 ** (5 * scale + 1),
          highBits: 0,
        });
      },
    );
    fc.assert(property, { seed: 7, numRuns: 3000 });
    expect.hasAssertions();
  });

  it.each([
    [0x400000040000n, 12, 0, 0, 2, 0],
    [0xffff708000040000n, 12, 3, 1, 131072, 0xffff],
    [0xc00000040000n, 16, 0, 0, 2, 0],
    [0xfffff08000040000n, 16, 3, 1, 131072, 0xffff],
  ] as const)("reads the corrupt %s as a CPU does", (operand, shift, scale, num, pages, high) => {
    const fields = decodeRangeOperand(operand, false);
    expect(fields).toMatchObject({ pageShift: shift, scale, num, pages, highBits: high });
  });

  it("reads the reserved granule as none", () => {
    expect(decodeRangeOperand(1n, false)).toMatchObject({ ipa: 4096n, pageShift: null });
  });
});

describe("single-page operands", () => {
  it("hold the IPA in 4 KiB units whatever the page size", () => {
    expect(ipaOperand(0x40000, 12, null)).toBe(0x40000n);
    expect(ipaOperand(0x10000, 14, null)).toBe(0x40000n);
    expect(ipaOperand(0x4000, 16, null)).toBe(0x40000n);
    expect(ipaOperand(2 ** 40 - 1, 12, null)).toBe(0xff_ffff_ffffn);
  });

  it("hold granule and level only with a hint", () => {
    expect(ipaOperand(0xfffff00, 12, 3)).toBe(0x70000fffff00n);
    expect(ipaOperand(0x10000, 14, 2)).toBe(0xa00000040000n);
    expect(ipaOperand(0x4000, 16, 1)).toBe(0xd00000040000n);
    expect(ipaOperand(0x40000, 12, 0)).toBe(0x400000040000n);
  });

  it("are read back as they were written", () => {
    const anyHint = fc.option(fc.integer({ min: 0, max: 3 }));
    const anyPage = fc.nat(2 ** 31 - 1).map((half) => half * 128 + 1);
    const property = fc.property(anyPageShift, anyPage, anyHint, (pageShift, ipaPage, level) => {
      expect(decodeIpaOperand(ipaOperand(ipaPage, pageShift, level))).toEqual({
        ipa: BigInt(ipaPage) << BigInt(pageShift),
        hint: level === null ? null : { level, pageShift },
      });
    });
    fc.assert(property, { seed: 8, numRuns: 3000 });
    expect.hasAssertions();
  });

  it("have no hint under the reserved granule", () => {
    expect(decodeIpaOperand(0x300000000001n)).toEqual({ ipa: 4096n, hint: null });
  });
});

describe("ttlHint", () => {
  const before68 = { ttlFeature: true, levelZeroIsHint: false };
  const since68 = { ttlFeature: true, levelZeroIsHint: true };
  it.each([
    [-1, null, null],
    [0, null, 0],
    [1, 1, 1],
    [2, 2, 2],
    [3, 3, 3],
    [4, null, null],
    [TLBI_TTL_UNKNOWN, null, null],
  ])("level %i", (level, old, recent) => {
    expect(ttlHint(level, before68)).toBe(old);
    expect(ttlHint(level, since68)).toBe(recent);
    expect(ttlHint(level, { ...since68, ttlFeature: false })).toBeNull();
  });
});

it("granule codes", () => {
  expect(([12, 14, 16] as const).map(granuleCode)).toEqual([1, 2, 3]);
});
