import * as fc from "fast-check";
import { expect, it } from "vitest";
import { PageKeys } from "./page-keys.ts";

it("gives every translation a key of its own that tells it again and keeps its low bits", () => {
  const translation = fc.record({
    space: fc.integer({ min: 0, max: 65535 }),
    size: fc.integer({ min: 0, max: 7 }),
    page: fc.oneof(fc.integer({ min: 0, max: 9000 }), fc.integer({ min: 0, max: 2 ** 40 - 1 })),
  });
  const property = fc.property(fc.array(translation, { minLength: 1, maxLength: 200 }), (all) => {
    const keys = new PageKeys();
    const seen = new Map<number, string>();
    for (const { space, size, page } of [...all, ...all]) {
      const key = keys.keyOf(space, size, page);
      const name = `${space} ${size} ${page}`;
      expect(seen.get(key) ?? name).toBe(name);
      seen.set(key, name);
      expect([keys.spaceOf(key), keys.sizeOf(key), keys.pageOf(key)]).toEqual([space, size, page]);
      expect(key % 4096).toBe(page % 4096);
      expect(key | 0).toBe(key);
    }
  });
  fc.assert(property, { seed: 1, numRuns: 200 });
});

it("knows whether a region's keys were given out, without giving out any", () => {
  const keys = new PageKeys();
  expect(keys.knownKeyOf(3, 0, 5000)).toBe(-1);
  const key = keys.keyOf(3, 0, 5000);
  expect([keys.knownKeyOf(3, 0, 5000), keys.knownKeyOf(3, 0, 5001)]).toEqual([key, key + 1]);
  expect([keys.knownKeyOf(3, 0, 4095), keys.knownKeyOf(3, 1, 5000)]).toEqual([-1, -1]);
});
