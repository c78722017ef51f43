import { describe, expect, it } from "vitest";
import { parsePhases, phasesFrom } from "./phase-values.ts";

describe("--phase", () => {
  it("is exact in nanoseconds, sorted, and counted from the trace's base", () => {
    const phases = parsePhases([
      "blackout=1700000000.000000003..1700000001",
      "pass2=84.001..84.688",
    ]);
    expect(phases).toEqual([
      { name: "pass", pass: 2, startNs: 84_001_000_000n, endNs: 84_688_000_000n },
      {
        name: "blackout",
        pass: undefined,
        startNs: 1_700_000_000_000_000_003n,
        endNs: 1_700_000_001_000_000_000n,
      },
    ]);
    expect(phasesFrom(84_000_000_000n, phases.slice(0, 1))).toEqual([
      { name: "pass", pass: 2, startNs: 1e6, endNs: 688e6 },
    ]);
    expect(phasesFrom(84_500_000_000n, phases.slice(0, 1))[0]!.startNs).toBeLessThan(0);
  });

  it.each([
    [["blackout"], "is not of the form"],
    [["blackout=1..x"], "is not of the form"],
    [["blackout=-1..2"], "is not of the form"],
    [["lunch=1..2"], "'lunch' is not a phase (run, pass, blackout"],
    [["rollback2=1..2"], "only a pass has a number"],
    [["pass=2..2"], "ends before it begins"],
    [["pass1=1..3", "blackout=2..4"], "blackout begins inside pass"],
  ])("%j is refused", (texts, message) => {
    expect(() => parsePhases(texts)).toThrow(message);
  });

  it("refuses what lies before the trace, and says when that begins", () => {
    const phases = parsePhases(["pass1=1..3"]);
    expect(() => phasesFrom(5_250_000_000n, phases)).toThrow(
      "ends before the trace begins; it begins at 5.25 s",
    );
  });
});
