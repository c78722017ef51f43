import { describe, expect, it } from "vitest";

import { readProbeDefinition, readProbeDefinitions } from "./probe-definitions.ts";

describe("a probe definition", () => {
  const cases: readonly (readonly [string, object | undefined])[] = [
    [
      "p:kvm_s2/map kvm_pgtable_stage2_map pgt=%x0:x64 mmu=+24(%x0):x64",
      {
        group: "kvm_s2",
        name: "map",
        symbol: "kvm_pgtable_stage2_map",
        isReturn: false,
        offset: 0,
      },
    ],
    ["p:map kvm_pgtable_stage2_map", { group: undefined, name: "map" }],
    ["p:g/a kvm:some_function+0x10", { symbol: "some_function", offset: 16 }],
    ["p:g/a some_function+32", { offset: 32 }],
    ["p:g/a some_function.isra.0", { symbol: "some_function.isra.0" }],
    ["p:g/a some_function%return ret=$retval", { isReturn: true }],
    ["r64:g/a_ret some_function ret=$retval:s32", { name: "a_ret", isReturn: true }],
    ["r:g/a_ret some_function", { isReturn: true }],
    ["f:g/a some_function", { symbol: "some_function", isReturn: false }],
    ["f:g/a some_function%return", { isReturn: true }],
    ["p some_function", { name: "p_some_function_0" }],
    ["r some_function", { name: "r_some_function_0", isReturn: true }],
    ["f some_function%return", { name: "some_function__exit" }],
    ["p:g/u /usr/bin/sh:0x00000000000123 ip=%ip", { name: "u", symbol: undefined }],
    ["  p:g/a   some_function  ", { symbol: "some_function" }],
    ["", undefined],
    ["# p:g/a some_function", undefined],
    ["ABSENT kvm_set_spte_gfn", undefined],
    ["t:g/a kvm_entry", undefined],
    ["e:g/a kvm/kvm_entry", undefined],
    ["p:g/a 0xffff800080000000", undefined],
    ["probe:g/a some_function", undefined],
  ];
  for (const [line, expected] of cases) {
    it(`is read: ${line}`, () => {
      const found = readProbeDefinition(line);
      if (expected === undefined) expect(found).toBeUndefined();
      else expect(found).toMatchObject(expected);
    });
  }
});

describe("a probe list", () => {
  it("finds by name, and by group where the trace prints one", () => {
    const list = readProbeDefinitions(["p:a/map one", "p:b/map two", "p:map three", "junk"]);
    const symbols = (group?: string): unknown => list.of("map", group).map(({ symbol }) => symbol);
    expect(list.count).toBe(3);
    expect(symbols()).toEqual(["one", "two", "three"]);
    expect(symbols("b")).toEqual(["two", "three"]);
    expect(list.of("unmap", undefined)).toEqual([]);
  });
});
