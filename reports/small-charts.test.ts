import { describe, expect, it } from "vitest";
import { formatBars, formatSparklines } from "./small-charts.ts";

const ROW = { path: "unmap", primitive: "IPA", dsb: 0, pages: 0, unknown_calls: 0 } as const;
const FLUSHES = [
  { ...ROW, policy: "a", calls: 1, tlbi: 160 },
  { ...ROW, policy: "longer", calls: 1, tlbi: 20 },
];

function at(start_ns: number, tlbi: number): object {
  return { ...ROW, policy: "a", start_ns, bin_ns: 1e9, calls: 1, tlbi };
}

describe("small drawings on a terminal", () => {
  it("draws bars in proportion, to eighths of a cell, aligned", () => {
    const text = formatBars(FLUSHES, ["a", "longer", "none"], { width: 44 });
    expect(text.split("\n").slice(2)).toEqual([
      `a       ${"█".repeat(16)} 160`,
      "longer  ██ 20",
      "none    ▏ 0",
      "",
    ]);
  });

  it("fits into a narrow terminal", () => {
    for (const width of [40, 60, 100]) {
      for (const line of formatBars(FLUSHES, ["a", "longer"], { width }).split("\n")) {
        expect(line.length).toBeLessThanOrEqual(width);
      }
    }
  });

  it("draws nothing where there is nothing to compare", () => {
    expect(formatBars([], ["a", "b"], {})).toBe("");
    expect(formatBars(FLUSHES, ["a"], {})).toBe("");
    expect(formatSparklines([], ["a"], {})).toBe("");
  });

  it("draws time from left to right, highest where most is", () => {
    const rows = [at(0, 8), at(9e9, 1)] as Parameters<typeof formatSparklines>[0];
    const text = formatSparklines(rows, ["a"], { width: 33 });
    expect(text).toBe("\nTLBI instructions over time (a mark is 1 s)\na  █        ▁  at most 8\n");
  });
});
