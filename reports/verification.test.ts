import { describe, expect, it } from "vitest";
import type { Agreement } from "../replay/results.ts";
import { type VerificationView, formatVerification } from "./verification.ts";

const agreement = (change: Partial<Agreement> = {}): Agreement => ({
  predicted: 0,
  recorded: 0,
  matched: 0,
  missed: 0,
  spurious: 0,
  unknown: 0,
  ...change,
});

const EXACT: VerificationView = {
  trace: "trace.txt.gz",
  policy: "range-6.9",
  policyDetail: "from kernel 6.12.107 (capture.json), tlbirange on",
  calls: {
    VM: agreement({ predicted: 1, recorded: 1, matched: 1 }),
    IPA: agreement({ predicted: 1500, recorded: 1500, matched: 1500 }),
    IPA_LOCAL: agreement(),
    RANGE: agreement({ predicted: 12, recorded: 12, matched: 12 }),
    CPU: agreement({ predicted: 4, recorded: null, unknown: 4 }),
    ALL: agreement(),
  },
  ranking: [],
  mismatches: [],
  notes: [],
};

const WRONG: VerificationView = {
  ...EXACT,
  calls: {
    ...EXACT.calls,
    IPA: agreement({ predicted: 1499, recorded: 1500, matched: 1498, missed: 2, spurious: 1 }),
  },
  ranking: [
    { policy: "range-6.6", matched: 1513, missed: 0, spurious: 0, unknown: 4 },
    { policy: "range-6.9", matched: 1511, missed: 2, spurious: 1, unknown: 4 },
  ],
  mismatches: [
    {
      kind: "missed",
      primitive: "IPA",
      line: 4711,
      detail: "recorded ipa 0x80000000 level 3\u001b[2J",
      context: ["kvm_unmap_gfn_range …", "stage2_unmap …"],
    },
  ],
  notes: ["CPU was not probed"],
};

describe("formatVerification", () => {
  it("says that an exact trace is exact", () => {
    expect(formatVerification(EXACT)).toMatchInlineSnapshot(`
      "trace.txt.gz: 1,513 calls matched, no disagreement
      policy range-6.9: from kernel 6.12.107 (capture.json), tlbirange on

      calls of   predicted  recorded  matched  missed  spurious  unknown
      VM                 1         1        1       0         0        0
      IPA            1,500     1,500    1,500       0         0        0
      IPA_LOCAL          0         0        0       0         0        0
      RANGE             12        12       12       0         0        0
      CPU                4  no probe        0       0         0        4
      ALL                0         0        0       0         0        0
      "
    `);
  });

  it("shows the disagreements with their surroundings, and the better policy", () => {
    expect(formatVerification(WRONG)).toMatchInlineSnapshot(`
      "trace.txt.gz: 1,511 calls matched, 2 missed, 1 spurious
      policy range-6.9: from kernel 6.12.107 (capture.json), tlbirange on

      calls of   predicted  recorded  matched  missed  spurious  unknown
      VM                 1         1        1       0         0        0
      IPA            1,499     1,500    1,498       2         1        0
      IPA_LOCAL          0         0        0       0         0        0
      RANGE             12        12       12       0         0        0
      CPU                4  no probe        0       0         0        4
      ALL                0         0        0       0         0        0

      policy, best fit first  matched  missed  spurious  unknown
      range-6.6                 1,513       0         0        4
      range-6.9                 1,511       2         1        4

      First 1 of 3 disagreements
      trace.txt.gz:4711: missed IPA: recorded ipa 0x80000000 level 3\\u001b[2J
          kvm_unmap_gfn_range …
          stage2_unmap …

      note: CPU was not probed
      "
    `);
  });

  it("colours only when told to", () => {
    expect(formatVerification(WRONG)).not.toContain("\u001b");
    expect(formatVerification(WRONG, { colour: true })).toContain("\u001b[31m2 missed, 1 spurious");
  });
});
