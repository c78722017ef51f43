import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { median, medianRatio, relativeResidual, theilSenLine } from "./robust-line.ts";

describe("theilSenLine", () => {
  it("is the hand-computed median of the pairwise slopes, with Sen's interval", () => {
    const points = [
      { x: 0, y: 1 },
      { x: 1, y: 2 },
      { x: 2, y: 5 },
      { x: 3, y: 7 },
      { x: 4, y: 9 },
    ];
    // 01:1 02:2 03:2 04:2 12:3 13:2.5 14:7/3 23:2 24:2 34:2 → sorted 1 2 2 2 2 2 2 7/3 2.5 3
    const line = theilSenLine(points)!;
    expect(line.slope).toBe(2);
    // y − 2x: 1 0 1 1 1
    expect(line.offset).toBe(1);
    // C = 1.6449·√(5·4·15/18) = 6.715: from the ⌊(10−6.715)/2⌋ = 1st to the ⌈(10+6.715)/2⌉ + 1 = 10th.
    expect(line.low).toBe(1);
    expect(line.high).toBe(3);
  });

  it("is exact for points on a line, whatever two of nine wild ones say", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1000, max: 1000 }),
        fc.integer({ min: -1000, max: 1000 }),
        fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 2, maxLength: 2 }),
        (slope, offset, wild) => {
          const points = Array.from({ length: 9 }, (_, x) => ({ x, y: offset + slope * x }));
          points[3] = { x: 3, y: wild[0]! };
          points[6] = { x: 6, y: wild[1]! };
          const line = theilSenLine(points)!;
          // Two of nine touch 15 of 36 pairs: the median stays among the 21 others.
          expect(line.slope).toBeCloseTo(slope, 9);
          expect(line.offset).toBeCloseTo(offset, 9);
        },
      ),
    );
  });

  it("has no interval for few points, and no slope for one x", () => {
    expect(
      theilSenLine([
        { x: 1, y: 1 },
        { x: 2, y: 3 },
      ]),
    ).toEqual({ slope: 2, offset: -1, low: undefined, high: undefined });
    expect(
      theilSenLine([
        { x: 1, y: 1 },
        { x: 1, y: 3 },
      ]),
    ).toBeUndefined();
    expect(theilSenLine([])).toBeUndefined();
  });
});

describe("medianRatio", () => {
  it("leaves out points without work", () => {
    expect(
      medianRatio([
        { x: 0, y: 9 },
        { x: 2, y: 4 },
        { x: 1, y: 3 },
        { x: 4, y: 4 },
      ]),
    ).toEqual({ ratio: 2, least: 1, greatest: 3 });
    expect(medianRatio([{ x: 0, y: 9 }])).toBeUndefined();
  });
});

it("medians of an even and an odd number", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

it("relativeResidual is the root mean square over the mean", () => {
  // Residuals 3 and −4: √(25/2) over 10.
  expect(
    relativeResidual(
      [
        { x: 0, y: 8 },
        { x: 1, y: 12 },
      ],
      [5, 16],
    ),
  ).toBeCloseTo(Math.sqrt(12.5) / 10, 12);
});
