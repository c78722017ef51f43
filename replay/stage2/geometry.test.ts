import { describe, expect, it } from "vitest";
import { geometryOf, minBlockBytes, pageShiftOf, startLevelOf, tablesUnder } from "./geometry.ts";

describe("geometry", () => {
  it.each([
    [40, 12, 1],
    [48, 12, 0],
    [39, 12, 1],
    [32, 12, 2],
    [43, 12, 1],
    [44, 12, 0],
    [40, 14, 2],
    [48, 14, 1],
    [40, 16, 2],
    [52, 16, 1],
  ] as const)("a VM of %i bits with page shift %i starts at level %i", (bits, shift, level) => {
    expect(startLevelOf(bits, shift)).toBe(level);
  });

  it("pieces are 1 GiB, 32 MiB and 512 MiB", () => {
    expect([12, 14, 16].map((s) => minBlockBytes(geometryOf(s as 12)) / 2 ** 20)).toEqual([
      1024, 32, 512,
    ]);
  });

  it("knows three page sizes", () => {
    expect([4096, 16_384, 65_536, 8192].map(pageShiftOf)).toEqual([12, 14, 16, undefined]);
  });

  it.each([
    [12, [512 * 512 + 512 + 1, 513, 1, 0]],
    [14, [2048 * 2048 + 2048 + 1, 2049, 1, 0]],
  ] as const)(
    "an entry has so many tables below it, with page shift %i, by level: %j",
    (shift, tables) => {
      expect([0, 1, 2, 3].map((level) => tablesUnder(geometryOf(shift), level))).toEqual(tables);
    },
  );
});
