/** Refills on a TLB that loses all of a VM at each flush, against stories whose answer is counted by hand. */
import { describe, expect, it } from "vitest";
import { Diagnostics } from "../../ingest/diagnostics.ts";
import { SHAPE } from "../testing/refills-of.ts";
import { feedRows } from "../testing/rows.ts";
import { type KnobName, knobsOf } from "../tlb/refills/knobs.ts";
import type { RefillResult } from "../tlb/refills/refill-result.ts";
import type { X86Policy } from "./policies/flags.ts";
import { X86_COLLAPSIBLE_BATCH, X86_ONCE_5_18, X86_PER_TABLE_5_10 } from "./policies/families.ts";
import { X86Replay } from "./replay.ts";
import { X86Trace } from "./testing/x86-trace.ts";

const VCPU = { pid: 1, cpu: 1 };
const PAGES = 8;
/** The pages one after the other, each once, over and over: nothing is left to chance or to a range. */
const IN_ORDER: readonly (readonly [KnobName, number])[] = [
  ["pattern", 2],
  ["runLength", 1],
  ["footprint", 1],
  ["theta", 0],
  ["stage1Class", 0],
  ["writeShare", 0.5],
  ["sharing", 1],
  ["movedShare", 0],
  ["phaseMs", 1000],
  ["capVisits", 4096],
];

function refillsOf(
  trace: X86Trace,
  knobs: readonly (readonly [KnobName, number])[] = [],
  policies: readonly X86Policy[] = [X86_PER_TABLE_5_10, X86_ONCE_5_18],
): RefillResult {
  const given = new Map(knobs);
  const replay = new X86Replay(
    {
      policies,
      compare: false,
      operationsOnly: false,
      presentForm: "bit-11",
      flushesProbed: undefined,
    },
    new Diagnostics("test"),
    undefined,
    {
      id: "test",
      shape: { ...SHAPE, stage2OnlyFrom: 0 },
      knobs: knobsOf(given),
      fixed: new Set(given.keys()),
    },
  );
  feedRows(trace.rows, (batch) => {
    replay.consume(batch);
  });
  return replay.finish().refills!;
}

function mapped(pages = PAGES): X86Trace {
  const trace = new X86Trace().fault();
  for (let gfn = 0; gfn < pages; gfn += 1) trace.change(gfn, 1, "none", "leaf");
  return over(trace);
}

/** The thread that changes tables is done with what it does. */
function over(trace: X86Trace): X86Trace {
  return trace.add({ kind: "userspace_exit", kvm: 0 });
}

/** A µs in the guest: with 8 visits a µs each of the 8 pages once. */
function round(trace: X86Trace): X86Trace {
  trace.add({ kind: "kvm_entry", ...VCPU });
  return trace.add({ kind: "kvm_exit", ...VCPU });
}

describe("refills of whole-VM flushes", () => {
  it("are the pages that were there and are used again, on the path of the flush", () => {
    const trace = round(round(mapped()));
    over(trace.notifier().change(7, 1, "leaf", "none"));
    const { rows, totals, differences, counts } = refillsOf(round(trace), [
      ...IN_ORDER,
      ["visitsPerUs", 8],
    ]);
    // 7 of the 8 pages are left, and the 8th visit finds page 0, which is back.
    for (const policy of ["x86-per-table-5.10", "x86-once-5.18"]) {
      expect(rows.filter((row) => row.policy === policy)).toEqual([
        {
          policy,
          tlb: "test",
          stream: "generated",
          combined_refills: 7,
          stage2_refills: null,
          // The first walk finds nothing. Its 4 stage-1 tables lie 4 GiB apart: 4 references of stage 2 for
          // the first, 3 for each other, which begin below the same top table; 4 entries of stage 1; 4
          // references for the page. Each of the 6 other pages: one entry of stage 1, one of stage 2.
          walk_references: 4 + 3 * 3 + 4 + 4 + 6 * 2,
          stale_hits: 0,
          hypothesis: "combined",
          path: "unmap",
          refills_seed_min: 7,
          refills_seed_max: 7,
          refills_low: 7,
          refills_high: 7,
          seeds: 9,
          visits: 3 * PAGES,
          episodes: 1,
          episodes_simulated: 1,
        },
      ]);
    }
    expect(totals.map(({ stage2, bound }) => [stage2, bound])).toEqual([
      [null, PAGES],
      [null, PAGES],
    ]);
    expect(differences.map(({ combined, verdict }) => [combined.median, verdict])).toEqual([
      [0, "no difference"],
    ]);
    expect(counts).toMatchObject({ guestMs: 0.003, pes: 1, seeds: 9 });
  });

  it("are one policy's more where it flushes more often while a vCPU runs", () => {
    const trace = mapped().fault();
    trace.change(512, 2, "none", "table").change(1024, 2, "none", "table");
    round(round(over(trace)));
    trace.add({ kind: "kvm_entry", ...VCPU });
    trace.notifier().change(512, 2, "table", "none").change(1024, 2, "table", "none");
    over(trace).add({ kind: "kvm_exit", ...VCPU });
    const { totals, differences } = refillsOf(trace, [...IN_ORDER, ["visitsPerUs", 100]]);
    // One flush for each table and one for the operation, against that one; all 8 pages are back each time.
    expect(totals.map(({ combined }) => combined.median)).toEqual([3 * PAGES, PAGES]);
    expect(differences[0]).toMatchObject({ verdict: "more", combined: { seedMin: 2 * PAGES } });
  });

  it("go to every vCPU of the VM, and to none of another VM", () => {
    const trace = mapped();
    for (let gfn = 0; gfn < PAGES; gfn += 1) {
      const leaf = { arg1: 0, arg2: 0, prot: 0x867, arg3: 0, addr: gfn, arg0: 1 };
      trace.add({ kind: "spte_changed", pid: 200, cpu: 2, kvm: 9, ...leaf });
    }
    trace.add({ kind: "userspace_exit", pid: 200, cpu: 2, kvm: 9 });
    const all = (): void => {
      for (const [pid, kvm] of [
        [1, 7],
        [2, 7],
        [3, 9],
      ] as const) {
        trace.add({ kind: "kvm_entry", pid, cpu: pid, kvm });
        trace.add({ kind: "kvm_exit", pid, cpu: pid, kvm });
      }
    };
    all();
    all();
    over(trace.notifier().change(7, 1, "leaf", "none"));
    all();
    const { totals } = refillsOf(trace, [...IN_ORDER, ["visitsPerUs", 8]]);
    expect(totals[0]!.combined.median).toBe(2 * 7);
  });

  it("without entries and exits rest on one vCPU that never pauses, which is said", () => {
    const trace = mapped(100);
    over(trace.notifier().change(7, 1, "leaf", "none"));
    for (let us = 0; us < 50; us += 1) over(trace);
    const { isKnown, totals, wholeVm, counts } = refillsOf(trace);
    expect(isKnown).toBe(true);
    expect(wholeVm!.assumptions[0]).toMatch(
      /^the trace has no kvm_entry and kvm_exit: .* assumed$/,
    );
    expect(counts.seeds).toBe(9);
    const [{ combined } = totals[0]!] = totals;
    expect(combined.low).toBeLessThanOrEqual(combined.seedMin);
    expect(combined.seedMin).toBeGreaterThan(50);
    expect(combined.seedMax).toBeLessThanOrEqual(99);
    expect(combined.high).toBeGreaterThanOrEqual(combined.seedMax);
  });

  it("are not of the time before the first entry, where the trace has any", () => {
    const trace = mapped();
    over(trace.notifier().change(7, 1, "leaf", "none"));
    for (let us = 0; us < 50; us += 1) over(trace);
    const { counts, totals, wholeVm } = refillsOf(round(trace), [...IN_ORDER, ["visitsPerUs", 8]]);
    expect(counts).toMatchObject({ visits: PAGES, episodes: 0 });
    expect(totals[0]!.combined.high).toBe(0);
    expect(wholeVm!.assumptions[0]).not.toContain("assumed");
  });

  it("are none of a fault's split that is not flushed for, and no use of the huge page is stale", () => {
    const trace = new X86Trace().fault().change(512, 2, "none", "leaf");
    round(round(over(trace)));
    over(trace.fault().change(512, 2, "leaf", "table"));
    const knobs = [...IN_ORDER, ["visitsPerUs", 512]] as const;
    const both = [X86_ONCE_5_18, X86_COLLAPSIBLE_BATCH];
    const { totals, counts } = refillsOf(round(trace), knobs, both);
    expect(totals.map(({ staleHits }) => staleHits)).toEqual([0, 0]);
    expect(totals[1]!.combined.median).toBe(0);
    expect(counts).toMatchObject({ pagesSplit: 512, blocksSplit: 1 });
  });

  it("tell uses of what a policy did not flush for", () => {
    const silent: X86Policy = {
      ...X86_ONCE_5_18,
      id: "silent",
      flags: { ...X86_ONCE_5_18.flags, collapsible: "each-table" },
    };
    const trace = new X86Trace().fault().change(512, 2, "none", "leaf");
    round(round(over(trace)));
    // A huge leaf goes when logging ends, and another page takes its place: only small ones are flushed for.
    over(trace.logging(false).add({ kind: "zap_collapsible" }).change(512, 2, "leaf", "none"));
    over(trace.fault().change(512, 2, "none", "leaf"));
    const knobs = [...IN_ORDER, ["visitsPerUs", 512]] as const;
    const { totals, staleExamples } = refillsOf(round(trace), knobs, [X86_PER_TABLE_5_10, silent]);
    expect(totals.map(({ staleHits }) => staleHits)).toEqual([0, 512]);
    expect(staleExamples[0]).toMatchObject({ policy: "silent", cpu: 1, pid: 1, flush: "none" });
  });
});
