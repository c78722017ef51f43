import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { ReplayResult } from "./replay.ts";
import { anyStep, RandomGuest, type Step } from "./testing/random-guest.ts";
import { ALL_IDS, BOTH, callsOf, NEITHER, RANGE_ONLY, replayOf } from "./testing/replay-of.ts";
import { GIB, KIB } from "./testing/trace-builder.ts";
import { PRIMITIVES } from "./tlbi/primitives.ts";
function outside(truth: any, bounds: any): string[] {
  const violations: string[] = [];
  for (const policy of ALL_IDS) for (const primitive of PRIMITIVES) {
      const wanted = callsOf(truth.all, policy, primitive).calls - callsOf(truth.before, policy, primitive).calls;
      const got = callsOf(bounds.result, policy, primitive);
      const least = got.calls - (bounds.before === undefined ? 0 : callsOf(bounds.before, policy, primitive).calls);
      if (wanted < least || wanted > least + got.unknown) violations.push(`${policy} ${primitive}: ${wanted} not in ${least} … ${least + got.unknown}`);
  }
  return violations;
}
const first: Step = { step: "unmap", ipa: 4 * GIB - 4 * KIB, size: 4 * KIB };
const anyStory = fc.tuple(fc.array(anyStep, { minLength: 1, maxLength: 40 }), fc.array(anyStep, { minLength: 1, maxLength: 40 }).map((s) => [first, ...s]));
it.each([["b",BOTH],["r",RANGE_ONLY],["n",NEITHER]] as const)("many %s", (_, features) => {
  fc.assert(fc.property(anyStory, ([before, after]) => {
      const { trace, marks } = new RandomGuest([...before, ...after]);
      const cut = marks[before.length] as number;
      const all = replayOf(trace, ALL_IDS, features);
      const prefix = replayOf(trace, ALL_IDS, features, { to: cut });
      const result = replayOf(trace, ALL_IDS, features, { from: cut, start: "unknown" });
      expect(outside({ all, before: prefix }, { result, before: undefined })).toEqual([]);
    }), { seed: 77, numRuns: 1500 });
});
it("ignored", () => {
  fc.assert(fc.property(anyStory, ([before, after]) => {
      const { trace, marks } = new RandomGuest([...before, ...after].filter(s=>s.step!=="ring"&&s.step!=="age"));
      const b = before.filter(s=>s.step!=="ring"&&s.step!=="age").length;
      const cut = marks[b] as number;
      const o = {requestMode: "ignored"} as const;
      const all = replayOf(trace, ALL_IDS, BOTH, o);
      const detected = replayOf(trace, ALL_IDS, BOTH);
      for (const p of ALL_IDS) for (const q of PRIMITIVES) if (callsOf(all,p,q).calls !== callsOf(detected,p,q).calls) throw new Error(`${p} ${q} ${callsOf(all,p,q).calls} ${callsOf(detected,p,q).calls}`);
      const prefix = replayOf(trace, ALL_IDS, BOTH, { to: cut, ...o });
      const result = replayOf(trace, ALL_IDS, BOTH, { from: cut, start: "unknown", ...o });
      expect(outside({ all, before: prefix }, { result, before: undefined })).toEqual([]);
    }), { seed: 77, numRuns: 500 });
});
it("any cut, any place", () => {
  fc.assert(fc.property(anyStory, fc.nat(), ([before, after], at) => {
      const { trace } = new RandomGuest([...before, ...after]);
      const cut = at % trace.rows.length;
      const all = replayOf(trace, ALL_IDS, BOTH);
      const prefix = replayOf(trace, ALL_IDS, BOTH, { to: cut });
      trace.rows.splice(cut, 0, { kind: "lost", pid: 0, cpu: 0 });
      const result = replayOf(trace, ALL_IDS, BOTH);
      expect(outside({ all, before: prefix }, { result, before: prefix })).toEqual([]);
    }), { seed: 77, numRuns: 500 });
});
it("no returns", () => {
  fc.assert(fc.property(anyStory, ([before, after]) => {
      const { trace, marks } = new RandomGuest([...before, ...after].filter(s=>s.step!=="retry"));
      const cut = marks[before.filter(s=>s.step!=="retry").length] as number;
      const strip = (t: any) => { for (let i=0;i<t.rows.length;i++) if (t.rows[i].kind.endsWith("_ret")) t.rows[i] = {...t.rows[i], kind:"other"}; };
      const detected = replayOf(trace, ALL_IDS, BOTH);
      strip(trace);
      const all = replayOf(trace, ALL_IDS, BOTH);
      for (const p of ALL_IDS) for (const q of PRIMITIVES) if (callsOf(all,p,q).calls !== callsOf(detected,p,q).calls) throw new Error(`${p} ${q} ${callsOf(all,p,q).calls} ${callsOf(detected,p,q).calls}`);
      const prefix = replayOf(trace, ALL_IDS, BOTH, { to: cut });
      const result = replayOf(trace, ALL_IDS, BOTH, { from: cut, start: "unknown" });
      expect(outside({ all, before: prefix }, { result, before: undefined })).toEqual([]);
    }), { seed: 77, numRuns: 500 });
});
