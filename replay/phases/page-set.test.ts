import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ones, PageSet } from "./page-set.ts";

describe("PageSet", () => {
  it("holds what a set of numbers holds, whatever is added and taken out", () => {
    const page = fc.oneof(
      fc.integer({ min: 0, max: 200 }),
      fc.integer({ min: 32_700, max: 98_400 }),
    );
    const step = fc.oneof(
      fc.record({ do: fc.constant("add" as const), page }),
      fc.record({ do: fc.constant("delete" as const), page }),
      fc.record({
        do: fc.constant("range" as const),
        page,
        pages: fc.integer({ min: 0, max: 70_000 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const set = new PageSet();
        const model = new Set<number>();
        for (const one of steps) {
          if (one.do === "add") {
            expect(set.add(one.page)).toBe(!model.has(one.page));
            model.add(one.page);
          } else if (one.do === "delete") {
            set.delete(one.page);
            model.delete(one.page);
          } else {
            set.deleteRange(one.page, one.page + one.pages);
            for (const held of model) {
              if (held >= one.page && held < one.page + one.pages) model.delete(held);
            }
          }
          expect(set.size).toBe(model.size);
        }
        for (const held of model) expect(set.has(held)).toBe(true);
      }),
    );
  });

  it("takes pages of the last of 52 bits", () => {
    const set = new PageSet();
    const last = 2 ** 40 - 1;
    expect(set.add(last)).toBe(true);
    expect(set.has(last)).toBe(true);
    expect(set.has(last - 2 ** 32)).toBe(false);
    set.clear();
    expect(set.size).toBe(0);
  });

  it("counts bits", () => {
    for (const [word, count] of [
      [0, 0],
      [1, 1],
      [-1, 32],
      [0x8000_0000, 1],
      [0x0f0f_0f0f, 16],
    ] as const) {
      expect(ones(word)).toBe(count);
    }
  });
});
