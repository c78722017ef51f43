import { describe, expect, it } from "vitest";
import { byIpa, byRange, ofHost, ofWhole } from "./invalidation.ts";
import { NESTED_POLICIES } from "./nested-policy.ts";
import type { ShadowWorld } from "./shadow-world.ts";
import { contextOf, shadow, worldOf } from "./testing.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const NEVER = (): boolean => false;

/** TLBI instructions of a cause, in a world that is finished. */
const sum = (world: ShadowWorld, cause: Parameters<ShadowWorld["tallyOf"]>[0]): number =>
  (world.tallyOf(cause)?.flushRows() ?? []).reduce((total, { tlbi }) => total + tlbi, 0);

describe("what each policy clears", () => {
  const addr = 5 * GIB + 6 * MIB + 8 * KIB;
  /** Leaves of the address's 2 MiB block, of another block of its GiB, and of another GiB. */
  const leaves = [addr, addr + 4 * KIB, 5 * GIB + 40 * MIB, 7 * GIB];
  const dropped = (policy: string, what: Parameters<ShadowWorld["plan"]>[0]): number => {
    const world = worldOf(policy);
    const context = contextOf();
    for (const at of leaves) shadow(world, context, at, 2);
    world.invalidate(what, context, NEVER);
    return world.totals.of(what.cause).leavesDropped;
  };

  it.each([
    ["nv-blow-away", 4, 4, 4],
    ["nv-max", 3, 3, 3],
    ["nv-ttl-hint", 2, 3, 3],
    ["nv-shadow-level", 2, 2, 1],
    ["nv-range", 2, 2, 1],
    ["nv-revmap", 2, 2, 1],
    ["nv-exact", 2, 2, 2],
  ])("%s: %i with a TTL, %i without, %i by a range of 8 KiB", (policy, withTtl, without, range) => {
    expect(dropped(policy, byIpa(addr, 2 * MIB))).toBe(withTtl);
    expect(dropped(policy, byIpa(addr, 0))).toBe(without);
    // The range ends in the middle of the two leaves of the block.
    expect(dropped(policy, byRange(addr - 4 * KIB, 8 * KIB, 0))).toBe(range);
    expect(dropped(policy, ofWhole("vmalls12"))).toBe(4);
    expect(dropped(policy, ofWhole("alle1"))).toBe(4);
    expect(dropped(policy, ofHost("host_unmap", 1, 2))).toBe(4);
  });

  it("a range that names part of a guest block leaves the block's other leaves (6.11 to 7.3)", () => {
    const world = worldOf("nv-range");
    const context = contextOf();
    for (const at of leaves) shadow(world, context, at, 2);
    const what = byRange(addr - 4 * KIB, 8 * KIB, 0);
    world.invalidate(what, context, NEVER);
    expect(world.countLeft(what, context)).toBe(1);
    expect(worldOf("nv-exact").countLeft(what, context)).toBe(0);
  });

  it("a leaf goes as a whole, and what it maps beyond the range is over-invalidated only if unnamed", () => {
    const world = worldOf("nv-range");
    const context = contextOf();
    shadow(world, context, 4 * MIB, 2, 2);
    world.invalidate(byRange(4 * MIB + 64 * KIB, 8 * KIB, 0), context, NEVER);
    expect(world.totals.of("ripas2")).toMatchObject({ leavesDropped: 1, overInvalidated: 0 });
  });

  it("a reverse map spares leaves of other pages, and clears those that it does not know", () => {
    const world = worldOf("nv-revmap");
    const context = contextOf();
    for (const at of leaves) shadow(world, context, at, 2);
    const targets = new Map([
      [Math.floor(addr / 4096), 100],
      [Math.floor(7 * GIB) / 4096, 200],
    ]);
    world.invalidate(ofHost("host_unmap", 96, 128), context, NEVER, (_context, leaf) => {
      const target = targets.get(leaf.page);
      return target === undefined ? undefined : target >= 96 && target < 128;
    });
    expect(world.totals.of("host_unmap")).toMatchObject({ leavesDropped: 3, targetUnknown: 2 });
  });
});

describe("refaults", () => {
  it("a dropped leaf that the recorded kernel made again is one; one that was kept is none", () => {
    const kernel = worldOf("nv-shadow-level");
    const max = worldOf("nv-max");
    const context = contextOf();
    const near = 5 * GIB + 40 * MIB;
    for (const world of [kernel, max]) {
      shadow(world, context, 5 * GIB, 3);
      shadow(world, context, near, 3);
      world.invalidate(byIpa(5 * GIB, 0), context, NEVER);
      // The recorded host answers a fault on the address alone.
      shadow(world, context, 5 * GIB, 3);
    }
    expect(kernel.totals.of("ipas2")).toMatchObject({ refaults: 1, overInvalidated: 0 });
    expect(max.totals.of("ipas2")).toMatchObject({ refaults: 1, overInvalidated: 1 });
    // The guest is known to use the other page, which the recorded kernel still had.
    const [leaf] = [{ page: near / 4096, lenPages: 1, level: 3, meta: 0, physPage: 7 }];
    for (const world of [kernel, max]) world.access(context, near / 4096, leaf);
    expect(kernel.totals.of("ipas2").refaults).toBe(1);
    expect(max.totals.of("ipas2").refaults).toBe(2);
  });

  it("a first fault is none", () => {
    const world = worldOf("nv-max");
    const context = contextOf();
    shadow(world, context, GIB, 3);
    expect(world.totals.sum("refaults")).toBe(0);
    expect(world.avoided).toBe(0);
  });

  it("a leaf that a policy kept and that maps another page by now is stale", () => {
    const world = worldOf("nv-revmap");
    const context = contextOf();
    shadow(world, context, GIB, 3);
    world.fault(context, { page: GIB / 4096, lenPages: 1, level: 3, meta: 0, physPage: 9 });
    expect(world).toMatchObject({ avoided: 1, stale: 1 });
  });
});

function costOf(pageShift: 12 | 14 | 16, paBits: number, isDeferred = true): readonly number[] {
  const world = worldOf("nv-shadow-level", { pageShift, paBits, isDeferred });
  world.invalidate(ofHost("host_unmap", 0, 1), contextOf(), NEVER);
  world.finish();
  return [world.totals.of("host_unmap").calls, sum(world, "host_unmap")];
}

describe("what an unmap of a whole context costs, even of an empty one", () => {
  it("2^40: 1,024 range calls of 4 KiB pages; 2^48: 262,144", () => {
    expect(costOf(12, 40)).toEqual([1024, 2048]);
    expect(costOf(12, 48)).toEqual([262_144, 524_288]);
  });

  it("2^48: 8,388,608 range calls of 16 KiB pages, 524,288 of 64 KiB", () => {
    expect(costOf(14, 48)).toEqual([8_388_608, 16_777_216]);
    expect(costOf(16, 48)).toEqual([524_288, 1_048_576]);
  });

  it("without FWB or TLBIRANGE: nothing where nothing is mapped", () => {
    expect(costOf(12, 48, false)).toEqual([262_144, 0]);
  });

  it("acceptance vector 14: an unmap of 4 KiB with four empty contexts of 2^40: 8,192 TLBIs", () => {
    const world = worldOf("nv-shadow-level", { paBits: 40 });
    for (let mmu = 1; mmu <= 4; mmu += 1) {
      world.invalidate(ofHost("host_unmap", 0, 1), contextOf("4k", mmu), NEVER);
    }
    world.finish();
    expect(world.totals.of("host_unmap").calls).toBe(4096);
    expect(sum(world, "host_unmap")).toBe(8192);
    const exact = worldOf("nv-exact", { paBits: 40 });
    exact.invalidate(ofHost("host_unmap", 0, 1), contextOf(), NEVER);
    exact.finish();
    expect([exact.totals.of("host_unmap").calls, sum(exact, "host_unmap")]).toEqual([0, 0]);
  });

  it("write-protecting a whole context walks as far, and issues no TLBI", () => {
    const world = worldOf("nv-shadow-level");
    const context = contextOf();
    shadow(world, context, GIB, 2);
    world.writeProtect(context, 0, world.sizePages);
    expect(world.totals.of("write_protect")).toMatchObject({
      calls: 262_144,
      leavesProtected: 1,
      leavesDropped: 0,
    });
    expect(sum(world, "write_protect")).toBe(0);
  });

  it("leaves and freed tables: 2 MiB of a GiB that has others", () => {
    for (const [isDeferred, tlbi] of [
      // One IPA for the table that empties, one RANGE.
      [true, 4],
      // An IPA for each of two leaves, and for the table.
      [false, 6],
    ] as const) {
      const world = worldOf("nv-shadow-level", { isDeferred });
      const context = contextOf();
      for (const at of [GIB, GIB + 8 * KIB, GIB + 4 * MIB]) shadow(world, context, at, 2);
      world.invalidate(byIpa(GIB, 2 * MIB), context, NEVER);
      world.finish();
      expect(sum(world, "ipas2")).toBe(tlbi);
    }
  });
});

it("every contract id ships, once", () => {
  expect(NESTED_POLICIES.map(({ id }) => id)).toEqual([
    "nv-blow-away",
    "nv-max",
    "nv-ttl-hint",
    "nv-shadow-level",
    "nv-range",
    "nv-revmap",
    "nv-exact",
  ]);
});
