import { describe, expect, it } from "vitest";
import { Dirtied, DirtyPages } from "./dirty-pages.ts";

describe("DirtyPages", () => {
  it("makes a page dirty again only after its bit of a mask was cleared, in both halves", () => {
    for (let bit = 0; bit < 64; bit += 1) {
      const pages = new DirtyPages(0, 1e9);
      for (let page = 0; page < 64; page += 1)
        expect(pages.write(640 + page, page)).toBe(Dirtied.ever);
      const [low, high] = bit < 32 ? [(1 << bit) >>> 0, 0] : [0, (1 << (bit - 32)) >>> 0];
      pages.clearWord(640, low, high, 100, 1);
      const again = Array.from({ length: 64 }, (_, page) => pages.write(640 + page, 200));
      expect(
        again
          .map((outcome, page) => [page, outcome])
          .filter(([, outcome]) => outcome !== Dirtied.again),
      ).toEqual([[bit, Dirtied.inPass]]);
    }
  });

  it("keeps its sums when nothing more is to come", () => {
    const pages = new DirtyPages(0, 10);
    pages.beginPass(0);
    pages.write(5, 1);
    pages.write(6, 12);
    pages.clearRange(0, 100);
    pages.write(5, 13);
    pages.seal();
    expect(pages.workingSetPages).toBe(2);
    expect(
      pages
        .intervals(20)
        .map(({ dirtiedPages, newlyDirtiedPages }) => [dirtiedPages, newlyDirtiedPages]),
    ).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(pages.passCurves().map((curve) => [...curve.pages])).toEqual([[1, 2, 3]]);
  });
});
