import { expect, it } from "vitest";

import { Diagnostics } from "../../diagnostics.ts";
import { DatProblems } from "./dat-problems.ts";

it("tells of a gap for every event that cannot be used, not only for those given as examples", () => {
  const diagnostics = new Diagnostics("trace.dat");
  const problems = new DatProblems(diagnostics);
  // Every second record: neighbours would be one gap.
  for (let record = 2; record <= 200; record += 2) {
    problems.note("BAD_NUMBER", `value ${record}`, 0, record);
  }
  for (let record = 302; record <= 400; record += 2) {
    problems.remark("MISSING_ARGUMENT", "the same", 0, record);
  }
  problems.remark("UNKNOWN_ARGUMENT", "no loss", 0, 500);
  const gaps: number[] = [];
  while (diagnostics.nextGapLine < Infinity) {
    gaps.push(diagnostics.nextGapLine);
    diagnostics.passGaps(diagnostics.nextGapLine + 1);
  }
  expect(gaps).toEqual([
    ...Array.from({ length: 100 }, (_, i) => 2 * i + 2),
    ...Array.from({ length: 50 }, (_, i) => 2 * i + 302),
  ]);
  expect(diagnostics.count("BAD_NUMBER")).toBe(100);
});
