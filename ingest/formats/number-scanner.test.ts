import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { NumberScanner } from "./number-scanner.ts";

const scanner = new NumberScanner();

function scan(text: string): { value: bigint; stop: number } {
  const bytes = Buffer.from(text, "latin1");
  const stop = scanner.scan(bytes, 0, bytes.length);
  return { stop, value: (BigInt(scanner.high >>> 0) << 32n) | BigInt(scanner.low >>> 0) };
}

describe("NumberScanner", () => {
  it("reads any 64-bit number exactly in both bases", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, (1n << 64n) - 1n), (value) => {
        const hex = `0x${value.toString(16)}`;
        expect(scan(hex)).toEqual({ value, stop: hex.length });
        expect(scan(String(value))).toEqual({ value, stop: String(value).length });
      }),
    );
  });

  it("reads negative numbers as two's complement", () => {
    expect(scan("-1").value).toBe(0xffff_ffff_ffff_ffffn);
    expect(scan("-12").value).toBe(0xffff_ffff_ffff_fff4n);
    expect(scan("-4294967296").value).toBe(0xffff_ffff_0000_0000n);
    expect(scan("-140735301562368").value).toBe(0xffff_8000_8257_d000n);
    expect(scan("-9223372036854775808").value).toBe(0x8000_0000_0000_0000n);
  });

  it("refuses what is no number or does not fit 64 bits", () => {
    for (const text of [
      "",
      "x",
      "0x",
      "-",
      "0xg",
      "18446744073709551616",
      "0x10000000000000000",
      "-9223372036854775809",
    ]) {
      expect(scan(text).stop, text).toBe(-1);
    }
  });

  it("stops behind the number", () => {
    expect(scan("12 34").stop).toBe(2);
    expect(scan("0x1f rest").stop).toBe(4);
  });

  it("gives a quantity only where a double holds it", () => {
    scan("9007199254740991");
    expect(scanner.quantity()).toBe(9007199254740991);
    scan("9007199254740992");
    expect(scanner.quantity()).toBeNaN();
  });
});
