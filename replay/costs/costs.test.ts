import { describe, expect, it } from "vitest";
import { flushCosts } from "./contention.ts";
import { COST_NAMES, modes, SHIPPED_COSTS, shippedTable } from "./cost-table.ts";
import { parseSiteCosts, withSiteCosts } from "./site-costs.ts";

describe("the table of constants", () => {
  it.each(SHIPPED_COSTS)("$name ($conditions): range, unit, source and date", (cost) => {
    expect(cost.low).toBeLessThanOrEqual(cost.mode);
    expect(cost.mode).toBeLessThanOrEqual(cost.high);
    expect(cost.low).toBeGreaterThan(0);
    for (const text of [cost.meaning, cost.source, cost.measuredOn, cost.table]) {
      expect(text.trim()).not.toBe("");
    }
    expect(cost.date).toMatch(/^\d{4}(-\d{2})?$/);
  });

  it("holds one value of each name in each calibration, and never one of the other", () => {
    for (const calibration of ["idle", "loaded"] as const) {
      const { costs } = shippedTable(calibration);
      expect(costs.map(({ name }) => name)).toEqual(COST_NAMES);
      const other = calibration === "idle" ? "loaded" : "idle";
      expect(costs.filter(({ conditions }) => conditions === other)).toEqual([]);
    }
    expect(modes(shippedTable("idle")).t_vmid).toBeCloseTo(1.5e-6, 12);
    expect(modes(shippedTable("loaded")).t_vmid).toBeCloseTo(73.2e-6, 12);
  });

  it("waiting is in loaded numbers already: no contention factor on them", () => {
    const loaded = modes(shippedTable("loaded"));
    expect(flushCosts(loaded, false).vmidS).toBe(loaded.t_vmid);
  });

  it("CPUs that repeat TLBIs pay more for each kind of flush", () => {
    const costs = modes(shippedTable("idle"));
    const [once, repeated] = [flushCosts(costs, false), flushCosts(costs, true)];
    for (const kind of ["ipaS", "vmidS", "rangeS", "broadcastS"] as const) {
      expect(repeated[kind] / once[kind]).toBeCloseTo(1.5, 12);
    }
  });
});

describe("a site's own constants", () => {
  const cost = {
    name: "t_ipa",
    unit: "us",
    low: 1,
    mode: 1.2,
    high: 1.5,
    measuredOn: "host 7",
    source: "calibrated",
    date: "2026-11",
  };
  const file = (changes: object = {}, calibration = "idle"): string =>
    JSON.stringify({ calibration, costs: [{ ...cost, ...changes }] });

  it("replace the shipped ones, and say so", () => {
    const table = withSiteCosts(
      shippedTable("idle"),
      parseSiteCosts(file(), "own.json"),
      "own.json",
    );
    expect(table.costs.find(({ name }) => name === "t_ipa")).toMatchObject({
      mode: 1.2,
      origin: "own.json",
      evidence: "site",
    });
    expect(table.costs).toHaveLength(COST_NAMES.length);
  });

  it("of a loaded machine are refused on an idle table, unless they are the same on both", () => {
    const loaded = parseSiteCosts(file({}, "loaded"), "own.json");
    expect(() => withSiteCosts(shippedTable("idle"), loaded, "own.json")).toThrow(
      "holds loaded costs (t_ipa), and the estimate uses idle ones",
    );
    const walk = parseSiteCosts(file({ name: "t_walk", unit: "ns" }, "loaded"), "own.json");
    expect(() => withSiteCosts(shippedTable("idle"), walk, "own.json")).not.toThrow();
  });

  it.each([
    ["{", "is not JSON"],
    ["[]", "an object has calibration and costs"],
    [file({ name: "t_ipb" }), "did you mean 't_ipa'?"],
    [file({ low: 2 }), "does not ascend"],
    [file({ low: -1 }), "a cost is not negative"],
    [file({ unit: "s", low: 1e4, mode: 1e4, high: 1e4 }), "is the unit right?"],
    [file({ unit: "entry" }), "is counted in us"],
    [file({ unit: "fortnight" }), "is not a unit of costs"],
    [file({ mode: "1" }), "is not a number"],
    [file({ source: "" }), "is empty"],
    [JSON.stringify({ calibration: "warm", costs: [] }), "is neither idle nor loaded"],
    [JSON.stringify({ calibration: "idle", costs: [cost, cost] }), "gives 't_ipa' twice"],
  ])("%s is refused", (content, why) => {
    expect(() => parseSiteCosts(content, "own.json")).toThrow(why);
  });
});
