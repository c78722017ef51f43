import { describe, expect, it } from "vitest";
import { answerOf } from "./answer.ts";

const ROW = { path: "unmap", primitive: "IPA", dsb: 0, pages: 0 } as const;
const old = { ...ROW, policy: "old", calls: 390, tlbi: 780, unknown_calls: 0 };
const young = { ...ROW, policy: "new", calls: 10, tlbi: 30, unknown_calls: 0 };

describe("the answer in one sentence", () => {
  it("compares with the first policy, and says that it is exact", () => {
    const answer = answerOf({ flushes: [young, old] }, ["new", "old"]);
    expect(answer.sentence).toBe(
      "For the same operations, old issues 390 invalidation calls where new issues 10: 39.0 times as many, in 780 TLBI instructions against 30.",
    );
    expect(answer.certainty).toMatch(/^Exact/);
  });

  it("gives the interval that undecided calls leave, on both sides", () => {
    const flushes = [
      { ...young, unknown_calls: 10 },
      { ...old, unknown_calls: 10 },
    ];
    const answer = answerOf({ flushes }, ["new", "old"]);
    // 390 of at most 20, 400 of at least 10.
    expect(answer.sentence).toContain(
      "old issues 390 to 400 invalidation calls where new issues 10 to 20: 19.5 to 40.0 times as many",
    );
    expect(answer.certainty).toMatch(/^The interval/);
  });

  it("says so where it is inferred, and names no instruction where there is none", () => {
    const flushes = [
      { ...young, tlbi: 0 },
      { ...old, tlbi: 0 },
    ];
    const answer = answerOf({ flushes, inference: {} }, ["new", "old"]);
    expect(answer.sentence).not.toContain("TLBI");
    expect(answer.certainty).toMatch(/^Inferred/);
    expect(answerOf({ flushes: [] }, []).sentence).toBe("No policy was replayed.");
  });
});
