import { describe, expect, it } from "vitest";
import { TraceError } from "../ingest/errors.ts";
import { suggest } from "../replay/policies/suggest.ts";
import { address, choice, list, repeated, single, wholeNumber } from "./values.ts";

/** The error of a refused value, as the user sees it. */
function refusal(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof TraceError)) throw error;
    expect(error.code).toBe("BAD_OPTION");
    return `${error.where}: ${error.message}`;
  }
  throw new Error("the value was accepted");
}

describe("a single value", () => {
  it("is trimmed, not empty and not repeated", () => {
    expect(single("out", " a ")).toBe("a");
    expect(refusal(() => single("out", " "))).toBe("--out: needs a value");
    expect(refusal(() => single("out", ["a", "a"]))).toBe("--out: is given 2 times, not once");
    expect(repeated("flag", ["a", "b"])).toEqual(["a", "b"]);
  });
});

describe("a list", () => {
  it("has no empty and no repeated item", () => {
    expect(list("policy", "a, b,c")).toEqual(["a", "b", "c"]);
    expect(refusal(() => list("policy", "a,,b"))).toContain("empty item");
    expect(refusal(() => list("policy", "a,b,a"))).toBe("--policy: names 'a' twice");
  });
});

describe("a choice", () => {
  it("is one of the names, and a near miss is recognised", () => {
    expect(choice("format", "csv", ["csv", "json"])).toBe("csv");
    expect(refusal(() => choice("format", "cvs", ["csv", "json"]))).toBe(
      "--format: 'cvs' is not one of csv, json",
    );
  });
});

describe("a whole number", () => {
  it("is decimal, within bounds and exact", () => {
    expect(wholeNumber("ipa-bits", "40", 32, 52)).toBe(40);
    expect(wholeNumber("seed", "9007199254740991", 0, Number.MAX_SAFE_INTEGER)).toBe(2 ** 53 - 1);
  });

  it.each(["", "abc", "NaN", "0x28", "4e1", "40.0", "-40", "+40", "31", "53", "9".repeat(40)])(
    "is not %j",
    (text) => {
      expect(refusal(() => wholeNumber("ipa-bits", text, 32, 52))).toMatch(/^--ipa-bits: /);
    },
  );

  it("does not round up to the bound", () => {
    const max = Number.MAX_SAFE_INTEGER;
    expect(refusal(() => wholeNumber("seed", "9007199254740993", 0, max))).toContain("not a whole");
  });
});

describe("an address", () => {
  it("keeps all 64 bits", () => {
    expect(address("at", "0xffff800000000001")).toBe(0xffff800000000001n);
    expect(address("at", "18446744073709551615")).toBe(2n ** 64n - 1n);
    expect(refusal(() => address("at", "0x10000000000000000"))).toContain("64 bits");
  });

  it.each(["", "0x", "80000000h", "ffff", "-1", "1.5", "1e3"])("is not %j", (text) => {
    expect(refusal(() => address("at", text))).toMatch(/^--at: /);
  });
});

describe("suggest", () => {
  it("finds the nearest name and leaves strangers alone", () => {
    const names = ["analyze", "verify", "encode", "generate", "page-size", "cpu"];
    expect(suggest("analyse", names)).toBe("analyze");
    expect(suggest("Verfy", names)).toBe("verify");
    expect(suggest("pgsize", names)).toBe("page-size");
    expect(suggest("zzz", names)).toBeUndefined();
    expect(suggest("", names)).toBeUndefined();
  });
});
