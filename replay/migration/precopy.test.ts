/** V8 and V9: pre-copy against closed forms and against another simulator's loop. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GIB } from "./migration-input.ts";
import { solvePrecopy } from "./precopy.ts";
import { epoch, migration, noCosts } from "./testing/inputs.ts";

describe("V8: pre-copy against closed forms, to 1e-9", () => {
  const noCost = noCosts();
  const free = { vcpus: 1, blockBytes: 4096, slotBytes: [GIB] };

  it("less than the bandwidth: a geometric series", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e9, max: 1e13, noNaN: true }),
        fc.double({ min: 1e7, max: 1e11, noNaN: true }),
        fc.double({ min: 0.01, max: 0.95, noNaN: true }),
        fc.double({ min: 0.001, max: 10, noNaN: true }),
        (memoryBytes, bandwidthBytesPerS, lambda, downtimeLimitS) => {
          const result = solvePrecopy(
            migration({
              ...free,
              memoryBytes,
              bandwidthBytesPerS,
              downtimeLimitS,
              dirty: { kind: "rate-only", bytesPerS: lambda * bandwidthBytesPerS },
            }),
            epoch("e5"),
            noCost,
          );
          expect(result.outcome).toBe("converged");
          const n = result.passCount;
          const closed = ((memoryBytes / bandwidthBytesPerS) * (1 - lambda ** n)) / (1 - lambda);
          expect(Math.abs(result.totalS / closed - 1)).toBeLessThan(1e-9);
          expect(Math.abs(result.remainingBytes / (memoryBytes * lambda ** n) - 1)).toBeLessThan(
            1e-9,
          );
          // The first pass that ends below the threshold, and not the one before.
          const threshold = bandwidthBytesPerS * downtimeLimitS;
          expect(memoryBytes * lambda ** n).toBeLessThan(threshold * (1 + 1e-9));
          if (n > 1) {
            expect(memoryBytes * lambda ** (n - 1)).toBeGreaterThan(threshold * (1 - 1e-9));
          }
        },
      ),
    );
  });

  it("not less than the bandwidth: a plateau at the writable set, never below it", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 10, noNaN: true }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (lambda, share) => {
          const memoryBytes = 192 * GIB;
          const setBytes = memoryBytes * share;
          const dirty = {
            kind: "rate-and-set",
            bytesPerS: lambda * 500e6,
            setBytes,
            pattern: "sequential",
          } as const;
          const result = solvePrecopy(migration({ ...free, dirty }), epoch("e5"), noCost);
          expect(result.outcome).toBe("plateau");
          expect(Math.abs(result.remainingBytes / setBytes - 1)).toBeLessThan(1e-9);
        },
      ),
    );
  });

  it("random writes: the plateau solves V = W(1 - exp(-λV/W))", () => {
    const setBytes = 10.7 * GIB;
    const dirty = {
      kind: "rate-and-set",
      bytesPerS: 750e6,
      setBytes,
      pattern: "random",
    } as const;
    const result = solvePrecopy(migration({ ...free, dirty }), epoch("e5"), noCost);
    expect(result.outcome).toBe("plateau");
    let share = 1;
    for (let i = 0; i < 1000; i += 1) share = 1 - Math.exp(-1.5 * share);
    expect(Math.abs(result.remainingBytes / (setBytes * share) - 1)).toBeLessThan(1e-9);
  });

  it("the writable set caps the first pass, and the series goes on from there", () => {
    const setBytes = 10e9;
    const dirty = {
      kind: "rate-and-set",
      bytesPerS: 200e6,
      setBytes,
      pattern: "sequential",
    } as const;
    const result = solvePrecopy(
      migration({ ...free, dirty, memoryBytes: 200e9 }),
      epoch("e5"),
      noCost,
      true,
    );
    expect(result.passes.map(({ sentBytes }) => sentBytes)).toEqual([
      200e9,
      ...[0, 1, 2, 3, 4].map((i) => expect.closeTo(setBytes * 0.4 ** i, 0) as number),
    ]);
    const closed = 200e9 / 500e6 + ((setBytes / 500e6) * (1 - 0.4 ** 5)) / 0.6;
    expect(Math.abs(result.totalS / closed - 1)).toBeLessThan(1e-9);
  });
});

/** Rounds of the second stage, from the description of its live-migration plugin. */
function simGridRounds(
  ram: number,
  speed: number,
  dirtyPerS: number,
  cap: number,
  maxDowntimeS: number,
): number {
  const updated = (seconds: number): number => Math.min(cap, seconds * dirtyPerS);
  let remaining = updated(ram / speed);
  let rounds = 0;
  while (speed * maxDowntimeS < remaining && rounds < 500) {
    remaining = updated(remaining / speed);
    rounds += 1;
  }
  return rounds;
}

describe("V9: against SimGrid's loop of three stages", () => {
  it("takes the same number of passes", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e9, max: 1e12, noNaN: true }),
        fc.double({ min: 1e7, max: 1e10, noNaN: true }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        fc.double({ min: 0.01, max: 0.9, noNaN: true }),
        fc.constantFrom(0.03, 0.3, 1),
        (memoryBytes, speed, lambda, capShare, limit) => {
          const bytesPerS = lambda * speed;
          const setBytes = capShare * memoryBytes;
          const result = solvePrecopy(
            migration({
              memoryBytes,
              slotBytes: [memoryBytes],
              bandwidthBytesPerS: speed,
              downtimeLimitS: limit,
              blockBytes: 4096,
              stopRule: "whole-pass-or-equal",
              dirty: { kind: "rate-and-set", bytesPerS, setBytes, pattern: "sequential" },
            }),
            epoch("e5"),
            noCosts(),
          );
          const rounds = simGridRounds(memoryBytes, speed, bytesPerS, setBytes, limit);
          expect(result.outcome).toBe("converged");
          expect(result.passCount).toBe(1 + rounds);
        },
      ),
    );
  });
});
