import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countDsbs, countInstructions, countTlbis, indexOfInstruction } from "./instructions.ts";
import type { PrimitiveCall, RepeatTlbi } from "./instructions.ts";
import { listInstructions } from "./listing.ts";
import { INSTRUCTIONS, PRIMITIVES, Primitive } from "./primitives.ts";
import { countRangeCalls, rangeCallPages } from "./range-calls.ts";
import type { RangeEncoding } from "./range-encoder.ts";

const ENCODING: RangeEncoding = { algorithm: "clamped", pageShift: 12, lpa2: false };
const CALL: PrimitiveCall = { encoding: ENCODING, ipaPage: 0x40000, lenPages: 127 };

function names(primitive: number, call: PrimitiveCall): string[] {
  return listInstructions(primitive, call).map((row) => row.instruction);
}

function counted(primitive: number, call: PrimitiveCall, calls?: number): Float64Array {
  const into = new Float64Array(INSTRUCTIONS.length);
  countInstructions(primitive, call, into, calls);
  return into;
}

describe("listInstructions", () => {
  it.each([
    ["VM", ["vmalls12e1is"]],
    ["IPA", ["ipas2e1is", "vmalle1is"]],
    ["IPA_LOCAL", ["ipas2e1", "vmalle1"]],
    ["RANGE", ["ripas2e1is", "ripas2e1is", "ipas2e1is", "vmalle1is"]],
    ["CPU", ["vmalle1"]],
    ["ALL", ["alle1is"]],
  ] as const)("%s", (primitive, instructions) => {
    expect(names(Primitive[primitive], CALL)).toEqual(instructions);
  });

  it("gives the operands, with the hint of IPA and IPA_LOCAL but never of RANGE", () => {
    const call = { ...CALL, hintLevel: 3 };
    expect(listInstructions(Primitive.IPA, call)[0]?.operand).toBe(0x700000040000n);
    expect(listInstructions(Primitive.IPA_LOCAL, call)[0]?.operand).toBe(0x700000040000n);
    expect(listInstructions(Primitive.IPA, CALL)[0]?.operand).toBe(0x40000n);
    const operands = listInstructions(Primitive.RANGE, call).map((row) => row.operand);
    expect(operands).toEqual([0x500000040000n, 0x4f0000040040n, 0x4007en, 0n]);
  });

  it("issues singles only for the 2020 RFC", () => {
    const rows = listInstructions(Primitive.RANGE, { ...CALL, lenPages: 3, singlesOnly: true });
    expect(rows.map((row) => row.ipaPage)).toEqual([0x40000, 0x40001, 0x40002, null]);
    expect(rows.map((row) => row.instruction).join(" ")).toBe(
      "ipas2e1is ipas2e1is ipas2e1is vmalle1is",
    );
  });

  it("says that an operand is corrupt", () => {
    const encoding: RangeEncoding = { ...ENCODING, algorithm: "ascending" };
    const call = { ...CALL, encoding, lenPages: 2 ** 21 };
    const [row] = listInstructions(Primitive.RANGE, call);
    expect(row).toMatchObject({ operand: 0x400000040000n, scale: 4, num: 0, pages: 2 });
    expect(row?.note).toBe("corrupt operand (CVE-2024-35980): it names 2 of 2097152 pages");
    const other = { ...call, encoding: { ...encoding, pageShift: 14 as const } };
    expect(listInstructions(Primitive.RANGE, other)[0]?.note).toBe(
      "corrupt operand (CVE-2024-35980): it names another granule",
    );
  });
});

describe("REPEAT_TLBI", () => {
  it("repeats every instruction on older kernels", () => {
    const call: PrimitiveCall = { ...CALL, repeatTlbi: "twice" };
    expect(names(Primitive.IPA, call)).toEqual([
      "ipas2e1is",
      "ipas2e1is",
      "vmalle1is",
      "vmalle1is",
    ]);
    expect(names(Primitive.CPU, call)).toEqual(["vmalle1", "vmalle1"]);
    expect(countDsbs(Primitive.IPA, call)).toBe(5);
    expect(countDsbs(Primitive.RANGE, call)).toBe(7);
    expect(countDsbs(Primitive.CPU, call)).toBe(2);
  });

  it("adds one vale2is where broadcast stage-1 invalidation completes on recent ones", () => {
    const call: PrimitiveCall = { ...CALL, repeatTlbi: "vale2is-per-sync" };
    const added = PRIMITIVES.map(
      (name) => counted(Primitive[name], call)[indexOfInstruction("vale2is")],
    );
    expect(added).toEqual([1, 1, 0, 1, 0, 1]);
    expect(names(Primitive.IPA, call)).toEqual(["ipas2e1is", "vmalle1is", "vale2is"]);
    expect(PRIMITIVES.map((name) => countDsbs(Primitive[name], call))).toEqual([3, 4, 3, 4, 1, 3]);
  });
});

describe("countInstructions", () => {
  it("counts what is listed", () => {
    const anyCall: fc.Arbitrary<PrimitiveCall> = fc.record({
      encoding: fc.record({
        algorithm: fc.constantFrom("ascending", "descending", "clamped"),
        pageShift: fc.constantFrom(12, 14, 16),
        lpa2: fc.boolean(),
      }),
      ipaPage: fc.nat(1000),
      lenPages: fc.oneof(fc.integer({ min: 1, max: 700 }), fc.constant(2 ** 9)),
      singlesOnly: fc.boolean(),
      repeatTlbi: fc.constantFrom<RepeatTlbi>("none", "twice", "vale2is-per-sync"),
    });
    const property = fc.property(
      fc.nat(5),
      anyCall,
      fc.integer({ min: 1, max: 9 }),
      (primitive, call, calls) => {
        const rows = listInstructions(primitive, call);
        const wanted = new Float64Array(INSTRUCTIONS.length);
        for (const row of rows) {
          const index = indexOfInstruction(row.instruction);
          wanted[index] = (wanted[index] ?? 0) + calls;
        }
        expect(counted(primitive, call, calls)).toEqual(wanted);
        expect(countTlbis(primitive, call)).toBe(rows.length);
      },
    );
    fc.assert(property, { seed: 9, numRuns: 3000 });
    expect.hasAssertions();
  });

  it("adds to what is there", () => {
    const into = new Float64Array(INSTRUCTIONS.length).fill(10);
    countInstructions(Primitive.RANGE, CALL, into, 2);
    expect([...into]).toEqual([10, 12, 14, 12, 10, 10, 10, 10]);
  });

  it("knows the DSBs of each call", () => {
    expect(PRIMITIVES.map((name) => countDsbs(Primitive[name], CALL))).toEqual([2, 3, 3, 3, 1, 2]);
  });

  it("refuses unknown codes and lengths", () => {
    const into = new Float64Array(INSTRUCTIONS.length);
    for (const bad of [-1, 6, 0.5]) {
      expect(() => countInstructions(bad, CALL, into)).toThrow(RangeError);
      expect(() => listInstructions(bad, CALL)).toThrow(RangeError);
      expect(() => countTlbis(bad, CALL)).toThrow(RangeError);
      expect(() => countDsbs(bad, CALL)).toThrow(RangeError);
    }
    for (const singlesOnly of [false, true]) {
      const call = { ...CALL, lenPages: 0, singlesOnly };
      expect(() => countInstructions(Primitive.RANGE, call, into)).toThrow(RangeError);
      expect(() => listInstructions(Primitive.RANGE, call)).toThrow(RangeError);
    }
    expect([...into].every((count) => count === 0)).toBe(true);
  });
});

describe("calls of one flush", () => {
  it.each([
    [0, 0],
    [1, 1],
    [2 ** 21, 1],
    [2 ** 21 + 1, 2],
    [192 * 2 ** 18, 24],
  ])("%i pages", (lenPages, calls) => {
    expect(countRangeCalls(lenPages)).toBe(calls);
    let sum = 0;
    for (let i = 0; i < calls; i += 1) sum += rangeCallPages(lenPages, i);
    expect(sum).toBe(lenPages);
  });
});
