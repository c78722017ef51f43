import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FlushRow } from "../results.ts";
import { phasesOf } from "../testing/phases-of.ts";
import { anyStep, RandomGuest } from "../testing/random-guest.ts";
import { ALL_IDS } from "../testing/replay-of.ts";
import type { EventRow } from "../testing/rows.ts";
import { PROT } from "../testing/units.ts";

const PAGE_BYTES = 4096;

function sums(rows: readonly FlushRow[]): Record<string, string> {
  const by = new Map<string, readonly [number, number, number, number]>();
  for (const row of rows) {
    const key = `${row.policy} ${row.path} ${row.primitive}`;
    const [calls, tlbi, dsb, unknown] = by.get(key) ?? [0, 0, 0, 0];
    by.set(key, [calls + row.calls, tlbi + row.tlbi, dsb + row.dsb, unknown + row.unknown_calls]);
  }
  return Object.fromEntries([...by].map(([key, values]) => [key, values.join(" ")]));
}

/** Pages that become dirty, by nothing but rows and a set: at a fault that gives write permission under logging. */
function dirtied(rows: readonly EventRow[]): { readonly times: number; readonly distinct: number } {
  const dirty = new Set<number>();
  const ever = new Set<number>();
  let times = 0;
  let isLogging = false;
  for (const [at, row] of rows.entries()) {
    const first = (row.addr ?? 0) / PAGE_BYTES;
    if (row.kind === "commit_region" && row.arg0 === 3) isLogging = row.arg2 === 1;
    else if (row.kind === "wrprotect") {
      // Of a clear only the pages of its mask are; the words of these guests have two bits.
      const word = rows
        .slice(Math.max(0, at - 2), at)
        .find(({ kind }) => kind === "enable_log_pt_masked");
      const last = first + (row.len ?? 0) / PAGE_BYTES - 1;
      if (word === undefined) for (let page = first; page <= last; page += 1) dirty.delete(page);
      else for (const page of [first, last]) dirty.delete(page);
    } else if ((row.kind === "map" || row.kind === "relax_perms") && isLogging) {
      const succeeded = rows[at + 1]!.arg0 === 0;
      if (!succeeded || row.prot !== PROT.rwx) continue;
      if (!dirty.has(first)) times += 1;
      dirty.add(first);
      ever.add(first);
    }
  }
  return { times, distinct: ever.size };
}

describe("phases of random guests", () => {
  // Long ones: it takes a log, a write, a clear or another log, and a write of the same page.
  const steps = fc.array(anyStep, { minLength: 40, maxLength: 90 });

  it("hold every call of every policy once, and follow each other", () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { trace } = new RandomGuest(list);
        const { inputs, result } = phasesOf(trace, ALL_IDS);
        const phases = inputs.vms.flatMap((vm) => vm.phases);
        expect(sums(phases.flatMap(({ facts }) => facts.flushes))).toEqual(sums(result.flushes));
        for (const [at, phase] of phases.entries()) {
          if (at > 0) expect(phase.startNs).toBe(phases[at - 1]!.endNs);
        }
        const collapses = phases.reduce((sum, { facts }) => sum + facts.collapses, 0);
        expect(collapses).toBe(result.counts.collapse);
        expect(inputs.vms[0]!.collapsesTotal).toBe(result.counts.collapse);
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  it("count dirty pages as a set of pages does", () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { trace } = new RandomGuest(list);
        const { vm } = phasesOf(trace, ["range-6.9"]);
        const { times, distinct } = dirtied(trace.rows);
        const told = vm.phases.reduce((sum, { facts }) => sum + facts.dirtiedPages, 0);
        expect(told).toBe(times);
        expect(vm.workingSetPages).toBe(distinct);
        expect(vm.passes.reduce((sum, pass) => sum + pass.dirtiedPages, 0)).toBe(times);
        expect(vm.intervals.reduce((sum, one) => sum + one.dirtiedPages, 0)).toBe(times);
        expect(vm.phases.reduce((sum, { facts }) => sum + facts.newlyDirtiedPages, 0)).toBe(
          distinct,
        );
      }),
      { seed: 6, numRuns: 100 },
    );
  });
});
