import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openTrace } from "../../../ingest/open-trace.ts";
import { Replay } from "../../replay.ts";
import { modelOf, type RefillOptions, SHAPE } from "../../testing/refills-of.ts";
import type { MissCurveRow } from "../miss-curve.ts";
import type { ArrayShape } from "../shape.ts";
import type { KnobName } from "./knobs.ts";
import type { RefillModel } from "./refill-model.ts";
import { refillResult } from "./refill-rows.ts";

const CAPTURES = fileURLToPath(new URL("../../../fixtures/captures/", import.meta.url));
const POLICIES = ["pgtable-6.2", "range-6.9", "vmid-wide"];
/** Few episodes, so that some are left out and others weigh more. */
const SMALL: ReadonlyMap<KnobName, number> = new Map([
  ["episodes", 6],
  ["capVisits", 300],
]);

async function modelled(
  name: string,
  secondLevel: ArrayShape,
  options: RefillOptions = {},
): Promise<{ readonly model: RefillModel; readonly rows: readonly MissCurveRow[] }> {
  const reader = await openTrace(`${CAPTURES}${name}/trace.txt.gz`);
  const shape = { ...SHAPE, firstLevelEntries: 1, secondLevel };
  const { model, config, ids } = modelOf(POLICIES, {
    stream: "generated",
    knobs: SMALL,
    shape,
    curves: true,
    ...options,
  });
  const replay = new Replay(config, reader.pointers, reader.diagnostics, undefined, model);
  for await (const batch of reader.batches()) replay.consume(batch);
  replay.finish();
  return { model, rows: refillResult(model, ids).missCurve };
}

/** Refills that the simulation itself counts under `combined`, of the world that the curve is drawn on. */
function simulated(model: RefillModel): readonly number[] {
  const lanes = model.worlds[0]!.lanes.filter(({ hypothesis }) => hypothesis === "combined");
  return lanes.map(({ combined }) => combined.reduce((sum, value) => sum + value, 0));
}

function refillsAt(rows: readonly MissCurveRow[], sets: number, entries: number): unknown {
  return POLICIES.map(
    (policy) =>
      rows.find(
        (row) =>
          row.policy === policy &&
          row.hypothesis === "combined" &&
          row.sets === sets &&
          row.entries === entries,
      )?.refills,
  );
}

/*
 * Behind a first level of one entry, a second level decides alone: what the one entry holds was used last
 * there too. The simulation of that one size must then count what the curve says of it.
 */
describe("the curve of all sizes", () => {
  it.each([
    ["tiny-612", 1],
    ["tiny-612", 24],
    ["s2-huge-612", 150],
    ["s2-huge-612", 700],
    ["s2-huge-612", 4096],
  ])("%s: at %d entries it is what that size alone gives", async (name, entries) => {
    const { model, rows } = await modelled(name, { sets: 1, ways: entries });
    expect(refillsAt(rows, 1, entries)).toEqual(simulated(model));
    expect(model.sampling.stride).toBeGreaterThan(1);
  });

  it.each([
    [16, 3],
    [64, 12],
  ])("of %d sets: at %d ways it is what those alone give", async (sets, ways) => {
    const { model, rows } = await modelled("s2-huge-612", { sets, ways });
    const refills = refillsAt(rows, sets, sets * ways);
    expect(refills).toEqual(simulated(model));
    expect(refills).not.toContain(0);
  });

  it("has every size once, and misses that fall as the size grows", async () => {
    const { rows } = await modelled("tiny-612", { sets: 1, ways: 8 });
    expect(rows).toHaveLength(POLICIES.length * 2 * 4096);
    for (const [i, row] of rows.entries()) {
      expect(row.entries).toBe((i % 4096) + 1);
      if (row.entries > 1) expect(row.misses).toBeLessThanOrEqual(rows[i - 1]!.misses);
    }
  });

  it("is left out where nobody asked for it", async () => {
    const { rows } = await modelled("tiny-612", { sets: 1, ways: 8 }, { curves: false });
    expect(rows).toEqual([]);
  });
});
