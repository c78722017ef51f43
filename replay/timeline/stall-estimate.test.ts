import { describe, expect, it } from "vitest";
import type { FlushRow } from "../results.ts";
import type { PrimitiveCall } from "../tlbi/instructions.ts";
import { PRIMITIVES, type PrimitiveName } from "../tlbi/primitives.ts";
import { type PolicyStall, StallPricer } from "./stall-estimate.ts";

const CALL: PrimitiveCall = {
  encoding: { algorithm: "descending", pageShift: 12, lpa2: false },
  ipaPage: 0,
  lenPages: 1,
};
const IDLE = new StallPricer("idle");
const LOADED = new StallPricer("loaded");

type Counts = Partial<Record<PrimitiveName, number>>;
const counts = (of: Counts): readonly number[] => PRIMITIVES.map((name) => of[name] ?? 0);
const stall = (pricer: StallPricer, certain: Counts, undecided: Counts = {}, call = CALL) =>
  pricer.stall(call, { certain: counts(certain), undecided: counts(undecided) });

function rows(policy: string, certain: Counts, undecided: Counts = {}): FlushRow[] {
  return PRIMITIVES.map((primitive) => ({
    policy,
    path: "unmap",
    primitive,
    calls: certain[primitive] ?? 0,
    tlbi: 0,
    dsb: 0,
    pages: null,
    unknown_calls: undecided[primitive] ?? 0,
  }));
}

/** The second of two policies, against the first. */
function against(first: readonly FlushRow[], second: readonly FlushRow[]): PolicyStall {
  const calls = [first, second].map(([row]) => ({ id: row!.policy, call: CALL }));
  return IDLE.estimate([...first, ...second], calls).policies[1]!;
}

describe("the stall of flushes", () => {
  it("has the quantiles of the constant, where one constant alone decides", () => {
    // Loaded: contention is 1, and a flush of one IPA is triangular over 2, 4.5 and 6.3 µs. By hand:
    // below the mode F(x) = (x − 2)² / (4.3 · 2.5), above it 1 − (6.3 − x)² / (4.3 · 1.8).
    const { us } = stall(LOADED, { IPA: 1000 });
    expect(us!.low / 1000).toBeCloseTo(2 + Math.sqrt(0.05 * 4.3 * 2.5), 0.7);
    expect(us!.median / 1000).toBeCloseTo(2 + Math.sqrt(0.5 * 4.3 * 2.5), 0.7);
    expect(us!.high / 1000).toBeCloseTo(6.3 - Math.sqrt(0.05 * 4.3 * 1.8), 0.7);
  });

  it("lies between the ends of the constants, times contention, on an idle machine", () => {
    const { us, pricedCalls } = stall(IDLE, { IPA: 10, VM: 4 });
    expect(pricedCalls).toBe(14);
    expect(us!.low).toBeGreaterThan(10 * 1.45 + 4 * 0.7);
    expect(us!.high).toBeLessThan((10 * 2.6 + 4 * 4) * 2.4);
    expect(us!.low).toBeLessThan(us!.median);
    expect(us!.median).toBeLessThan(us!.high);
  });

  it("grows with the calls, and is nothing without any", () => {
    const one = stall(IDLE, { RANGE: 1 }).us!;
    const many = stall(IDLE, { RANGE: 500 }).us!;
    expect(many.median).toBeCloseTo(500 * one.median, 1);
    expect(stall(IDLE, {}).us).toEqual({ low: 0, median: 0, high: 0 });
  });

  it("has undecided calls at its upper end only", () => {
    const certain = stall(IDLE, { IPA: 10 }).us!;
    const all = stall(IDLE, { IPA: 30 }).us!;
    expect(stall(IDLE, { IPA: 10 }, { IPA: 20 }).us).toEqual({ ...certain, high: all.high });
  });

  it("takes longer where the CPU's TLBIs must be repeated: 1.2 to 2 times", () => {
    const plain = stall(LOADED, { IPA: 100 }).us!.median;
    const call: PrimitiveCall = { ...CALL, repeatTlbi: "twice" };
    const repeated = stall(LOADED, { IPA: 100 }, {}, call).us!.median;
    expect(repeated / plain).toBeGreaterThan(1.2);
    expect(repeated / plain).toBeLessThan(2);
  });

  it("is unknown where no constant is published, and says of which calls", () => {
    const local = stall(IDLE, { CPU: 3 });
    expect(local.us).toBeUndefined();
    expect(local.unpriced).toMatchObject([{ primitive: "CPU", calls: 3 }]);
    const mixed = stall(IDLE, { IPA: 5, IPA_LOCAL: 2 }, { ALL: 1 });
    expect(mixed.us).toEqual(stall(IDLE, { IPA: 5 }).us);
    expect(mixed.unpriced.map(({ primitive, calls }) => [primitive, calls])).toEqual([
      ["IPA_LOCAL", 2],
      ["ALL", 1],
    ]);
    const byPage = stall(IDLE, { RANGE: 5 }, {}, { ...CALL, singlesOnly: true });
    expect(byPage.us).toBeUndefined();
    expect(byPage.unpriced[0]!.because).toContain("page by page");
  });
});

describe("the difference of two policies", () => {
  it("is paired: the same calls are equal in every draw", () => {
    const certain = { IPA: 12, CPU: 4, ALL: 1 };
    const { differenceUs, verdict } = against(rows("a", certain), rows("b", certain));
    expect(differenceUs).toEqual({ low: 0, median: 0, high: 0 });
    expect(verdict).toBe("no difference");
  });

  it("is that of the calls which one makes more", () => {
    const { differenceUs, verdict } = against(rows("a", { IPA: 5 }), rows("b", { IPA: 105 }));
    const { low, median, high } = stall(IDLE, { IPA: 100 }).us!;
    expect(differenceUs!.low).toBeCloseTo(low, 3);
    expect(differenceUs!.median).toBeCloseTo(median, 3);
    expect(differenceUs!.high).toBeCloseTo(high, 3);
    expect(verdict).toBe("more");
  });

  it("is open where undecided calls could turn it", () => {
    const first = rows("a", { IPA: 5 }, { IPA: 100 });
    const { differenceUs, verdict, because } = against(first, rows("b", { IPA: 50 }));
    expect(differenceUs!.low).toBeLessThan(0);
    expect(differenceUs!.high).toBeGreaterThan(0);
    expect([verdict, because]).toEqual(["unknown", "the interval holds 0"]);
  });

  it("holds a local flush between nothing and a broadcast one", () => {
    const local = against(rows("a", { IPA: 100 }), rows("b", { IPA_LOCAL: 50 }));
    const dearest = against(rows("a", { IPA: 100 }), rows("b", { IPA: 50 }));
    const free = against(rows("a", { IPA: 100 }), rows("b", {}));
    expect(local.verdict).toBe("less");
    expect(local.differenceUs).toEqual({ ...free.differenceUs, high: dearest.differenceUs!.high });
    const equal = against(rows("a", { IPA: 100 }), rows("b", { IPA_LOCAL: 100 }));
    expect(equal.verdict).toBe("unknown");
  });

  it("is unknown where calls without a bound do not cancel", () => {
    const { differenceUs, verdict, because } = against(
      rows("a", { IPA: 100 }),
      rows("b", { ALL: 1 }),
    );
    expect(differenceUs).toBeUndefined();
    expect(verdict).toBe("unknown");
    expect(because).toMatch(/^ALL calls have no price/);
  });
});
