import path from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partitionPath, refuseTooMany } from "./partition.ts";

const one = (value: string | null): string => partitionPath(["host_model"], { host_model: value });

describe("partitionPath", () => {
  it("names folders as Hive does", () => {
    const values = { host_model: "Altra Max", vm_type: null, kernel: "6.12.1-arm64" };
    expect(partitionPath(["host_model", "vm_type", "kernel"], values)).toBe(
      "host_model=Altra%20Max/vm_type=__HIVE_DEFAULT_PARTITION__/kernel=6.12.1-arm64",
    );
    expect(partitionPath([], values)).toBe("");
  });

  it.each([
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    "a/../..",
    "a\\..\\b",
    "C:\\x",
    "x\0y",
    "a\nb",
    "*?<>|",
  ])("leads nowhere for %j", (value) => {
    const folder = one(value);
    expect(folder).toMatch(/^host_model=[A-Za-z0-9_.%-]+$/);
    expect(decodeURIComponent(folder)).toBe(`host_model=${value}`);
  });

  it("is one folder below, and a folder of its own for every value", () => {
    const text = fc.string({ unit: "binary", maxLength: 300 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const folder = one(a);
        expect(path.dirname(path.resolve("/out", folder))).toBe("/out");
        expect(Buffer.byteLength(folder)).toBeLessThan(255);
        expect(one(b) === folder).toBe(a === b);
      }),
      { numRuns: 500 },
    );
  });

  it("refuses more parts than can be open", () => {
    expect(() => refuseTooMany(256)).not.toThrow();
    expect(() => refuseTooMany(257)).toThrow(/more than 256 parts/);
  });
});
