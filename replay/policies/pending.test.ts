import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnmapScope } from "./pending.ts";

const SPAN = 8;

/** The runs, entry by entry. */
function entriesOf(scope: UnmapScope): [number, boolean][] {
  return scope.entries.flatMap((first, at) =>
    Array.from({ length: scope.entryCounts[at]! }, (_, i): [number, boolean] => [
      first + i,
      scope.isEntryCertain[at]!,
    ]),
  );
}

describe("UnmapScope", () => {
  it("keeps each entry once, certain if anything certain was in it, whatever the removals", () => {
    const removal = fc.record({
      gap: fc.nat(3 * SPAN),
      pages: fc.integer({ min: 1, max: 5 * SPAN }),
      isCertain: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(removal, { maxLength: 12 }), (removals) => {
        const scope = new UnmapScope();
        const expected = new Map<number, boolean>();
        let page = 0;
        for (const { gap, pages, isCertain } of removals) {
          page += gap;
          scope.remove(page, page + pages, SPAN, isCertain);
          for (let at = page; at < page + pages; at += 1) {
            const entry = Math.floor(at / SPAN);
            expected.set(entry, isCertain || expected.get(entry) === true);
          }
          page += pages;
        }
        expect(entriesOf(scope)).toEqual([...expected]);
      }),
    );
  });

  it("holds unknown entries as one run, however many: 2^38 pages of 16 KiB by 32 MiB", () => {
    const scope = new UnmapScope();
    scope.remove(0, 2 ** 38, 2048, false);
    expect(scope.entries).toEqual([0]);
    expect(scope.entryCounts).toEqual([2 ** 27]);
  });
});
