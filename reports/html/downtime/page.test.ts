import { describe, expect, it } from "vitest";
import { estimateDowntime } from "../../../replay/migration/estimate.ts";
import type { EstimateRequest } from "../../../replay/migration/estimate-types.ts";
import { fullBlocks } from "../../../replay/migration/testing/inputs.ts";
import { tornadoOf } from "../../../replay/migration/tornado.ts";
import { pageInputOf } from "./document.ts";
import { downtimePage } from "./page.ts";
import { pageInputFor, requestOf } from "./page-input.test.data.ts";

async function pageOf(wanted: EstimateRequest): Promise<string> {
  return await downtimePage(pageInputFor(wanted, "<script>alert(1)</script>"));
}

describe("the page of a downtime estimate", () => {
  it("has passes, blackout, roll-back and tornado, each with its table", async () => {
    const page = await pageOf(requestOf());
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
    const wanted = requestOf({
      scenario: { migration: undefined, rollback: fullBlocks(4) },
      whyNoMigration: "no --bandwidth",
    });
    const page = await pageOf(wanted);
    expect(page).not.toContain('<section id="passes">');
    expect(page).toContain("<strong>Passes of pre-copy</strong>: The estimate has no migration");
    expect(page).toContain('<section id="rollback">');
  });
});

describe("pageInputOf", () => {
  it("takes nothing for an estimate that is none", () => {
    for (const other of [null, 1, {}, { note: "estimated, not measured" }]) {
      expect(pageInputOf(other)).toBeUndefined();
    }
  });
});

describe("tornadoOf", () => {
  it("moves one constant at a time, and gives the largest swing first", () => {
    const wanted = requestOf();
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
