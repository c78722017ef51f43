import { describe, expect, it } from "vitest";
import type { Granule } from "./granules.ts";
import { extentOf, type HintResult, lookAround, searchLevel } from "./level-hint.ts";
import { contextOf, shadow, worldOf, type WorldOptions } from "./testing.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** Leaves as [address, guest's level, host's level]. */
type Leaves = readonly (readonly [addr: number, tag: number, level?: number])[];

function found(
  granule: Granule,
  addr: number,
  leaves: Leaves,
  options: Partial<WorldOptions> = {},
): HintResult {
  const world = worldOf("nv-shadow-level", options);
  const context = contextOf(granule);
  for (const [at, tag, level] of leaves) shadow(world, context, at, tag, level);
  const hint: HintResult = { hint: "nothing", bytes: 0, probes: 0 };
  searchLevel(world.table(context), granule, addr, hint);
  return hint;
}

describe("the search for the guest's level, guest granule 4 KiB (the six situations)", () => {
  const block = 5 * GIB + 6 * MIB;

  it("1: the address's own leaf is a page", () => {
    const hint = found("4k", block + 8 * KIB, [[block + 8 * KIB, 3]]);
    expect(hint).toEqual({ hint: "page", bytes: 4 * KIB, probes: 1 });
  });

  it("2: the addressed 4 KiB of a guest's 2 MiB block are shadowed", () => {
    const hint = found("4k", block + 8 * KIB, [[block + 8 * KIB, 2]]);
    expect(hint).toEqual({ hint: "page", bytes: 2 * MIB, probes: 1 });
  });

  it("3: not they, but the block's first 4 KiB are", () => {
    const hint = found("4k", block + 8 * KIB, [[block, 2]]);
    expect(hint).toEqual({ hint: "head", bytes: 2 * MIB, probes: 2 });
  });

  it("4: neither is, but others of the block: nothing is found, and 1 GiB goes", () => {
    const hint = found("4k", block + 8 * KIB, [
      [block + 4 * KIB, 2],
      [block + 12 * KIB, 2],
    ]);
    expect(hint).toEqual({ hint: "nothing", bytes: 0, probes: 3 });
    expect(extentOf("4k", hint.bytes)).toBe(GIB);
  });

  it("5: the block's first 4 KiB are another mapping's page: the search ends there", () => {
    const hint = found("4k", block + 8 * KIB, [
      [block, 3],
      [5 * GIB, 1],
    ]);
    expect(hint).toEqual({ hint: "elsewhere", bytes: 0, probes: 2 });
  });

  it("6: nothing is shadowed near it", () => {
    expect(found("4k", block, [])).toEqual({ hint: "nothing", bytes: 0, probes: 3 });
  });
});

describe("other granules, and leaves without a level", () => {
  it("host 4 KiB, guest 16 KiB: only the third of four sub-pages is valid, so 32 MiB go", () => {
    const page = 64 * MIB + 48 * KIB;
    const hint = found("16k", page + 8 * KIB, [[page + 8 * KIB, 3]]);
    expect(hint).toEqual({ hint: "nothing", bytes: 0, probes: 2 });
    expect(extentOf("16k", hint.bytes)).toBe(32 * MIB);
  });

  it("host 4 KiB, guest 16 KiB: the first sub-page is valid", () => {
    const page = 64 * MIB + 48 * KIB;
    expect(found("16k", page + 8 * KIB, [[page, 3]]).bytes).toBe(16 * KIB);
  });

  it("guest 64 KiB: the head of its 512 MiB block", () => {
    const hint = found("64k", GIB + 70 * MIB, [[GIB, 2]]);
    expect(hint).toEqual({ hint: "head", bytes: 512 * MIB, probes: 2 });
    expect(extentOf("64k", 0)).toBe(512 * MIB);
  });

  it("host 16 KiB, guest 4 KiB: the host's page holds four of the guest's", () => {
    const hint = found("4k", 5 * GIB + 20 * KIB, [[5 * GIB + 16 * KIB, 3]], { pageShift: 14 });
    expect(hint.bytes).toBe(4 * KIB);
  });

  it("host 64 KiB, guest 64 KiB", () => {
    const hint = found("64k", GIB + 64 * KIB, [[GIB + 64 * KIB, 3]], { pageShift: 16 });
    expect(hint.bytes).toBe(64 * KIB);
  });

  it("a host block of 2 MiB stands for a guest block of 1 GiB", () => {
    expect(found("4k", 3 * GIB + 3 * MIB, [[3 * GIB + 2 * MIB, 1, 2]])).toEqual({
      hint: "page",
      bytes: GIB,
      probes: 1,
    });
  });

  it("a leaf without a level is passed by", () => {
    const hint = found("4k", GIB + 4 * KIB, [
      [GIB + 4 * KIB, 0],
      [GIB, 2],
    ]);
    expect(hint.bytes).toBe(2 * MIB);
  });
});

describe("looking around", () => {
  const block = 5 * GIB + 6 * MIB;
  const around = (entries: number, leaves: Leaves): HintResult => {
    const world = worldOf("nv-shadow-level");
    const context = contextOf();
    for (const [at, tag] of leaves) shadow(world, context, at, tag);
    const hint: HintResult = { hint: "nothing", bytes: 0, probes: 3 };
    lookAround(world.table(context), "4k", block + 8 * KIB, entries, hint);
    return hint;
  };

  it("finds a neighbour of the same block, the nearest first", () => {
    expect(around(1, [[block + 12 * KIB, 2]])).toEqual({
      hint: "around",
      bytes: 2 * MIB,
      probes: 4,
    });
    expect(around(2, [[block + 4 * KIB, 2]]).probes).toBe(5);
  });

  it("does not go farther than it may", () => {
    const leaves: Leaves = [[block + 24 * KIB, 2]];
    expect(around(4, leaves)).toEqual({ hint: "nothing", bytes: 0, probes: 7 });
    expect(around(7, leaves).bytes).toBe(2 * MIB);
  });

  it("passes by pages that do not hold the address", () => {
    expect(around(16, [[block + 12 * KIB, 3]]).bytes).toBe(0);
  });
});
