/** What the knobs of dirty tracking change, by hand: 16 GiB in blocks of 1 GiB. */
import { describe, expect, it } from "vitest";
import { dirtiedBytes } from "./dirty-process.ts";
import { PER_PAGE } from "../policies/families/strategies.ts";
import { policyMechanics } from "./mechanics.ts";
import { GIB } from "./migration-input.ts";
import { solvePrecopy } from "./precopy.ts";
import { epoch, migration, MODERN_CPU, noCosts } from "./testing/inputs.ts";
import { AUTO_CONVERGE, Throttle } from "./throttle.ts";
import { clearCost, logStartS, trackingOf } from "./tracking.ts";

const COSTS = { ...noCosts(), t_wp: 10e-9, t_ioctl: 1e-6, t_vmid: 2e-6, t_rng: 3e-6, t_ipa: 5e-6 };
const SMALL = { memoryBytes: 16 * GIB, slotBytes: [16 * GIB] };
/** All 16 GiB. */
const PAGES = 4_194_304;

describe("clearing the log", () => {
  it("manual: a call a GiB, each with a flush of the whole slot", () => {
    const input = migration(SMALL);
    const [vmid, range] = (["e3", "e5"] as const).map((id) => {
      const mechanics = epoch(id);
      return clearCost(16 * GIB, true, input, trackingOf(input, mechanics, COSTS), COSTS);
    });
    expect(vmid).toMatchObject({ clears: 16, flushCalls: 16 });
    expect(vmid!.protectS).toBeCloseTo(PAGES * 10e-9 + 16e-6, 12);
    expect(vmid!.flushS).toBeCloseTo(16 * 2e-6, 12);
    expect(vmid!.holdS).toBeCloseTo((PAGES * 10e-9) / 16, 12);
    // 16 GiB are two ranges of 8 GiB.
    expect(range).toMatchObject({ clears: 16, flushCalls: 32 });
    expect(range!.flushS).toBeCloseTo(32 * 3e-6, 12);
  });

  it("page by page: as many flushes as pages", () => {
    const input = migration(SMALL);
    const mechanics = policyMechanics(PER_PAGE, MODERN_CPU, "e5");
    const cost = clearCost(GIB, false, input, trackingOf(input, mechanics, COSTS), COSTS);
    expect(cost.flushCalls).toBe(262_144);
    expect(cost.flushS).toBeCloseTo(262_144 * 5e-6, 9);
  });

  it("legacy: one call a slot, one long hold, and everything at the start", () => {
    const input = migration({ ...SMALL, dirtyLog: "legacy", blockBytes: 4096 });
    const tracking = trackingOf(input, epoch("e3"), COSTS);
    expect(clearCost(16 * GIB, true, input, tracking, COSTS).clears).toBe(0);
    expect(logStartS(input, tracking, COSTS)).toBeCloseTo(PAGES * 10e-9 + 2e-6, 12);
    const later = clearCost(GIB, false, input, tracking, COSTS);
    expect(later.clears).toBe(1);
    expect(later.holdS).toBeCloseTo(262_144 * 10e-9, 12);
  });

  it("rings: the whole VMID, also on kernels with ranges", () => {
    const input = migration({ ...SMALL, dirtyLog: "ring" });
    const tracking = trackingOf(input, epoch("e5"), COSTS);
    expect(tracking.flushPerClearS).toBe(2e-6);
    expect(clearCost(GIB, false, input, tracking, COSTS).clears).toBe(1);
  });

  it("eager split: in the first pass, and then no fault splits", () => {
    const costs = { ...COSTS, t_eager: 4e-6, t0_split: 7e-6 };
    const lazy = migration(SMALL);
    const eager = migration({ ...SMALL, eagerChunkBytes: GIB });
    const split = 8192 * 4e-6;
    const [a, b] = [lazy, eager].map((input) => solvePrecopy(input, epoch("e5"), costs, true));
    expect(b!.passes[0]!.clearS - a!.passes[0]!.clearS).toBeCloseTo(split, 9);
    // The second has only what was written in the 33 ms that the first took longer.
    expect(b!.passes[1]!.clearS).toBeCloseTo(a!.passes[1]!.clearS, 4);
    // 11 blocks of the hot set, 7 µs each.
    expect(a!.lostVcpuS - b!.lostVcpuS).toBeCloseTo(10.7 * 7e-6, 9);
  });

  it("multifd: the longer of sending and clearing counts", () => {
    const apart = solvePrecopy(migration(SMALL), epoch("e5"), COSTS, true).passes[0]!;
    const input = migration({ ...SMALL, overlapsSending: true });
    const together = solvePrecopy(input, epoch("e5"), COSTS, true).passes[0]!;
    expect(apart.seconds - together.seconds).toBeCloseTo(apart.clearS, 12);
  });
});

describe("write faults", () => {
  it("slow a writer that faults faster than the lock lets through", () => {
    const dirty = {
      kind: "rate-and-set",
      bytesPerS: 4096e6,
      setBytes: 16 * GIB,
      pattern: "sequential",
    } as const;
    // A million first writes a second, 4 µs each: a quarter of the pace is left.
    const costs = { ...noCosts(), t_ser_spinlock: 4e-6 };
    const input = migration({ ...SMALL, bandwidthBytesPerS: 16 * GIB, dirty });
    const [first] = solvePrecopy(input, epoch("e1"), costs, true).passes;
    expect(first!.faultShare).toBe(1);
    expect(first!.dirtiedBytes).toBeCloseTo(dirtiedBytes(dirty, 1, 0.25), -2);
  });
});

describe("auto-converge", () => {
  it("takes a step at every second sync with too much dirtied, up to 99 %", () => {
    const throttle = new Throttle(AUTO_CONVERGE);
    const shares: number[] = [];
    for (let i = 0; i < 22; i += 1) {
      throttle.sync(51, 100);
      shares.push(throttle.share);
    }
    expect(shares.slice(0, 6)).toEqual([0, 0.2, 0.2, 0.3, 0.3, 0.4]);
    expect(shares.at(-1)).toBe(0.99);
    expect(throttle.canGrow).toBe(false);
    // Half of the time: 10 ms at once.
    const half = new Throttle({ ...AUTO_CONVERGE, initial: 0.5 });
    half.sync(51, 100);
    half.sync(51, 100);
    expect(half.stallS).toBeCloseTo(0.01, 12);
  });

  it("half dirtied is not too much", () => {
    const throttle = new Throttle(AUTO_CONVERGE);
    for (let i = 0; i < 5; i += 1) throttle.sync(50, 100);
    expect(throttle.share).toBe(0);
  });

  it("a pass of years ends", () => {
    const input = migration({ bandwidthBytesPerS: 100, throttle: AUTO_CONVERGE });
    expect(solvePrecopy(input, epoch("e5"), noCosts()).outcome).toMatch(/plateau|converged/);
  });
});
