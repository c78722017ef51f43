/**
 * The solvers against tables that were worked out by hand for one case: 192 GiB, 500 MB/s, 300 ms, with the
 * constants of `tableCosts`.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shippedTable } from "../costs/cost-table.ts";
import { solveBlackout } from "./blackout.ts";
import { dirtiedBytes } from "./dirty-process.ts";
import { drawAll } from "./draws.ts";
import { evaluate } from "./evaluate.ts";
import { GIB } from "./migration-input.ts";
import { solvePrecopy } from "./precopy.ts";
import { collapseCost, RollbackSolver } from "./rollback.ts";
import { epoch, fullBlocks, migration, noCosts, tableCosts } from "./testing/inputs.ts";
import { AUTO_CONVERGE } from "./throttle.ts";
import { solveUnmap } from "./unmap.ts";

const COSTS = tableCosts();
const HOT = 10.7 * GIB;

function writes(
  bytesPerS: number,
  setBytes = HOT,
): { dirty: ReturnType<typeof migration>["dirty"] } {
  return { dirty: { kind: "rate-and-set", bytesPerS, setBytes, pattern: "sequential" } };
}

describe("pre-copy of the published case", () => {
  it("does not converge: each pass sends the writable set again", () => {
    const result = solvePrecopy(migration(writes(750e6)), epoch("e1"), COSTS, true);
    expect(result.outcome).toBe("plateau");
    const [first, second] = result.passes;
    expect(first).toMatchObject({ clears: 192, flushCalls: 192 });
    expect(first!.seconds).toBeCloseTo(413.3, 1);
    expect(first!.clearS).toBeCloseTo(0.977, 3);
    expect(first!.faultShare).toBeCloseTo(0.008, 3);
    expect(second).toMatchObject({ clears: 11, flushCalls: 11 });
    expect(second!.seconds).toBeCloseTo(23.04, 2);
    expect(second!.clearS).toBeCloseTo(0.0545, 4);
    expect(second!.faultShare).toBeCloseTo(0.149, 3);
  });

  it("with ranges each clear flushes the 192 GiB in 24 calls", () => {
    const { passes } = solvePrecopy(migration(writes(750e6)), epoch("e5"), COSTS, true);
    expect(passes.map(({ flushCalls }) => flushCalls)).toEqual([4608, 264]);
    expect(passes[0]!.clearS).toBeCloseTo(0.989, 3);
    expect(passes[1]!.clearS).toBeCloseTo(0.0551, 4);
  });

  it("several memslots: a clear flushes its own", () => {
    const slots = migration({ ...writes(750e6), slotBytes: [96 * GIB, 96 * GIB] });
    const { passes } = solvePrecopy(slots, epoch("e5"), COSTS, true);
    expect(passes[0]!.flushCalls).toBe(192 * 12);
  });

  it("small chunks make the policy visible: 786,432 clears, 18.9 M ranges", () => {
    const { passes } = solvePrecopy(
      migration({ ...writes(750e6), clearBytes: 64 * 4096 }),
      epoch("e5"),
      COSTS,
      true,
    );
    expect(passes[0]).toMatchObject({ clears: 786_432, flushCalls: 18_874_368 });
  });

  it("the twin of 200 MB/s converges in 6 passes and 451 s", () => {
    const result = solvePrecopy(migration(), epoch("e1"), COSTS, true);
    expect(result).toMatchObject({ outcome: "converged", passCount: 6 });
    expect(result.totalS).toBeCloseTo(451.4, 1);
    const sent = result.passes.map(({ sentBytes }) => (sentBytes / 1e9).toFixed(1));
    expect(sent).toEqual(["206.2", "11.5", "4.6", "1.8", "0.7", "0.3"]);
    expect(result.remainingBytes / 1e9).toBeCloseTo(0.121, 3);
  });

  it("an early sync leaves a rest of each pass: more syncs, and a last copy near the limit", () => {
    const whole = solvePrecopy(migration(), epoch("e1"), COSTS);
    const early = solvePrecopy(migration({ stopRule: "early-sync" }), epoch("e1"), COSTS);
    expect(early.passCount).toBeGreaterThan(whole.passCount);
    const lastCopyS = early.remainingBytes / 500e6;
    expect(lastCopyS).toBeGreaterThan(whole.remainingBytes / 500e6);
    expect(lastCopyS).toBeLessThan(0.3);
  });

  it.each([
    { rate: 500e6, passes: 12, seconds: 543, left: 0.135, share: 0.6 },
    { rate: 1000e6, passes: 19, seconds: 718, left: 0.071, share: 0.8 },
  ])("auto-converge checked once a pass: $rate B/s", ({ rate, passes, seconds, left, share }) => {
    const throttle = { ...AUTO_CONVERGE, periodS: 0 };
    const result = solvePrecopy(migration({ ...writes(rate), throttle }), epoch("e1"), COSTS);
    expect(result).toMatchObject({ outcome: "converged", passCount: passes, throttleShare: share });
    expect(Math.abs(result.totalS - seconds)).toBeLessThan(0.6);
    expect(result.remainingBytes / 1e9).toBeCloseTo(left, 3);
  });

  it("a sync every 5 s throttles sooner", () => {
    const slow = solvePrecopy(
      migration({ ...writes(1000e6), throttle: { ...AUTO_CONVERGE, periodS: 0 } }),
      epoch("e1"),
      COSTS,
    );
    const fast = solvePrecopy(
      migration({ ...writes(1000e6), throttle: AUTO_CONVERGE }),
      epoch("e1"),
      COSTS,
    );
    expect(fast.outcome).toBe("converged");
    expect(fast.totalS).toBeLessThan(slow.totalS);
  });

  it("forced at a time: what is dirty then is copied in the blackout", () => {
    const input = migration({ ...writes(750e6), forceAtS: 600 });
    const result = solvePrecopy(input, epoch("e1"), COSTS);
    expect(result).toMatchObject({ outcome: "forced", totalS: 600 });
    expect(result.remainingBytes).toBeCloseTo(HOT, -3);
    const values = evaluate(input, undefined, epoch("e1"), COSTS).values;
    expect(values.source_downtime).toBeCloseTo(HOT / 500e6 + 0.044 + 0.0545, 1);
  });

  it("cancelled in the first pass: no switch-over, and a roll-back", () => {
    const input = migration({ ...writes(750e6), cancelAtS: 100 });
    const solver = new RollbackSolver(fullBlocks(11));
    const { precopy, values } = evaluate(
      input,
      { solver, blocks: 11, fill: 1 },
      epoch("e1"),
      COSTS,
    );
    expect(precopy).toMatchObject({ outcome: "cancelled", totalS: 100 });
    expect(values.source_downtime).toBeNaN();
    expect(values.rollback_stall).toBeCloseTo(5.94, 2);
  });

  it("nothing is written: one pass, nothing left", () => {
    const result = solvePrecopy(migration(writes(0)), epoch("e1"), COSTS);
    expect(result).toMatchObject({ outcome: "converged", passCount: 1, remainingBytes: 0 });
  });

  it("post-copy: moved after one pass, and no roll-back", () => {
    const input = migration({ ...writes(750e6), postCopy: true });
    const solver = new RollbackSolver(fullBlocks(11));
    const { values, blackout } = evaluate(
      input,
      { solver, blocks: 11, fill: 1 },
      epoch("e1"),
      COSTS,
    );
    expect(blackout!.parts.copy).toBe(0);
    expect(values.postcopy_stall, "1 GiB at 500 MB/s").toBeCloseTo(2.147, 3);
    expect(values.rollback_stall).toBeNaN();
  });
});

/** Milliseconds, two places. */
function ms(seconds: number): number {
  return Math.round(seconds * 1e5) / 100;
}

describe("blackout of the twin", () => {
  const left = solvePrecopy(migration(), epoch("e1"), COSTS).remainingBytes;

  it.each([
    { name: "by VMID", id: "e1", clears: true, protect: 0.61, flush: 0.02, total: 286.8 },
    { name: "by range", id: "e5", clears: true, protect: 0.61, flush: 0.66, total: 287.5 },
    { name: "QEMU 10.1", id: "e5", clears: false, protect: 0, flush: 0, total: 286.2 },
  ] as const)("$name", ({ id, clears, protect, flush, total }) => {
    const input = migration({ clearsInBlackout: clears });
    const { parts, sourceS } = solveBlackout(left, input, epoch(id), COSTS);
    expect(ms(parts.sync)).toBe(6.07);
    expect(ms(parts.copy)).toBeCloseTo(242.1, 0);
    expect(ms(parts.last_write_protect)).toBeCloseTo(protect, 2);
    expect(ms(parts.last_flush)).toBeCloseTo(flush, 2);
    expect(Math.abs(ms(sourceS) - total)).toBeLessThan(0.2);
  });
});

describe("roll-back of full blocks, hand-worked table", () => {
  it.each([
    { blocks: 6, s: [3.24, 0.097, 0.0008, 0.0004, 4.02, 0.78] },
    { blocks: 11, s: [5.94, 0.177, 0.0015, 0.0006, 7.38, 1.43] },
    { blocks: 13, s: [7.02, 0.21, 0.0017, 0.0008, 8.72, 1.69] },
    { blocks: 192, s: [103.7, 3.1, 0.026, 0.011, 128.7, 25] },
  ])("$blocks blocks of 1 GiB", ({ blocks, s }) => {
    const solver = new RollbackSolver(fullBlocks(blocks));
    const found = [
      epoch("e1"),
      epoch("e2"),
      epoch("e4"),
      epoch("e5"),
      epoch("e1", { fwb: false }),
      epoch("e5", { fwb: false }),
    ].map((mechanics) => solver.solve(mechanics, COSTS).stallS);
    // To the last figure of the table, which rounds to 0.1 ms.
    found.forEach((seconds, i) =>
      expect(Math.abs(seconds - s[i]!)).toBeLessThan(Math.max(0.00011, s[i]! * 0.04)),
    );
  });

  it("the same 10.7 GiB in blocks of 2 MiB", () => {
    const solver = new RollbackSolver(fullBlocks(5478, 2 ** 21));
    const found = (["e1", "e2", "e4", "e5"] as const).map(
      (id) => solver.solve(epoch(id), COSTS).stallS,
    );
    [6.1, 0.91, 0.74, 0.32].forEach((s, i) =>
      expect(Math.abs(found[i]! / s - 1)).toBeLessThan(0.06),
    );
  });

  it("without range instructions the newest kernel flushes by VMID", () => {
    expect(epoch("e5", { tlbirange: false }).collapseFlush).toBe("vmid");
  });

  it("is the queue that a slow model has", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 262_144 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom("e1", "e2", "e3", "e4", "e5"),
        fc.boolean(),
        (ptes, faultingVcpus, id, fwb) => {
          const input = {
            ...fullBlocks(0),
            ptes: Float64Array.from(ptes),
            faultingVcpus,
          };
          const mechanics = epoch(id, { fwb });
          const slow = slowRollback(ptes, faultingVcpus, input, mechanics);
          const fast = new RollbackSolver(input).solve(mechanics, COSTS);
          expect(fast.stallS).toBeCloseTo(slow.stallS, 9);
          expect(fast.longestFaultS).toBeCloseTo(slow.stalls.at(-1)!, 9);
          expect(fast.p99FaultS).toBeCloseTo(
            slow.stalls[Math.ceil(slow.stalls.length * 0.99) - 1]!,
            9,
          );
        },
      ),
    );
  });
});

/** Fault by fault, with a list of who waits. */
function slowRollback(
  ptes: readonly number[],
  vcpus: number,
  input: ReturnType<typeof fullBlocks>,
  mechanics: ReturnType<typeof epoch>,
): { stallS: number; stalls: readonly number[] } {
  const { fixedS, perPteS, refillS } = collapseCost(input, mechanics, COSTS);
  const ready = Array.from({ length: vcpus }, () => 0);
  const stalls: number[] = [];
  let free = 0;
  ptes.forEach((n, i) => {
    const from = ready[i % vcpus]!;
    const begin = mechanics.epoch.lock === "exclusive" ? Math.max(free, from) : from;
    free = begin + fixedS + perPteS * n;
    ready[i % vcpus] = free + refillS;
    stalls.push(free + refillS - from);
  });
  const calls =
    mechanics.collapseFlush === "per-ipa" ? ptes.reduce((a, b) => a + b, 0) : ptes.length;
  const floorS = mechanics.epoch.lock === "exclusive" ? 0 : calls * COSTS.s_broadcast;
  return { stallS: Math.max(floorS, ...ready), stalls: stalls.sort((a, b) => a - b) };
}

describe("unmap", () => {
  const gib = { bytes: GIB, leafBytes: 4096 };

  it("counts flushes as the kernels do", () => {
    expect(solveUnmap(gib, epoch("e1"), COSTS).flushCalls).toBe(262_144 + 513);
    expect(solveUnmap(gib, epoch("e5"), COSTS).flushCalls).toBe(1 + 513);
    expect(solveUnmap({ bytes: GIB, leafBytes: 2 ** 21 }, epoch("e4"), COSTS).flushCalls).toBe(513);
    expect(solveUnmap({ bytes: GIB, leafBytes: GIB }, epoch("e4"), COSTS).flushCalls).toBe(1);
  });

  it("ranges without FWB: one by one, as before", () => {
    expect(solveUnmap(gib, epoch("e5", { fwb: false }), COSTS).flushCalls).toBe(262_144 + 513);
  });
});

describe("draws", () => {
  const table = shippedTable("idle");

  it("are the same for the same seed, and stay within their ranges", () => {
    const one = drawAll(table, {}, 500, 7);
    expect(drawAll(table, {}, 500, 7).costs).toEqual(one.costs);
    expect(drawAll(table, {}, 500, 8).costs.get("t_ipa")).not.toEqual(one.costs.get("t_ipa"));
    const t_ipa = one.costs.get("t_ipa")!;
    expect(Math.min(...t_ipa)).toBeGreaterThanOrEqual(1.45e-6);
    expect(Math.max(...t_ipa)).toBeLessThanOrEqual(2.6e-6);
  });

  it("no constant costs anything where nothing does", () => {
    const { values } = evaluate(migration(), undefined, epoch("e1"), noCosts());
    expect(values.source_downtime).toBeCloseTo(0.24, 2);
    expect(values.copy_stall_max).toBe(0);
  });
});

describe("unique pages of a trace", () => {
  it("are linear between points, and a lower bound behind the last", () => {
    const curve = { windowS: Float64Array.of(1, 2, 4), bytes: Float64Array.of(10, 15, 16) };
    const process = { kind: "curve", curve, scale: 1 } as const;
    expect([0, 0.5, 1, 1.5, 3, 4, 99].map((s) => dirtiedBytes(process, s, 1))).toEqual([
      0, 5, 10, 12.5, 15.5, 16, 16,
    ]);
    expect(dirtiedBytes({ ...process, scale: 2 }, 0.5, 1)).toBe(10);
    expect(dirtiedBytes(process, 2, 0.5)).toBe(10);
  });
});
