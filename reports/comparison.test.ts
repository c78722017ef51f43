import { describe, expect, it } from "vitest";
import { formatComparison } from "./comparison.ts";
import { FLUSH_ROWS } from "./sample-rows.test.data.ts";

describe("formatComparison", () => {
  it("shows totals and then the calls, recorded last", () => {
    expect(formatComparison(FLUSH_ROWS)).toMatchInlineSnapshot(`
      "Totals per policy (× recorded: how many times as many as the trace recorded)
      policy       calls  unknown calls  × recorded  TLBI instructions  × recorded  DSB instructions
      range-6.9       19            +≤2  0.950–1.05                 54      ≥0.964                57
      legacy-5.8  98,305              0       4,915            196,609       3,511           294,914
      recorded        20              0        1.00                 56        1.00                60

      Calls per path and primitive (+≤n: at most n more, which the trace cannot decide)
      path      primitive  range-6.9  legacy-5.8  recorded
      unmap     IPA                0      98,304         0
      unmap     RANGE             12           0        12
      teardown  VM                 0           1         0
      collapse  IPA            7 +≤2           0         8
      "
    `);
  });

  it("keeps the order asked for and shows a policy that issues nothing", () => {
    const text = formatComparison(FLUSH_ROWS, {
      policies: ["ideal", "legacy-5.8", "range-6.9", "recorded"],
    });
    const firsts = text.split("\n").map((line) => line.split(" ")[0]);
    expect(firsts.slice(2, 6)).toEqual(["ideal", "legacy-5.8", "range-6.9", "recorded"]);
    expect(text).toMatch(/^ideal +0 +0 +0 +0 +0 +0$/m);
    expect(text).toMatch(/^unmap +RANGE +0 +0 +12 +12$/m);
  });

  it("gives no ratio where nothing was recorded", () => {
    const text = formatComparison(FLUSH_ROWS.filter((row) => row.policy !== "recorded"));
    expect(text).toMatch(/^range-6.9 +19 +\+≤2 +— +54 +— +57$/m);
    expect(text).not.toMatch(/^recorded/m);
  });

  it("turns ratios into bounds where recorded calls are in doubt", () => {
    const doubtful = FLUSH_ROWS.map((row) =>
      row.policy === "recorded" && row.path === "collapse" ? { ...row, unknown_calls: 5 } : row,
    );
    const text = formatComparison(doubtful);
    expect(text).toMatch(/^range-6.9 +19 +\+≤2 +0.760–1.05 +54 +— +57$/m);
    expect(text).toMatch(/^legacy-5.8 +98,305 +0 +3,932–4,915 +196,609 +≤3,511 +294,914$/m);
    expect(text).toMatch(/^recorded +20 +\+≤5 +1.00 +56 +1.00 +60$/m);
  });

  it("says so where there is nothing", () => {
    expect(formatComparison([], { policies: ["ideal"] })).toContain("no invalidation in any");
  });

  it("fits the terminal", () => {
    const text = formatComparison(FLUSH_ROWS, { width: 60 });
    for (const line of text.split("\n")) {
      if (/^(policy|path|\S+ +[A-Z\d])/.test(line)) expect(line.length).toBeLessThanOrEqual(60);
    }
    expect.hasAssertions();
  });
});
