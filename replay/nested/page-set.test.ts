import * as fc from "fast-check";
import { expect, it } from "vitest";
import { PageSet } from "./page-set.ts";

const range = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 9 }))
  .map(([start, length]) => [start, start + length] as const);

it("holds what a set of pages holds", () => {
  fc.assert(
    fc.property(fc.array(range), fc.array(range), (added, asked) => {
      const ranges = new PageSet();
      const pages = new Set<number>();
      for (const [start, end] of added) {
        ranges.add(start, end);
        for (let page = start; page < end; page += 1) pages.add(page);
      }
      for (const [start, end] of asked) {
        const expected = [...pages].some((page) => page >= start && page < end);
        expect(ranges.overlaps(start, end)).toBe(expected);
      }
    }),
  );
});
