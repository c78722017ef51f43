/**
 * What was mapped before the trace began, or before events were lost, is not known: then counts are
 * bounds. The truth, the same trace with its history, must lie in them.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Diagnostics } from "../ingest/diagnostics.ts";
import type { ReplayResult } from "./replay.ts";
import { anyStep, RandomGuest, type Step } from "./testing/random-guest.ts";
import { ALL_IDS, BOTH, callsOf, NEITHER, RANGE_ONLY, replayOf } from "./testing/replay-of.ts";
import { EAGAIN, GIB, KIB, MIB, TIB, Trace } from "./testing/trace-builder.ts";
import { PRIMITIVES } from "./tlbi/primitives.ts";

/** Per policy and primitive: is `truth` (all − before) inside [calls, calls + unknown] of `bounds`? */
function outside(
  truth: { readonly all: ReplayResult; readonly before: ReplayResult },
  bounds: { readonly result: ReplayResult; readonly before: ReplayResult | undefined },
): string[] {
  const violations: string[] = [];
  for (const policy of ALL_IDS) {
    for (const primitive of PRIMITIVES) {
      const wanted =
        callsOf(truth.all, policy, primitive).calls -
        callsOf(truth.before, policy, primitive).calls;
      const got = callsOf(bounds.result, policy, primitive);
      const least =
        got.calls -
        (bounds.before === undefined ? 0 : callsOf(bounds.before, policy, primitive).calls);
      if (wanted < least || wanted > least + got.unknown) {
        violations.push(
          `${policy} ${primitive}: ${wanted} not in ${least} … ${least + got.unknown}`,
        );
      }
    }
  }
  return violations;
}

describe.each([
  ["both features", BOTH],
  ["TLBIRANGE only", RANGE_ONLY],
  ["neither", NEITHER],
] as const)("the truth lies in the bounds, with %s", (_, features) => {
  // One notifier call tells early which VM the tables belong to.
  const first: Step = { step: "unmap", ipa: 4 * GIB - 4 * KIB, size: 4 * KIB };
  const anyStory = fc.tuple(
    fc.array(anyStep, { minLength: 1, maxLength: 25 }),
    fc.array(anyStep, { minLength: 1, maxLength: 25 }).map((steps) => [first, ...steps]),
  );

  it("where the trace begins in the middle of a VM's life", () => {
    const property = fc.property(anyStory, ([before, after]) => {
      const { trace, marks } = new RandomGuest([...before, ...after]);
      const cut = marks[before.length] as number;
      const all = replayOf(trace, ALL_IDS, features);
      const prefix = replayOf(trace, ALL_IDS, features, { to: cut });
      const result = replayOf(trace, ALL_IDS, features, { from: cut, start: "unknown" });
      expect(outside({ all, before: prefix }, { result, before: undefined })).toEqual([]);
    });
    fc.assert(property, { seed: 1, numRuns: 200 });
    expect.hasAssertions();
  });

  it("after events were lost", () => {
    const property = fc.property(anyStory, ([before, after]) => {
      const { trace, marks } = new RandomGuest([...before, ...after]);
      const cut = marks[before.length] as number;
      const all = replayOf(trace, ALL_IDS, features);
      const prefix = replayOf(trace, ALL_IDS, features, { to: cut });
      trace.rows.splice(cut, 0, { kind: "lost", pid: 0, cpu: 0 });
      const result = replayOf(trace, ALL_IDS, features);
      expect(outside({ all, before: prefix }, { result, before: prefix })).toEqual([]);
    });
    fc.assert(property, { seed: 2, numRuns: 200 });
    expect.hasAssertions();
  });
});

it("a fault while another thread has the entry broken teaches nothing: a table may have been there", () => {
  const trace = new Trace();
  const vm = trace.vm();
  const other = vm.on(200, 1);
  const collapse = { addr: GIB, len: 2 * MIB, phys: TIB };
  vm.fault(GIB + 4 * KIB, 3, "permission").begin("map", collapse);
  other.fault(GIB, 2, "translation").map(GIB, 2 * MIB, TIB, undefined, { ret: EAGAIN });
  vm.hwRange(GIB, 2 * MIB).add({ kind: "map_ret", arg0: 0 });
  const { fits } = replayOf(trace, ["range-6.9"], BOTH, { compare: true, start: "unknown" });
  // The first fault proves the table; without the other's "lesson" its collapse is certain.
  expect(fits[0]).toMatchObject({ matched: 1, missed: 0, spurious: 0, unknown: 0 });
});

it("tearing down unknown tables is bounded by the largest IPA space that their start level allows", () => {
  const trace = new Trace(14);
  trace
    .vm()
    .unmap(GIB, 16 * KIB)
    .destroy();
  const result = replayOf(trace, ["rfc-2020", "legacy-5.8"], BOTH, { start: "unknown" });
  // 40 bits: 16 tables of 2,048 entries of 32 MiB, 2,048 pages each.
  expect(callsOf(result, "rfc-2020", "VM")).toMatchObject({ calls: 0, unknown: 16 * 2048 });
  expect(callsOf(result, "legacy-5.8", "IPA").unknown).toBeLessThan(2 ** 26 + 2 ** 16);
});

it("a range that KVM never hands over was not executed as recorded: it is a loss, not a call", () => {
  const diagnostics = new Diagnostics("test");
  const trace = new Trace();
  const vm = trace.vm();
  vm.map(GIB, 4 * KIB, TIB)
    .begin("unmap", { addr: GIB, len: 4 * KIB })
    .hwRange(GIB, 0);
  vm.add({ kind: "unmap_ret", arg0: 0 });
  const result = replayOf(trace, ["range-6.9"], BOTH, { diagnostics });
  expect(callsOf(result, "recorded", "RANGE").calls).toBe(0);
  expect(diagnostics.count("BAD_NUMBER")).toBe(1);
  expect(diagnostics.hasDataLoss).toBe(true);
});

it("a map of more than any leaf has was not executed as recorded: what it mapped is unknown", () => {
  const diagnostics = new Diagnostics("test");
  const trace = new Trace();
  const vm = trace.vm();
  vm.begin("map", { addr: GIB, len: 2 ** 43, phys: TIB }).add({ kind: "map_ret", arg0: 0 });
  vm.unmap(GIB, 4 * KIB);
  const result = replayOf(trace, ["pgtable-5.10"], BOTH, { diagnostics });
  expect(diagnostics.count("BAD_NUMBER")).toBe(1);
  expect(callsOf(result, "pgtable-5.10", "IPA").calls).toBe(0);
  expect(callsOf(result, "pgtable-5.10", "IPA").unknown).toBeGreaterThan(0);
  expect(result.tableBytes).toBeLessThan(2 ** 24);
});
