import { describe, expect, it } from "vitest";
import { shippedTable } from "../../../replay/costs/cost-table.ts";
import { estimateDowntime } from "../../../replay/migration/estimate.ts";
import type { EstimateRequest } from "../../../replay/migration/estimate-types.ts";
import { fullBlocks, migration, MODERN_CPU } from "../../../replay/migration/testing/inputs.ts";
import { tornadoOf } from "../../../replay/migration/tornado.ts";
import { downtimePage } from "./page.ts";
import { viewOfEstimate } from "./view-of-estimate.ts";

function request(changes: Partial<EstimateRequest> = {}): EstimateRequest {
  return {
    scenario: { migration: migration(), rollback: fullBlocks(192) },
    whyNoMigration: undefined,
    whyNoRollback: undefined,
    ranges: {},
    table: shippedTable("idle"),
    policies: [{ epoch: "e1" }, { epoch: "e3" }, { epoch: "e5" }],
    cpu: MODERN_CPU,
    forcedEpoch: undefined,
    otherwiseEpoch: "e5",
    alternatives: [],
    draws: 200,
    seed: 1,
    resolutionS: 0,
    sampling: { replicates: [], method: "none", because: "no trace" },
    ...changes,
  };
}

async function pageOf(wanted: EstimateRequest): Promise<string> {
  const estimate = estimateDowntime(wanted);
  const view = viewOfEstimate(estimate, tornadoOf(wanted, estimate.policies));
  return await downtimePage({
    view,
    tool: { name: "tlbi-replay", version: "1.2.3" },
    subject: "<script>alert(1)</script>",
    argv: ["downtime", "--bandwidth", "500MB/s"],
    settings: [{ name: "memory", value: "192 GiB", origin: "--memory" }],
    assumptions: ["a constant rate of writes"],
    losses: [],
  });
}

describe("the page of a downtime estimate", () => {
  it("has passes, blackout, roll-back and tornado, each with its table", async () => {
    const page = await pageOf(request());
    for (const id of ["estimates", "passes", "blackout", "rollback", "tornado", "constants"]) {
      expect(page).toContain(`<section id="${id}">`);
    }
    expect(page).toContain("Passes under e1: numbers");
    expect(page).toContain("Roll-back stall: numbers");
    expect(page).toContain("estimated, not measured");
    expect(page).not.toContain("<script>alert");
    expect(page.length).toBeLessThan(1_000_000);
  });

  it("says why what is not estimated is missing", async () => {
    const wanted = request({
      scenario: { migration: undefined, rollback: fullBlocks(4) },
      whyNoMigration: "no --bandwidth",
    });
    const page = await pageOf(wanted);
    expect(page).not.toContain('<section id="passes">');
    expect(page).toContain("<strong>Passes of pre-copy</strong>: The estimate has no migration");
    expect(page).toContain('<section id="rollback">');
  });
});

describe("tornadoOf", () => {
  it("moves one constant at a time, and gives the largest swing first", () => {
    const wanted = request();
    const { policies } = estimateDowntime(wanted);
    const bars = tornadoOf(wanted, policies).filter(
      ({ policy, quantity }) => policy === "e1" && quantity === "rollback_stall",
    );
    expect(bars.length).toBeGreaterThan(2);
    const swings = bars.map(({ atLow, atHigh }) => Math.abs(atHigh - atLow));
    expect(swings).toEqual(swings.toSorted((a, b) => b - a));
    // A roll-back of e1 is flushes and walks: its costs only ever add to it.
    for (const { atLow, atMode, atHigh } of bars) {
      expect(atMode).toBeGreaterThanOrEqual(Math.min(atLow, atHigh));
      expect(atMode).toBeLessThanOrEqual(Math.max(atLow, atHigh));
    }
  });
});
