import { describe, expect, it } from "vitest";
import { PageKeys } from "./page-keys.ts";
import { type Access, Found, ModelledPe } from "./pe.ts";
import type { Hypothesis, TlbShape, WalkGeometry } from "./shape.ts";

const NOTHING = { sets: 1, ways: 0 };
const SHAPE: TlbShape = {
  firstLevelEntries: 48,
  secondLevel: { sets: 256, ways: 5 },
  coalescedPages: 1,
  stage2Only: { sets: 16, ways: 4 },
  stage2OnlyFrom: 1,
  stage1Walk: { sets: 16, ways: 4 },
  stage2Walk: { sets: 16, ways: 4 },
};
const GEOMETRY: WalkGeometry = { spanShift: 9, stage1Levels: 4, stage2Levels: 4 };

function peOf(
  shape: Partial<TlbShape> = {},
  hypothesis: Hypothesis = "combined",
  geometry: Partial<WalkGeometry> = {},
): ModelledPe {
  const walk = { ...GEOMETRY, ...geometry };
  return new ModelledPe({ ...SHAPE, ...shape }, walk, hypothesis, new PageKeys(), 2);
}

/** VM 0, pages of 4 KiB in both stages. */
function pageOf(page: number, more: Partial<Access> = {}): Access {
  return {
    vm: 0,
    ipaSpace: 0,
    vaSpace: 2,
    vaPage: page,
    ipaPage: page,
    stage1Class: 0,
    stage2Class: 0,
    tableClass: 0,
    ...more,
  };
}

function referencesOf(pe: ModelledPe, use: Access): number {
  const before = pe.walkReferences;
  expect(pe.access(use)).toBe(Found.nowhere);
  return pe.walkReferences - before;
}

/** Misses and references of touching pages 0…63 again. */
function again(pe: ModelledPe, stage2Class: number): readonly [number, number] {
  const before = pe.walkReferences;
  let misses = 0;
  for (let page = 0; page < 64; page += 1) {
    if (pe.access(pageOf(page * 512, { stage2Class })) === Found.nowhere) misses += 1;
  }
  return [misses, pe.walkReferences - before];
}

function warmed(hypothesis: Hypothesis, stage2Class: number): ModelledPe {
  const pe = peOf({ stage2Only: { sets: 1, ways: 128 } }, hypothesis);
  again(pe, stage2Class);
  return pe;
}

function referencesAfterIpaFlush(hypothesis: Hypothesis): number {
  const pe = warmed(hypothesis, 0);
  pe.flushStage2(0, 0, 5 * 512, 1);
  pe.flushStage1(0);
  return again(pe, 0)[1];
}

function sparedBy(hypothesis: Hypothesis): number {
  const pe = warmed(hypothesis, 1);
  pe.flushStage2(0, 0, 5 * 512, 1);
  let hits = 0;
  for (let page = 63; page >= 0; page -= 1) {
    if (pe.access(pageOf(page * 512, { stage2Class: 1 })) === Found.first) hits += 1;
  }
  return hits;
}

describe("references of a walk", () => {
  const noCaches = { stage1Walk: NOTHING, stage2Walk: NOTHING, stage2Only: NOTHING };

  it("are (s + 1)(t + 1) - 1 without any cache: 24, and 19 for a stage 2 of three levels", () => {
    expect(referencesOf(peOf(noCaches), pageOf(7))).toBe(24);
    expect(referencesOf(peOf(noCaches, "combined", { stage2Levels: 3 }), pageOf(7))).toBe(19);
    // Blocks at both stages: three descriptors, each behind a walk of three, and one more walk.
    const blocks = { stage1Class: 1, stage2Class: 1, tableClass: 1 };
    expect(referencesOf(peOf(noCaches), pageOf(7, blocks))).toBe(15);
  });

  it("are 4 where every stage-2 translation hits, and 1 with the leaf's table known as well", () => {
    const big = { sets: 1, ways: 64 };
    const pe = peOf({ stage1Walk: NOTHING, stage2Walk: NOTHING, stage2Only: big }, "minimum");
    pe.access(pageOf(7));
    pe.flushStage1(0);
    expect(referencesOf(pe, pageOf(7))).toBe(4);
    const warm = peOf({ stage2Walk: NOTHING, stage2Only: big }, "minimum");
    // A neighbour brings in the table; the page itself was used before, and its entry dropped.
    warm.access(pageOf(7));
    warm.dropLeaves(0, 2, 7, 1, 0);
    expect(referencesOf(warm, pageOf(7))).toBe(1);
  });

  it("are 9 with the leaf's stage-1 table known and both stage-2 walks cold", () => {
    const pe = peOf({ stage2Walk: NOTHING, stage2Only: NOTHING });
    pe.access(pageOf(7));
    expect(referencesOf(pe, pageOf(8))).toBe(9);
  });
});

describe("what KVM's calls leave", () => {
  it("a range and a whole-VMID flush cost the same misses; the range's are cheaper to walk", () => {
    const ofRange = warmed("combined", 1);
    ofRange.flushStage2(0, 0, 5 * 512, 512);
    ofRange.flushStage1(0);
    const ofVm = warmed("combined", 1);
    ofVm.flushBothStages(0);
    const [rangeMisses, rangeReferences] = again(ofRange, 1);
    const [vmMisses, vmReferences] = again(ofVm, 1);
    expect([rangeMisses, vmMisses]).toEqual([64, 64]);
    expect(rangeReferences).toBeLessThan(vmReferences);
  });

  it("stage-2-only entries of pages survive only where hardware holds them", () => {
    expect(referencesAfterIpaFlush("minimum")).toBeLessThan(referencesAfterIpaFlush("combined"));
    expect(referencesAfterIpaFlush("combined")).toBeLessThan(
      referencesAfterIpaFlush("over-invalidating"),
    );
  });

  it("an operation by IPA alone spares combined entries, but not where the first level is emptied", () => {
    // 64 pages, 48 entries in the order of use: exactly the last 48 are there.
    expect(sparedBy("combined")).toBe(48);
    expect(sparedBy("over-invalidating")).toBe(0);
  });

  it("drops the entries of the range and no others, whether it probes or scans", () => {
    for (const lenPages of [512, 512 * 400]) {
      const pe = warmed("combined", 1);
      expect(pe.flushStage2(0, 0, 512 * 10, lenPages)).toBeGreaterThan(0);
      const before = pe.walkReferences;
      pe.dropLeaves(0, 2, 0, 64 * 512, 0);
      // Blocks 0…9 are outside the range: their last translation is a hit in the stage-2-only entries.
      pe.access(pageOf(0, { stage2Class: 1 }));
      const outside = pe.walkReferences - before;
      pe.access(pageOf(10 * 512, { stage2Class: 1 }));
      expect(pe.walkReferences - before - outside).toBeGreaterThan(outside);
    }
  });

  it.each([
    { sets: 1, ways: 512 },
    { sets: 64, ways: 8 },
    { sets: 1, ways: 512, replacement: "fifo" as const },
  ])("drops a range that crosses regions of keys, and one so long that it scans: %o", (array) => {
    const pe = peOf({ stage2Only: array, stage2Walk: NOTHING }, "minimum");
    // 200 pages around the border of two regions, each with a stage-2-only entry.
    for (let page = 3996; page < 4196; page += 1) pe.access(pageOf(page));
    expect(pe.flushStage2(0, 0, 4090, 12)).toBe(12);
    expect(pe.flushStage2(0, 0, 4090, 12)).toBe(0);
    expect(pe.flushStage2(0, 0, 2 ** 30, 2 ** 20)).toBe(0);
    expect(pe.flushStage2(0, 0, 0, 2 ** 21)).toBe(188);
  });
});

function fetch(page: number): Access {
  return pageOf(page, { isFetch: true });
}

describe("the instruction side of the first level", () => {
  const shape = { firstLevelEntries: 2, firstLevelInstruction: { sets: 1, ways: 4 } };

  it("has entries of its own, and a second level that is shared with data", () => {
    const pe = peOf(shape);
    for (const page of [1, 2, 3, 4]) expect(pe.access(fetch(page))).toBe(Found.nowhere);
    for (const page of [1, 2, 3, 4]) expect(pe.access(fetch(page))).toBe(Found.first);
    expect(pe.access(pageOf(1))).toBe(Found.second);
    // Data in two entries put no fetch out.
    for (const page of [5, 6, 7]) pe.access(pageOf(page));
    expect(pe.access(fetch(1))).toBe(Found.first);
  });

  it("is emptied of a VM, of every VM, and of what is dropped, like the data side", () => {
    const pe = peOf(shape);
    const other = pageOf(9, { vm: 1, ipaSpace: 1, vaSpace: 3, isFetch: true });
    pe.access(fetch(1));
    pe.access(other);
    pe.flushStage1(0);
    expect(pe.access(other)).toBe(Found.first);
    expect(pe.access(fetch(1))).toBe(Found.nowhere);
    pe.dropLeaves(0, 2, 1, 1, 0);
    expect(pe.access(fetch(1))).toBe(Found.nowhere);
    pe.flushEverything();
    expect(pe.access(other)).toBe(Found.nowhere);
  });

  it("is stale as the data side is", () => {
    const pe = peOf(shape);
    pe.access(fetch(1));
    pe.markStale(0, 2, 1, 1, 0, false);
    pe.access(fetch(1));
    expect(pe.stale.hits).toBe(1);
  });
});
