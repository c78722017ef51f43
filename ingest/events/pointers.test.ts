import * as fc from "fast-check";
import { expect, it } from "vitest";

import { PointerTable } from "./pointers.ts";

it("gives equal pointers equal ids, as a Map would", () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt(0n, (1n << 64n) - 1n), { maxLength: 400 }), (pointers) => {
      const table = new PointerTable();
      const model = new Map<bigint, number>();
      for (const pointer of [...pointers, ...pointers]) {
        const expected = pointer === 0n ? 0 : (model.get(pointer) ?? model.size + 1);
        if (pointer !== 0n) model.set(pointer, expected);
        expect(table.intern(Number(pointer >> 32n), Number(pointer & 0xffff_ffffn))).toBe(expected);
      }
      expect(table.count).toBe(model.size);
      for (const [pointer, id] of model) expect(table.value(id)).toBe(pointer);
    }),
  );
});

it("keeps ids while it grows and prints pointers as the kernel does", () => {
  const table = new PointerTable();
  for (let i = 1; i <= 5000; i += 1) expect(table.intern(0xffff8000, i)).toBe(i);
  expect(table.intern(0xffff8000, 77)).toBe(77);
  expect(table.text(77)).toBe("0xffff80000000004d");
  expect(table.text(0)).toBe("0x0");
});
