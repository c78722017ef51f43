import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  IPA_PAGE_LIMIT,
  MAX_RANGE_PAGES,
  countRangeOps,
  countRangeSingles,
  countRangeTotal,
  encodeRange,
  usesLpa2Base,
} from "./range-encoder.ts";
import type { PageShift, RangeAlgorithm, RangeEncoding } from "./range-encoder.ts";
import { rangeOperand } from "./operands.ts";

const ALGORITHMS: readonly RangeAlgorithm[] = ["ascending", "descending", "clamped"];
const PAGE_SHIFTS: readonly PageShift[] = [12, 14, 16];
const START_PAGE = 0x40000;
const CLAMPED_4K: RangeEncoding = { algorithm: "clamped", pageShift: 12, lpa2: false };
const CLAMPED_4K_LPA2: RangeEncoding = { ...CLAMPED_4K, lpa2: true };
const CLAMPED_16K_LPA2: RangeEncoding = { ...CLAMPED_4K_LPA2, pageShift: 14 };
const ASCENDING_4K: RangeEncoding = { ...CLAMPED_4K, algorithm: "ascending" };
const DESCENDING_4K: RangeEncoding = { ...CLAMPED_4K, algorithm: "descending" };

const anyEncoding: fc.Arbitrary<RangeEncoding> = fc.record({
  algorithm: fc.constantFrom(...ALGORITHMS),
  pageShift: fc.constantFrom(...PAGE_SHIFTS),
  lpa2: fc.boolean(),
  bug2048k: fc.boolean(),
});
/** All sizes matter alike, and the borders most. */
const anyLength: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: 1, max: MAX_RANGE_PAGES }),
  fc.integer({ min: 1, max: 4096 }),
  fc.tuple(fc.integer({ min: 1, max: 21 }), fc.integer({ min: -17, max: 17 })).map(([bit, off]) => {
    return Math.min(MAX_RANGE_PAGES, Math.max(1, 2 ** bit + off));
  }),
);
const anyPage: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: 0, max: 64 }),
  fc.integer({ min: 0, max: IPA_PAGE_LIMIT - MAX_RANGE_PAGES }),
);

/** `I@offset` and `R(scale,num)@offset[pages]`, as in the tables. */
function describeOps(encoding: RangeEncoding, ipaPage: number, lenPages: number): string {
  const ops: string[] = [];
  encodeRange(encoding, ipaPage, lenPages, {
    single: (page) => ops.push(`I@${page - ipaPage}`),
    range: (page, scale, num, pages) => ops.push(`R(${scale},${num})@${page - ipaPage}[${pages}]`),
  });
  return ops.join(" ");
}

function leadSingles(count: number): string {
  return Array.from({ length: count }, (_, i) => `I@${i}`).join(" ");
}

describe("worked encodings", () => {
  it.each([
    [1, "I@0", "I@0"],
    [2, "R(0,0)@0[2]", "R(0,0)@0[2]"],
    [3, "I@0 R(0,0)@1[2]", "R(0,0)@0[2] I@2"],
    [127, "I@0 R(0,30)@1[62] R(1,0)@63[64]", "R(1,0)@0[64] R(0,30)@64[62] I@126"],
    [512, "R(1,7)@0[512]", "R(1,7)@0[512]"],
    [513, "I@0 R(1,7)@1[512]", "R(1,7)@0[512] I@512"],
    [
      262143,
      "I@0 R(0,30)@1[62] R(1,30)@63[1984] R(2,30)@2047[63488] R(3,2)@65535[196608]",
      "R(3,2)@0[196608] R(2,30)@196608[63488] R(1,30)@260096[1984] R(0,30)@262080[62] I@262142",
    ],
    [
      2097151,
      "I@0 R(0,30)@1[62] R(1,30)@63[1984] R(2,30)@2047[63488] R(3,30)@65535[2031616]",
      "R(3,30)@0[2031616] R(2,30)@2031616[63488] R(1,30)@2095104[1984] R(0,30)@2097088[62] I@2097150",
    ],
    [2097152, "R(4,0)@0[2]", "R(3,31)@0[2097152]"],
  ])("%i pages", (lenPages, ascending, clamped) => {
    expect(describeOps(ASCENDING_4K, START_PAGE, lenPages)).toBe(ascending);
    expect(describeOps(CLAMPED_4K, START_PAGE, lenPages)).toBe(clamped);
    expect(describeOps(CLAMPED_4K_LPA2, START_PAGE, lenPages)).toBe(clamped);
  });

  it.each([
    [3, leadSingles(3)],
    [31, `${leadSingles(15)} R(0,7)@15[16]`],
    [511, `${leadSingles(15)} R(1,6)@15[448] R(0,23)@463[48]`],
    [
      2097152,
      `${leadSingles(15)} R(3,30)@15[2031616] R(2,30)@2031631[63488] R(1,30)@2095119[1984] R(0,23)@2097103[48] I@2097151`,
    ],
  ])("%i pages under LPA2, 4 KiB past a 64 KiB boundary", (lenPages, ops) => {
    expect(describeOps(CLAMPED_4K_LPA2, START_PAGE + 1, lenPages)).toBe(ops);
    expect(describeOps({ ...DESCENDING_4K, lpa2: true }, START_PAGE + 1, lenPages)).toBe(ops);
  });
});

describe("instruction counts by alignment", () => {
  const lengths = [1, 2, 15, 16, 17, 32, 512, 513, 2048, 65536, 262144, 2097151, 2097152];
  const aligned = [1, 1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 5, 1];

  it.each([
    [0, aligned],
    [1, [1, 2, 15, 16, 16, 17, 18, 17, 18, 19, 20, 19, 20]],
    [2, [1, 2, 15, 15, 16, 15, 16, 17, 16, 17, 18, 19, 18]],
    [4, [1, 2, 14, 13, 14, 13, 14, 15, 14, 15, 16, 17, 16]],
    [8, [1, 2, 10, 9, 10, 9, 10, 11, 10, 11, 12, 13, 12]],
    [12, [1, 2, 6, 5, 6, 5, 6, 7, 6, 7, 8, 9, 8]],
    [15, [1, 2, 2, 3, 2, 3, 4, 2, 4, 5, 6, 5, 6]],
  ])("4K pages, %i pages past 64 KiB", (offsetPages, counts) => {
    const page = START_PAGE + offsetPages;
    expect(lengths.map((n) => countRangeTotal(CLAMPED_4K_LPA2, page, n))).toEqual(counts);
    expect(lengths.map((n) => countRangeTotal(CLAMPED_4K, page, n))).toEqual(aligned);
    expect(lengths.map((n) => countRangeTotal(ASCENDING_4K, page, n))).toEqual(aligned);
  });

  it.each([
    [0, aligned],
    [1, [1, 2, 4, 5, 4, 5, 6, 5, 6, 7, 8, 7, 8]],
    [2, [1, 2, 4, 3, 4, 3, 4, 5, 4, 5, 6, 7, 6]],
    [3, [1, 2, 2, 3, 2, 3, 4, 2, 4, 5, 6, 5, 6]],
  ])("16K pages, %i pages past 64 KiB", (offsetPages, counts) => {
    const page = START_PAGE + offsetPages;
    expect(lengths.map((n) => countRangeTotal(CLAMPED_16K_LPA2, page, n))).toEqual(counts);
  });

  it("64K pages do not know the LPA2 base", () => {
    const encoding: RangeEncoding = { algorithm: "clamped", pageShift: 16, lpa2: true };
    expect(usesLpa2Base(encoding)).toBe(false);
    expect(lengths.map((n) => countRangeTotal(encoding, START_PAGE + 1, n))).toEqual(aligned);
  });
});

/** The masking loops with the kernel's 64-bit shift (count modulo 64), step by step: derives the defect. */
function runMaskingLoop(isAscending: boolean): { scale: number; num: number } {
  let scale = isAscending ? 0 : 3;
  for (let step = 0; step < 64; step += 1) {
    const shift = BigInt.asUintN(6, BigInt(5 * scale + 1));
    const num = Number((BigInt(MAX_RANGE_PAGES) >> shift) & 31n) - 1;
    if (num >= 0) return { scale, num };
    scale += isAscending ? 1 : -1;
  }
  throw new Error("the loop does not end");
}

describe("2^21 pages (CVE-2024-35980)", () => {
  it.each([
    ["ascending", 12, 0x400000040000n, 2],
    ["descending", 12, 0xffff708000040000n, 131072],
    ["ascending", 14, 0xc00000040000n, 0],
    ["descending", 14, 0xfffff08000040000n, 0],
    ["ascending", 16, 0xc00000040000n, 2],
    ["descending", 16, 0xfffff08000040000n, 131072],
  ] as const)("%s, page shift %i", (algorithm, pageShift, operand, coveredPages) => {
    const encoding: RangeEncoding = { algorithm, pageShift, lpa2: false };
    const seen: unknown[] = [];
    encodeRange(encoding, START_PAGE, MAX_RANGE_PAGES, {
      single: (page) => seen.push(page),
      range: (page, scale, num, pages) => {
        expect({ scale, num }).toEqual(runMaskingLoop(algorithm === "ascending"));
        seen.push([page, rangeOperand(encoding, page, scale, num), pages]);
      },
    });
    expect(seen).toEqual([[START_PAGE, operand, coveredPages]]);
    expect(countRangeOps(encoding, START_PAGE, MAX_RANGE_PAGES)).toEqual({ singles: 0, ranges: 1 });
  });

  it("is encoded soundly with the defect switched off", () => {
    const start = START_PAGE;
    expect(describeOps({ ...ASCENDING_4K, bug2048k: false }, start, MAX_RANGE_PAGES)).toBe(
      `${describeOps(ASCENDING_4K, start, MAX_RANGE_PAGES - 1)} I@2097151`,
    );
    const descending = { ...DESCENDING_4K, bug2048k: false };
    expect(describeOps(descending, start, MAX_RANGE_PAGES)).toBe(
      `${describeOps(DESCENDING_4K, start, MAX_RANGE_PAGES - 1)} I@2097151`,
    );
    expect(countRangeOps(descending, start, MAX_RANGE_PAGES)).toEqual({ singles: 2, ranges: 4 });
  });

  it("spares descending with LPA2 when unaligned singles come first", () => {
    const descending: RangeEncoding = { ...DESCENDING_4K, lpa2: true };
    expect(describeOps(descending, 15, MAX_RANGE_PAGES)).toBe(
      describeOps(CLAMPED_4K_LPA2, 15, MAX_RANGE_PAGES),
    );
    expect(describeOps(descending, 16, MAX_RANGE_PAGES)).toBe("R(-9,1)@0[131072]");
  });
});

function countByEncoding(encoding: RangeEncoding, ipaPage: number, lenPages: number) {
  const counts = { singles: 0, ranges: 0 };
  encodeRange(encoding, ipaPage, lenPages, {
    single: () => (counts.singles += 1),
    range: () => (counts.ranges += 1),
  });
  return counts;
}

describe("properties", () => {
  it("the closed form counts what the encoder emits", () => {
    const property = fc.property(anyEncoding, anyPage, anyLength, (encoding, page, length) => {
      const counts = countByEncoding(encoding, page, length);
      expect(countRangeOps(encoding, page, length)).toEqual(counts);
    });
    fc.assert(property, { seed: 20240414, numRuns: 20_000 });
    expect.hasAssertions();
  });

  it("the closed form is right for every length to 4096 at every alignment", () => {
    const wrong: string[] = [];
    const base: RangeEncoding[] = ALGORITHMS.flatMap((algorithm) =>
      PAGE_SHIFTS.flatMap((pageShift) =>
        [false, true].map((lpa2) => ({ algorithm, pageShift, lpa2 })),
      ),
    );
    for (const encoding of base) {
      for (let page = 0; page < 16; page += 1) {
        for (let length = 1; length <= 4096; length += 1) {
          const { singles, ranges } = countByEncoding(encoding, page, length);
          const isRight =
            countRangeSingles(encoding, page, length) === singles &&
            countRangeTotal(encoding, page, length) === singles + ranges;
          if (!isRight) wrong.push(`${JSON.stringify(encoding)} ${page} ${length}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("covers exactly the range, in order and without overlap, unless the operand is corrupt", () => {
    const property = fc.property(anyEncoding, anyPage, anyLength, (encoding, page, length) => {
      const sound = { ...encoding, bug2048k: false };
      let nextPage = page;
      encodeRange(sound, page, length, {
        single: (at) => {
          expect(at).toBe(nextPage);
          nextPage += 1;
        },
        range: (at, scale, num, pages) => {
          expect(at).toBe(nextPage);
          expect(scale >= 0 && scale <= 3 && num >= 0 && num <= 31).toBe(true);
          expect(pages).toBe((num + 1) * 2 ** (5 * scale + 1));
          if (usesLpa2Base(sound)) expect((at * 2 ** sound.pageShift) % 65536).toBe(0);
          nextPage += pages;
        },
      });
      expect(nextPage).toBe(page + length);
    });
    fc.assert(property, { seed: 20240415, numRuns: 10_000 });
    expect.hasAssertions();
  });

  it("descending equals clamped below 2^21 pages, and ascending counts as they do", () => {
    const property = fc.property(anyEncoding, anyPage, anyLength, (encoding, page, length) => {
      fc.pre(length < MAX_RANGE_PAGES);
      const clamped: RangeEncoding = { ...encoding, algorithm: "clamped", lpa2: false };
      const descending: RangeEncoding = { ...clamped, algorithm: "descending" };
      const ascending: RangeEncoding = { ...clamped, algorithm: "ascending" };
      expect(describeOps(descending, page, length)).toBe(describeOps(clamped, page, length));
      const counts = countRangeOps(clamped, page, length);
      expect(countRangeOps(ascending, page, length)).toEqual(counts);
    });
    fc.assert(property, { seed: 20240416, numRuns: 2000 });
    expect.hasAssertions();
  });
});

describe("refused input", () => {
  const sink = { single: () => {}, range: () => {} };
  it.each([
    [0, 0],
    [0, -1],
    [0, 1.5],
    [0, Number.NaN],
    [0, MAX_RANGE_PAGES + 1],
    [-1, 1],
    [0.5, 1],
    [IPA_PAGE_LIMIT, 1],
    [IPA_PAGE_LIMIT - 1, 2],
  ])("page %d, %d pages", (ipaPage, lenPages) => {
    expect(() => encodeRange(CLAMPED_4K, ipaPage, lenPages, sink)).toThrow(RangeError);
    expect(() => countRangeTotal(CLAMPED_4K, ipaPage, lenPages)).toThrow(RangeError);
    expect(() => countRangeSingles(CLAMPED_4K, ipaPage, lenPages)).toThrow(RangeError);
  });

  it("takes the last page of the IPA space", () => {
    expect(countRangeTotal(CLAMPED_4K, IPA_PAGE_LIMIT - 1, 1)).toBe(1);
  });
});
