/** What a reader sees: whiskers to scale, cut tables, reasons, and calibrations with their residuals. */
import { describe, expect, it } from "vitest";
import type { CalibrationResult } from "../../replay/calibrate/calibration.ts";
import { shippedTable } from "../../replay/costs/cost-table.ts";
import { estimateDowntime } from "../../replay/migration/estimate.ts";
import type { EstimateRequest } from "../../replay/migration/estimate-types.ts";
import { QUANTITIES, QUANTITY_IDS } from "../../replay/migration/quantities.ts";
import { fullBlocks, migration, MODERN_CPU } from "../../replay/migration/testing/inputs.ts";
import { AUTO_CONVERGE } from "../../replay/migration/throttle.ts";
import { PGTABLE_5_10 } from "../../replay/policies/families/pgtable.ts";
import { RANGE_6_9 } from "../../replay/policies/families/range.ts";
import { formatCalibration } from "./text-calibration.ts";
import { formatPasses } from "./text-passes.ts";
import { formatQuantities } from "./text-quantities.ts";
import { bytesText, percentText } from "./text-values.ts";
import { axisOf, whisker, WHISKER_WIDTH } from "./whiskers.ts";

function interval(p5: number, p50: number, p95: number) {
  return { p5, p50, p95, values: 10, of: 10 };
}

function request(changes: Partial<EstimateRequest> = {}): EstimateRequest {
  return {
    scenario: { migration: migration(), rollback: fullBlocks(11) },
    whyNoMigration: undefined,
    whyNoRollback: undefined,
    ranges: {},
    table: shippedTable("idle"),
    policies: [{ policy: PGTABLE_5_10 }, { policy: RANGE_6_9 }],
    cpu: MODERN_CPU,
    forcedEpoch: undefined,
    otherwiseEpoch: "e5",
    alternatives: [],
    draws: 200,
    seed: 1,
    resolutionS: 1e-3,
    sampling: { replicates: [], method: "", because: "given" },
    ...changes,
  };
}

describe("whiskers", () => {
  it("stand to scale on a logarithmic axis", () => {
    const axis = axisOf([interval(1, 10, 100), interval(10, 10, 10)])!;
    expect(axis).toEqual({ low: 1, high: 100 });
    const wide = whisker(interval(1, 10, 100), axis);
    expect(wide).toHaveLength(WHISKER_WIDTH);
    expect([wide.indexOf("├"), wide.indexOf("●"), wide.indexOf("┤")]).toEqual([0, 17, 33]);
    expect(whisker(interval(10, 10, 10), axis)).toBe(`${" ".repeat(17)}●`);
  });

  it("equal values still have an axis, and nothing above zero has none", () => {
    expect(whisker(interval(3, 3, 3), axisOf([interval(3, 3, 3)])!)).toContain("●");
    expect(axisOf([interval(0, 0, 0)])).toBeUndefined();
  });
});

describe("numbers", () => {
  it("percents that are not quite 0 or 100 say so", () => {
    expect([0, 0.001, 0.5, 0.999, 1].map(percentText)).toEqual([
      "0 %",
      "<1 %",
      "50 %",
      ">99 %",
      "100 %",
    ]);
    expect(bytesText(206_158_430_208)).toBe("206 GB");
    expect(bytesText(0)).toBe("0 B");
  });
});

describe("passes", () => {
  it("many are cut in the middle, and it says how many", () => {
    const slow = migration({
      dirty: { kind: "rate-and-set", bytesPerS: 1e9, setBytes: 1e10, pattern: "sequential" },
      throttle: { ...AUTO_CONVERGE, periodS: 0 },
    });
    const text = formatPasses(
      estimateDowntime(request({ scenario: { migration: slow, rollback: undefined } })),
      {},
    );
    expect(text).toMatch(/… \d+ more/);
    expect(text).toContain("Converges: pgtable-5.10 100 % of draws");
  });
});

describe("quantities", () => {
  it("each stands there with its interval, or with the reason below", () => {
    const text = formatQuantities(
      estimateDowntime(
        request({
          scenario: { migration: undefined, rollback: fullBlocks(2) },
          whyNoMigration: "not known: the link",
        }),
      ),
      {},
    );
    for (const id of QUANTITY_IDS) {
      if (id === "forced_switchover" || id === "postcopy_stall") continue;
      expect(text).toContain(QUANTITIES[id].title);
    }
    expect(text).toMatch(/– source downtime, .*: not known: the link/);
    expect(text).toMatch(/roll-back stall +\d[^–]*\[[^\]]+\]/);
  });

  it("a quantity that only some draws have says in how many", () => {
    const often = migration({
      dirty: { kind: "rate-and-set", bytesPerS: 5e8, setBytes: 1e10, pattern: "sequential" },
    });
    const text = formatQuantities(
      estimateDowntime(
        request({
          scenario: { migration: often, rollback: undefined },
          whyNoRollback: "none",
          ranges: { dirty_rate: { low: 3e8, high: 7e8, law: "uniform" } },
        }),
      ),
      {},
    );
    expect(text).toMatch(/source downtime +.* in \d+ % of draws/);
  });
});

describe("calibration", () => {
  it("shows each fit with its points, residuals and warnings, and what was not fitted", () => {
    const result: CalibrationResult = {
      fits: [
        {
          constant: "t_wp",
          load: "idle",
          valueNs: 25,
          lowNs: 20,
          highNs: 30,
          method: "time = offset + value · pages",
          points: [{ label: "a:1", x: 1000, yNs: 26_000, fittedNs: 25_000 }],
          relativeResidual: 0.04,
          warnings: ["one machine"],
        },
      ],
      notFitted: [{ constant: "t_vmid", because: "no selftest has it apart" }],
      inputs: [{ name: "a", kind: "dirty_log_perf_test", vcpus: 4, leftOut: [] }],
      notes: ["a note"],
    };
    const text = formatCalibration(result, {});
    expect(text).toMatch(/t_wp +idle +25 ns +20 ns to 30 ns +4\.0 % +1 +time = offset/);
    expect(text).toMatch(/a:1 +1000 +26 µs +25 µs +3\.8 %/);
    expect(text).toContain("t_vmid: no selftest has it apart");
    expect(text).toContain("one machine");
    expect(formatCalibration({ ...result, fits: [] }, {})).toMatch(/^Nothing could be fitted/);
  });
});
