import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openTrace } from "../../../ingest/open-trace.ts";
import { POLICIES } from "../../policies/registry.ts";
import { Replay } from "../../replay.ts";
import { modelOf, type RefillOptions } from "../../testing/refills-of.ts";
import { HYPOTHESES } from "../shape.ts";
import type { KnobName } from "./knobs.ts";
import type { RefillResult } from "./refill-result.ts";
import { refillResult } from "./refill-rows.ts";

const CAPTURES = fileURLToPath(new URL("../../../fixtures/captures/", import.meta.url));
/** Captures with pages of 4 KiB; the others are of other sizes, or of another printed form. */
const NAMES = readdirSync(CAPTURES).filter((name) => !/16k|perf|nv-/.test(name));
const SMALL: ReadonlyMap<KnobName, number> = new Map([
  ["episodes", 24],
  ["capVisits", 600],
]);

async function resultOf(
  name: string,
  policies: readonly string[],
  options: RefillOptions,
): Promise<RefillResult> {
  const reader = await openTrace(`${CAPTURES}${name}/trace.txt.gz`);
  const { model, config, ids } = modelOf(policies, options);
  const replay = new Replay(config, reader.pointers, reader.diagnostics, undefined, model);
  for await (const batch of reader.batches()) replay.consume(batch);
  replay.finish();
  return refillResult(model, ids);
}

function combinedOf({ totals }: RefillResult): readonly number[] {
  return totals.map(({ combined }) => combined.median);
}

describe("what the captures prove of the guests' accesses", () => {
  const ids = POLICIES.map(({ id }) => id);
  it.each(NAMES)(
    "%s: no shipped policy leaves a stale entry, and refills keep to the bound",
    async (name) => {
      const result = await resultOf(name, ids, { stream: "proven" });
      for (const { policy, hypothesis, combined, stage2, staleHits, bound } of result.totals) {
        const which = `${policy}, ${hypothesis}`;
        expect(staleHits, which).toBe(0);
        expect(combined.low, which).toBeGreaterThanOrEqual(0);
        expect(combined.high, which).toBeLessThanOrEqual(bound);
        expect(stage2!.low, which).toBeGreaterThanOrEqual(0);
      }
    },
  );

  // The sum of the markers' n, and what else faulted: code and data of each VM, 2 a marker op=xtouch.
  it.each([
    ["s2-huge-61", 26_479 + 4 + 20],
    ["s2-huge-612", 26_479 + 4 + 20],
    ["s2-huge-612-n1", 26_479 + 4 + 20],
    // The nested driver's own code and data, and its guest's code under each of two VTTBRs.
    ["nv-tiny-72", 84 + 2 + 2],
  ])("%s: every announced access is made, %d with the faults", async (name, visits) => {
    const { counts } = await resultOf(name, ["range-6.9"], { stream: "proven" });
    expect(counts).toMatchObject({ provenVisits: visits, provenLost: 0, visitsUnmapped: 0 });
  });

  it("is the same workload on two kernels: the same refills under the same policy", async () => {
    const policies = ["pgtable-6.2", "range-6.9"];
    const options = { stream: "proven" } as const;
    const older = await resultOf("s2-huge-61", policies, options);
    const newer = await resultOf("s2-huge-612", policies, options);
    expect(combinedOf(newer)).toEqual(combinedOf(older));
    expect(combinedOf(newer).every((refills) => refills > 0)).toBe(true);
  });
});

describe("the generated stream", () => {
  const policies = ["pgtable-6.2", "range-6.9", "vmid-wide"];
  it.each(["s2-huge-61", "s2-huge-612", "s2-huge-612-n1"])(
    "%s: refills per policy and hypothesis, with an interval, none stale",
    async (name) => {
      const result = await resultOf(name, policies, { stream: "generated", knobs: SMALL });
      expect(result.isKnown).toBe(true);
      expect(result.totals).toHaveLength(policies.length * HYPOTHESES.length);
      for (const { combined, staleHits } of result.totals) {
        expect(combined.low).toBeLessThanOrEqual(combined.seedMin);
        expect(combined.seedMin).toBeLessThanOrEqual(combined.median);
        expect(combined.seedMax).toBeLessThanOrEqual(combined.high);
        expect(combined.seedMin).toBeGreaterThan(0);
        expect(staleHits).toBe(0);
      }
      // Rows say where each total comes from.
      for (const { policy, hypothesis, combined } of result.totals) {
        const rows = result.rows.filter(
          (row) => row.policy === policy && row.hypothesis === hypothesis,
        );
        const least = rows.reduce((sum, row) => sum + row.refills_seed_min!, 0);
        expect(least).toBeLessThanOrEqual(combined.seedMin);
      }
    },
  );

  it("gives the same numbers again", async () => {
    const options = { stream: "generated", knobs: SMALL } as const;
    const once = await resultOf("tiny-612", policies, options);
    expect(await resultOf("tiny-612", policies, options)).toEqual(once);
  });

  it("keeps to the bound where every episode is simulated", async () => {
    const knobs = new Map<KnobName, number>([
      ["episodes", 100_000],
      ["capVisits", 150],
    ]);
    const { totals } = await resultOf("tiny-612", policies, { stream: "generated", knobs });
    for (const { combined, bound } of totals) {
      expect(combined.low).toBeGreaterThanOrEqual(0);
      expect(combined.high).toBeLessThanOrEqual(bound);
    }
  });
});
